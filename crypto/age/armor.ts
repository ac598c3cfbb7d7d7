// ASCII armor: c2sp.org/age, § ASCII armor (strict PEM of RFC 7468 §3, 64 columns, canonical padded base64).
import { base64 } from '@scure/base';
import { CodedError } from '../errors.ts';

const BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----';
const END = '-----END AGE ENCRYPTED FILE-----';
const COLUMNS = 64;

const malformed = (what: string): CodedError => new CodedError('AGE_ARMOR', `not an armored age file: ${what}`);

/** The file as text, in lines of 64 columns that end in LF. */
export function armor(file: Uint8Array): string {
  const lines = base64.encode(file).match(new RegExp(`.{1,${String(COLUMNS)}}`, 'g')) ?? [];
  return `${[BEGIN, ...lines, END].join('\n')}\n`;
}

/** True when the text begins like an armored file. It may still be malformed. */
export function isArmored(text: string): boolean {
  return text.trimStart().startsWith(BEGIN);
}

/** The inverse of `armor`. Accepts CRLF, white space around the whole, and an empty body. Throws AGE_ARMOR for anything else. */
export function dearmor(text: string): Uint8Array {
  const lines = text.trim().replaceAll('\r\n', '\n').split('\n');
  const body = lines.slice(1, -1);
  if (lines[0] !== BEGIN || lines.at(-1) !== END) throw malformed('unexpected first or last line');
  body.forEach((line, i) => {
    const last = i === body.length - 1;
    if (last ? line.length === 0 || line.length > COLUMNS : line.length !== COLUMNS) throw malformed('a line of the wrong length');
  });
  try {
    return base64.decode(body.join(''));
  } catch {
    throw malformed('its base64 is not canonical');
  }
}
