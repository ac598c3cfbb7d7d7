// Finds files that are coded within a text.
import { bytesOf } from './armor.ts';

export type Coded = { readonly name: string; readonly bytes: Uint8Array };

/** A line of uuencode holds 45 bytes; a longer one is something else. */
const UU_LINE_CHARACTERS_MAX = 90;
const UU_BEGIN = /^begin [0-7]{3,4} ([^\r\n]{1,255})\r?\n/gm;

/** Lines of uuencode, `begin 644 letter.age` to `end`. */
export function uuencodedIn(text: string, filesMax: number): Coded[] {
  const files: Coded[] = [];
  const begin = new RegExp(UU_BEGIN);
  for (let match = begin.exec(text); match !== null && files.length < filesMax; match = begin.exec(text)) {
    const bytes: number[] = [];
    let at = begin.lastIndex;
    for (;;) {
      const end = text.indexOf('\n', at);
      const row = text.slice(at, end === -1 ? text.length : end).replace(/\r$/, '');
      if (/^(?:end|begin .*)$/.test(row) || row.length > UU_LINE_CHARACTERS_MAX) break;
      bytes.push(...uuLine(row));
      at = end + 1;
      if (end === -1) break;
    }
    files.push({ name: match[1] ?? '', bytes: Uint8Array.from(bytes) });
    if (at === 0) break;
    begin.lastIndex = at;
  }
  return files;
}

function uuLine(row: string): number[] {
  const six = (index: number): number => ((index < row.length ? row.charCodeAt(index) : 32) - 32) & 63;
  return Array.from({ length: row === '' ? 0 : six(0) }, (_, byte) => {
    const [at, shift] = [1 + Math.floor(byte / 3) * 4 + (byte % 3), 2 * (byte % 3)];
    return ((six(at) << (2 + shift)) | (six(at + 1) >> (4 - shift))) & 0xff;
  });
}

/** Fewer than the stanzas of a letter take. */
const RUN_CHARACTERS_MIN = 2048;

/** Long runs of lines that are nothing but base64: some programs lose the header that says so. */
export function base64RunsIn(text: string, runsMax: number): Coded[] {
  const runs: Coded[] = [];
  let run: string[] = [];
  let length = 0;
  const close = (): void => {
    if (length >= RUN_CHARACTERS_MIN && runs.length < runsMax) runs.push({ name: '', bytes: bytesOf(run.join('')) });
    [run, length] = [[], 0];
  };
  for (const line of text.split('\n')) {
    const trimmed = line.replace(/^[>|\s]+/, '').trimEnd();
    const isRun = /^[A-Za-z0-9+/]+={0,2}$/.test(trimmed);
    if (isRun) {
      run.push(trimmed.replace(/=+$/, ''));
      length += trimmed.length;
    }
    if (trimmed !== '' && (!isRun || trimmed.endsWith('='))) close();
  }
  close();
  return runs;
}
