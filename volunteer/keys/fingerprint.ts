import { blake2b, toHex, utf8 } from '../../crypto/bytes.ts';

/** 80 bits: short enough to read out over the telephone, too many for anyone to find a second key with the same ones. */
const FINGERPRINT_BYTES = 16;
const SHOWN_HEX = 20;

/** A recipient's fingerprint, five groups of four: what two people compare instead of 1,959 characters. */
export function fingerprint(recipient: string): string {
  const hex = toHex(blake2b(FINGERPRINT_BYTES, utf8(recipient))).slice(0, SHOWN_HEX);
  return hex.match(/.{4}/g)?.join(' ') ?? hex;
}
