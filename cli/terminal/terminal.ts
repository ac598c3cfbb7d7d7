import { NOT_SHOWN, visible } from '../../volunteer/visible.ts';

export { visible };

/** JSON that is safe to look at: characters that could act on the terminal are \u escapes, which mean exactly the same. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(NOT_SHOWN, (character) =>
    [...Array(character.length).keys()].map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`).join(''),
  );
}

/** Foreign text as one line, such as a name or a contact. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\n', '‹U+000A›').replaceAll('\t', ' ');
}

/**
 * Foreign text as an indented block. Lines are broken here and not by the terminal, so that no line of it can begin
 * at the left edge, where only our own text stands.
 */
export function block(text: string, columns: number, indent = '    '): string {
  const width = Math.max(20, Math.min(columns, 100) - indent.length - 1);
  return visible(text)
    .replaceAll('\t', '    ')
    .split('\n')
    .flatMap((line) => wrap(line, width))
    .map((line) => `${indent}${line}`.trimEnd())
    .join('\n');
}

/** The line, cut to at most so many columns; … at its end shows that something is missing. */
export function cut(line: string, columns: number): string {
  const width = Math.max(20, columns - 1);
  return columnsOf(line) <= width ? line : `${fitting(line, width - 1).trimEnd()}…`;
}

function wrap(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (columnsOf(rest) > width) {
    const room = fitting(rest, width);
    const space = room.lastIndexOf(' ');
    // A word longer than the line is cut; otherwise the line ends at its last space.
    const end = space > 0 ? space + 1 : room.length;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  lines.push(rest);
  return lines;
}

function fitting(text: string, width: number): string {
  let columns = 0;
  let end = 0;
  for (const character of text) {
    columns += columnsOfCharacter(character);
    if (columns > width) break;
    end += character.length;
  }
  return text.slice(0, Math.max(end, 1));
}

function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

/** Whatever may be two columns wide counts as two: a line that is too short is ugly, one that is too long could deceive. */
function columnsOfCharacter(character: string): number {
  return (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
}
