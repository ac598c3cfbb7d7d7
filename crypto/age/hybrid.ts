// The mlkem768x25519 stanza: c2sp.org/age, § mlkem768x25519 recipient stanza; HPKE base mode of RFC 9180 with
// KEM 0x647a (X-Wing), KDF 0x0001 (HKDF-SHA-256) and AEAD 0x0003 (ChaCha20-Poly1305).
import { base64nopad } from '@scure/base';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, utf8 } from '../bytes.ts';
import { CodedError } from '../errors.ts';
import { sodium } from '../sodium.ts';
import { FILE_KEY_BYTES, base64Length, decodeBase64, parseHeader, type Stanza } from './header.ts';
import { TAG_BYTES } from './stream.ts';

export const HYBRID = 'mlkem768x25519';
/** ML-KEM-768 ciphertext (1,088 bytes) and X25519 share (32 bytes). */
export const ENC_BYTES = 1088 + 32;
export const HYBRID_BODY_BYTES = FILE_KEY_BYTES + TAG_BYTES;
/** `-> mlkem768x25519 `, the encapsulated key, LF, the body, LF. */
export const HYBRID_STANZA_BYTES = `-> ${HYBRID} `.length + base64Length(ENC_BYTES) + 1 + base64Length(HYBRID_BODY_BYTES) + 1;

const SUITE_ID = concat(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0x00, 0x01, 0x00, 0x03));
const INFO = utf8(`age-encryption.org/${HYBRID}`);
const EMPTY = new Uint8Array();
const MODE_BASE = Uint8Array.of(0x00);

/** RFC 9180 §4, LabeledExtract. */
function labeledExtract(salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return extract(sha256, concat(utf8('HPKE-v1'), SUITE_ID, utf8(label), ikm), salt);
}

/** RFC 9180 §4, LabeledExpand. */
function labeledExpand(key: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
  return expand(sha256, key, concat(Uint8Array.of(0, length), utf8('HPKE-v1'), SUITE_ID, utf8(label), info), length);
}

/** RFC 9180 §5.1, KeySchedule in base mode. `sharedSecret`: 32 bytes. */
function keySchedule(sharedSecret: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
  const context = concat(MODE_BASE, labeledExtract(EMPTY, 'psk_id_hash', EMPTY), labeledExtract(EMPTY, 'info_hash', INFO));
  const secret = labeledExtract(sharedSecret, 'secret', EMPTY);
  return { key: labeledExpand(secret, 'key', context, 32), nonce: labeledExpand(secret, 'base_nonce', context, 12) };
}

/** Wraps `fileKey` (16 bytes) for `publicKey` (1,216 bytes). Throws RECIPIENT_FORMAT when X-Wing refuses the key. */
export function wrapHybrid(fileKey: Uint8Array, publicKey: Uint8Array): Stanza {
  const { ciphertext, sharedSecret } = encapsulate(publicKey);
  const { key, nonce } = keySchedule(sharedSecret);
  const body = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(fileKey, null, null, nonce, key);
  return { type: HYBRID, args: [base64nopad.encode(ciphertext)], body };
}

function encapsulate(publicKey: Uint8Array): { ciphertext: Uint8Array; sharedSecret: Uint8Array } {
  try {
    return sodium.crypto_kem_xwing_enc(publicKey);
  } catch {
    throw new CodedError('RECIPIENT_FORMAT', 'the recipient is not a valid X-Wing key');
  }
}

/** The encapsulated key (1,120 bytes) of a hybrid stanza. Throws AGE_HEADER when arguments or body do not fit the type. */
export function encapsulatedKey({ args, body }: Stanza): Uint8Array {
  const [arg, ...more] = args;
  if (arg === undefined || more.length > 0) throw new CodedError('AGE_HEADER', `a ${HYBRID} stanza needs one argument`);
  const enc = decodeBase64(arg);
  if (enc.length !== ENC_BYTES) {
    throw new CodedError('AGE_HEADER', `an encapsulated key of ${String(enc.length)} bytes, expected ${String(ENC_BYTES)}`);
  }
  if (body.length !== HYBRID_BODY_BYTES) {
    throw new CodedError('AGE_HEADER', `a ${HYBRID} body of ${String(body.length)} bytes, expected ${String(HYBRID_BODY_BYTES)}`);
  }
  return enc;
}

/**
 * Unwraps the file key (16 bytes) with an identity (32 bytes). `foreign`: the stanza is for another identity; `invalid`: its
 * X25519 share is of small order, for whichever identity. Throws AGE_HEADER when the stanza is malformed.
 */
export function unwrapHybrid(stanza: Stanza, identity: Uint8Array): Uint8Array | 'foreign' | 'invalid' {
  const sharedSecret = decapsulate(encapsulatedKey(stanza), identity);
  if (sharedSecret === null) return 'invalid';
  const { key, nonce } = keySchedule(sharedSecret);
  try {
    return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, stanza.body, null, nonce, key);
  } catch {
    return 'foreign';
  }
}

function decapsulate(enc: Uint8Array, identity: Uint8Array): Uint8Array | null {
  try {
    return sodium.crypto_kem_xwing_dec(enc, identity);
  } catch {
    return null;
  }
}

/** True when the header of a file is well-formed and has exactly `count` stanzas, all of them hybrid. */
export function hasHybridStanzas(file: Uint8Array, count: number): boolean {
  try {
    const { stanzas } = parseHeader(file);
    return stanzas.length === count && stanzas.every((stanza) => stanza.type === HYBRID && encapsulatedKey(stanza).length === ENC_BYTES);
  } catch {
    return false;
  }
}
