// The payload of an age v1 file: c2sp.org/age, § Payload (a STREAM of ChaCha20-Poly1305 chunks).
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, randomBytes, utf8 } from '../bytes.ts';
import { CodedError } from '../errors.ts';
import { sodium } from '../sodium.ts';

export const PAYLOAD_NONCE_BYTES = 16;
export const TAG_BYTES = 16;
export const CHUNK_BYTES = 64 * 1024;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const CHUNK_NONCE_BYTES = 12;

/** Length of the payload of a file with a plaintext of `plaintext` bytes. */
export const payloadLength = (plaintext: number): number =>
  PAYLOAD_NONCE_BYTES + plaintext + TAG_BYTES * Math.max(1, Math.ceil(plaintext / CHUNK_BYTES));

const payloadKey = (fileKey: Uint8Array, nonce: Uint8Array): Uint8Array => hkdf(sha256, fileKey, nonce, utf8('payload'), 32);

/** 11 bytes of big-endian counter, then 1 for the last chunk, 0 for the others. */
function chunkNonce(counter: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(CHUNK_NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  view.setUint32(7, counter);
  view.setUint8(11, last ? 1 : 0);
  return nonce;
}

/** `fileKey`: 16 bytes. Returns the nonce (16 bytes) and the sealed chunks. */
export function encryptPayload(plaintext: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
  const key = payloadKey(fileKey, nonce);
  const count = Math.max(1, Math.ceil(plaintext.length / CHUNK_BYTES));
  const chunks = Array.from({ length: count }, (_, i) =>
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      plaintext.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
      null,
      null,
      chunkNonce(i, i === count - 1),
      key,
    ),
  );
  return concat(nonce, ...chunks);
}

/**
 * The inverse of `encryptPayload`. `payload`: everything after the header; `fileKey`: 16 bytes.
 * Throws AGE_HEADER when the nonce is cut short (the test kit counts that as a header failure), AGE_PAYLOAD when a chunk is cut
 * short or does not authenticate, or a chunk after the first is empty.
 */
export function decryptPayload(payload: Uint8Array, fileKey: Uint8Array): Uint8Array {
  if (payload.length < PAYLOAD_NONCE_BYTES) throw new CodedError('AGE_HEADER', 'the payload nonce is cut short');
  const key = payloadKey(fileKey, payload.subarray(0, PAYLOAD_NONCE_BYTES));
  const sealed = payload.subarray(PAYLOAD_NONCE_BYTES);
  const count = Math.max(1, Math.ceil(sealed.length / SEALED_CHUNK_BYTES));
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const chunk = sealed.subarray(i * SEALED_CHUNK_BYTES, (i + 1) * SEALED_CHUNK_BYTES);
    if (i > 0 && chunk.length === TAG_BYTES) throw new CodedError('AGE_PAYLOAD', 'the last chunk is empty');
    chunks.push(openChunk(chunk, chunkNonce(i, i === count - 1), key));
  }
  return concat(...chunks);
}

function openChunk(chunk: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  if (chunk.length < TAG_BYTES) throw new CodedError('AGE_PAYLOAD', 'a chunk is cut short');
  try {
    return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, chunk, null, nonce, key);
  } catch {
    throw new CodedError('AGE_PAYLOAD', 'chunk authentication failed');
  }
}
