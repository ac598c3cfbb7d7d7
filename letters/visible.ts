// Text of strangers, made so that it can do nothing but be read.

/**
 * What a terminal or a page would obey or hide instead of showing: control characters but line feed and tab, direction
 * overrides and marks, invisible spaces, separators, interlinear and tag characters, and halves of surrogate pairs.
 * A message from a stranger must not clear the screen, fake a line of ours or read differently from what it says.
 * The zero width joiner and variation selectors stay: emoji and some scripts need them, and they move nothing.
 */
export const NOT_SHOWN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e0fff}]/gu;

/** The same text with every such character written out, as in ‹U+202E›. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(NOT_SHOWN, (character) => `‹U+${codePoint(character)}›`);
}

function codePoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
