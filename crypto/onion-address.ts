import { sha3_256 } from '@noble/hashes/sha3.js';
import { base32 } from '@scure/base';
import { concat, utf8 } from './bytes.ts';

const VERSION = 3;
const CHECKSUM_BYTES = 2;

/** The address of an onion service by its public key of 32 bytes (rend-spec-v3, [ONIONADDRESS]). */
export function onionAddressOf(publicKey: Uint8Array): string {
  const version = Uint8Array.of(VERSION);
  const checksum = sha3_256(concat(utf8('.onion checksum'), publicKey, version)).subarray(0, CHECKSUM_BYTES);
  return `${base32.encode(concat(publicKey, checksum, version)).toLowerCase()}.onion`;
}
