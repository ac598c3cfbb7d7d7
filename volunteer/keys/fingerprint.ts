import { blake2b, toHex, utf8 } from '../../crypto/bytes.ts';

/** 80 bits: short enough to read out over the telephone, too many for anyone to find a second key with the same ones. */
const FINGERPRINT_BYTES = 16;
const SHOWN_HEX = 20;

/** The fingerprint of a public key as text, a recipient or a signer: five groups of four hex digits, for two people to compare. */
export function fingerprint(key: string): string {
  const hex = toHex(blake2b(FINGERPRINT_BYTES, utf8(key))).slice(0, SHOWN_HEX);
  return hex.match(/.{4}/g)?.join(' ') ?? hex;
}
