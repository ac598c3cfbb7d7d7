// Bytes structured like a letter that nobody can open, for tests of what happens before opening.
import { randomBytes } from 'node:crypto';
import { base64nopad } from '@scure/base';
import { utf8 } from '../../crypto/bytes.ts';
import { LETTER_BYTES, LETTER_RECIPIENTS } from '../../crypto/letter.ts';

const ENC_BYTES = 1120;
const BODY_BYTES = 32;
const MAC_BYTES = 32;

const base64 = (bytes: number): string => base64nopad.encode(new Uint8Array(randomBytes(bytes)));

export function unopenableLetter(): Uint8Array {
  const stanzas = Array.from({ length: LETTER_RECIPIENTS }, () => `-> mlkem768x25519 ${base64(ENC_BYTES)}\n${base64(BODY_BYTES)}\n`);
  const header = utf8(`age-encryption.org/v1\n${stanzas.join('')}--- ${base64(MAC_BYTES)}\n`);
  const letter = new Uint8Array(randomBytes(LETTER_BYTES));
  letter.set(header);
  return letter;
}
