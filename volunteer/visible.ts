// Makes text from strangers safe to show: it can do nothing but be read.

/**
 * Everything that a terminal or a page would obey or hide instead of showing: control characters other than line feed and tab, lone
 * surrogates, separators, direction overrides and marks, and all that shows as nothing, by which two names can differ and look the same. A
 * message from a stranger must not clear the screen, fake a line of ours or read differently from what it says. Inside an emoji, joiners
 * and selectors stay: they move nothing, and decide which emoji it is.
 */
export const NOT_SHOWN = new RegExp(
  [
    /[\0-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2800\ufff9-\ufffc\ud800-\udfff]/u,
    /[\u{1107f}\u{13441}\u{13442}\u{16fe4}\u{1d159}\u{e0000}-\u{e0fff}]/u,
    /\p{Noncharacter_Code_Point}/u,
    /(?![\u200d\ufe0e\ufe0f])\p{Default_Ignorable_Code_Point}/u,
    /\u200d(?!(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]\u200d)\p{Extended_Pictographic})/u,
    /[\ufe0e\ufe0f](?<!\p{Extended_Pictographic}[\ufe0e\ufe0f])(?!\u20e3)/u,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gu',
);

/** The same text with each such character written out, as in ‹U+202E›, and with line feeds as its line ends. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(NOT_SHOWN, (character) => `‹U+${codePoint(character)}›`);
}

function codePoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
