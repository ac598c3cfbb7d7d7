// A parcel as text, for channels that cannot carry bytes: unpadded base64url (RFC 4648 §5). docs/protocol.md, § Parcel as text.
import { base64urlnopad } from '@scure/base';
import { CodedError } from './errors.ts';
import { PARCEL_BYTES, parseParcel } from './parcel.ts';

const BITS_PER_CHARACTER = 6;
/** 24,576 bytes are a whole number of groups of three, so there is no padding and no bit is left over. */
export const PARCEL_TEXT_CHARACTERS = (PARCEL_BYTES * 8) / BITS_PER_CHARACTER;

/** Encodes a parcel of 24,576 bytes in 32,768 characters of `A–Z a–z 0–9 - _`. Throws what `parseParcel` throws. */
export function encodeParcelText(parcel: Uint8Array): string {
  parseParcel(parcel);
  return base64urlnopad.encode(parcel);
}

/**
 * Decodes a parcel of 24,576 bytes from 32,768 characters. Throws PARCEL_TEXT for another length or another character, and what
 * `parseParcel` throws.
 */
export function decodeParcelText(text: string): Uint8Array {
  if (text.length !== PARCEL_TEXT_CHARACTERS) {
    throw new CodedError('PARCEL_TEXT', `${String(text.length)} characters, expected ${String(PARCEL_TEXT_CHARACTERS)}`);
  }
  const parcel = bytesOf(text);
  parseParcel(parcel);
  return parcel;
}

function bytesOf(text: string): Uint8Array {
  try {
    return base64urlnopad.decode(text);
  } catch {
    throw new CodedError('PARCEL_TEXT', 'a character that is not base64url');
  }
}
