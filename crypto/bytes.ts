import { sodium } from './sodium.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Concatenates the parts. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** True when both hold the same bytes. Takes constant time for equal lengths; lengths are not secret. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && sodium.memcmp(a, b);
}

/** Encodes text as UTF-8; a lone surrogate becomes U+FFFD. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes UTF-8, keeping a byte order mark. Throws a TypeError for anything else, which callers turn into their own code. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The text as UTF-8 can carry it: lone surrogates become U+FFFD, as in every encoder. */
export function wellFormed(text: string): string {
  return decoder.decode(encoder.encode(text));
}

/** Two lower-case hex digits per byte. */
export function toHex(bytes: Uint8Array): string {
  return sodium.to_hex(bytes);
}

/** The inverse of `toHex`. Throws libsodium's Error when the text is not hex; callers check it first (crypto/schema.ts). */
export function fromHex(text: string): Uint8Array {
  return sodium.from_hex(text);
}

const SEED_BYTES = 32;

/**
 * `length` random bytes from libsodium. More than 32 are stretched from a fresh 32-byte seed by its ChaCha20 generator: drawn
 * directly, they cost one call into JavaScript per four bytes (83 ms for an answer, 0.4 ms stretched).
 */
export function randomBytes(length: number): Uint8Array {
  if (length <= SEED_BYTES) return sodium.randombytes_buf(length);
  return sodium.randombytes_buf_deterministic(length, sodium.randombytes_buf(SEED_BYTES));
}

/** BLAKE2b (RFC 7693) with a digest of `length` bytes (16 to 64) and, if given, a key of 16 to 64 bytes. */
export function blake2b(length: number, message: Uint8Array, key: Uint8Array | null = null): Uint8Array {
  return sodium.crypto_generichash(length, message, key);
}

/** An unsigned 32-bit integer, big endian, 4 bytes. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The inverse of `uint32`: reads the 4 bytes at `offset`. Throws a RangeError when there are fewer. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
}

/** The number of leading zero bits; all bits when every byte is zero. */
export function leadingZeroBits(bytes: Uint8Array): number {
  let bits = 0;
  for (const byte of bytes) {
    if (byte !== 0) return bits + Math.clz32(byte) - 24;
    bits += 8;
  }
  return bits;
}

/** A copy in uniformly random order (Fisher–Yates with libsodium's generator). */
export function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const j = sodium.randombytes_uniform(i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}
