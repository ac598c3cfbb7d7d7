import { blake2b, toHex, utf8 } from '../crypto/bytes.ts';

const KEY_ID_BYTES = 16;

/**
 * What a worker's key is called in Redis and between the programs: BLAKE2b-128 of its recipient (`age1pq1…`), 32 hex digits. Parcels are
 * remembered, and keys shredded, by the key and not by the serial: several keyrings of one week name the same key.
 */
export function keyId(recipient: string): string {
  return toHex(blake2b(KEY_ID_BYTES, utf8(recipient)));
}
