// Text in files that people and their editors touch: keys, signatures, passwords, settings.

const UTF16_LE = [0xff, 0xfe];
const UTF16_BE = [0xfe, 0xff];
/** UTF-16 has at least this many zero bytes per pair. In Latin text it has one; no other encoding has even half of that. */
const ZEROS_PER_PAIR = 0.5;
const SNIFFED_BYTES = 1_024;

/**
 * The text of a file without its editor's traces: no byte order mark, `\n` for every line end, no white space at the ends of
 * lines, no empty lines at the end. Reads UTF-8, and UTF-16 as some editors save it.
 * Throws a TypeError for anything else; `lenient` puts U+FFFD in its place instead.
 */
export function textOf(file: Uint8Array, strictness: 'strict' | 'lenient' = 'strict'): string {
  const text = new TextDecoder(encodingOf(file), { fatal: strictness === 'strict' }).decode(file);
  const lines = text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => line.trimEnd());
  let count = lines.length;
  while (count > 0 && lines[count - 1] === '') count -= 1;
  return lines.slice(0, count).join('\n') + (count > 0 && count < lines.length ? '\n' : '');
}

function encodingOf(file: Uint8Array): string {
  if (startsWith(file, UTF16_LE)) return 'utf-16le';
  if (startsWith(file, UTF16_BE)) return 'utf-16be';
  const start = file.subarray(0, SNIFFED_BYTES & ~1);
  const zeros = [0, 0];
  start.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  if (odd > even && odd >= (start.length / 2) * ZEROS_PER_PAIR) return 'utf-16le';
  if (even > odd && even >= (start.length / 2) * ZEROS_PER_PAIR) return 'utf-16be';
  return 'utf-8';
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}
