// Identities and recipients of the hybrid type: c2sp.org/age, § The MLKEM768-X25519 recipient type.
import { bech32 } from '@scure/base';
import { randomBytes } from '../bytes.ts';
import { CodedError, type ErrorCode } from '../errors.ts';
import { sodium } from '../sodium.ts';

export const IDENTITY_BYTES = 32;
/** ML-KEM-768 encapsulation key (1,184 bytes) and X25519 public key (32 bytes). */
export const PUBLIC_KEY_BYTES = 1184 + 32;

const IDENTITY_PREFIX = 'age-secret-key-pq-';
const RECIPIENT_PREFIX = 'age1pq';
const BECH32_CHECKSUM_CHARACTERS = 6;
/** Length of `age1pq1…`, at five bits per character. */
export const RECIPIENT_CHARACTERS = RECIPIENT_PREFIX.length + 1 + Math.ceil((PUBLIC_KEY_BYTES * 8) / 5) + BECH32_CHECKSUM_CHARACTERS;

function decodeBech32(text: string, prefix: string, length: number, code: ErrorCode, what: string): Uint8Array {
  let decoded: { prefix: string; words: number[] };
  let bytes: Uint8Array;
  try {
    decoded = bech32.decode(text as `${string}1${string}`, false);
    bytes = bech32.fromWords(decoded.words);
  } catch {
    throw new CodedError(code, `not ${what}: its checksum or characters are wrong`);
  }
  if (decoded.prefix !== prefix) throw new CodedError(code, `not ${what}: unexpected prefix`);
  if (bytes.length !== length) throw new CodedError(code, `not ${what}: ${String(bytes.length)} bytes, expected ${String(length)}`);
  return bytes;
}

/** The identity string `AGE-SECRET-KEY-PQ-1…` of 32 bytes. Throws IDENTITY_FORMAT for another length. */
export function identityOf(seed: Uint8Array): string {
  if (seed.length !== IDENTITY_BYTES) {
    throw new CodedError('IDENTITY_FORMAT', `${String(seed.length)} bytes, expected ${String(IDENTITY_BYTES)}`);
  }
  return bech32.encode(IDENTITY_PREFIX, bech32.toWords(seed), false).toUpperCase();
}

/** A fresh identity string (32 random bytes). */
export function generateIdentity(): string {
  return identityOf(randomBytes(IDENTITY_BYTES));
}

/** The 32 bytes of an identity string. Throws IDENTITY_FORMAT when it is malformed. */
export function decodeIdentity(identity: string): Uint8Array {
  if (identity !== identity.toUpperCase()) throw new CodedError('IDENTITY_FORMAT', 'not a hybrid age identity: it is not in upper case');
  return decodeBech32(identity, IDENTITY_PREFIX, IDENTITY_BYTES, 'IDENTITY_FORMAT', 'a hybrid age identity (AGE-SECRET-KEY-PQ-1…)');
}

/** The 1,216 bytes of a recipient string `age1pq1…`. Throws RECIPIENT_FORMAT when it is malformed. */
export function decodeRecipient(recipient: string): Uint8Array {
  if (recipient !== recipient.toLowerCase()) {
    throw new CodedError('RECIPIENT_FORMAT', 'not a hybrid age recipient: it is not in lower case');
  }
  return decodeBech32(recipient, RECIPIENT_PREFIX, PUBLIC_KEY_BYTES, 'RECIPIENT_FORMAT', 'a hybrid age recipient (age1pq1…)');
}

/** True when the text has the form of a recipient. X-Wing may still refuse its key when something is sealed to it. */
export function isRecipient(text: string): boolean {
  try {
    return decodeRecipient(text).length > 0;
  } catch {
    return false;
  }
}

/** The recipient of an identity, `age1pq1…`, 1,959 characters. Throws IDENTITY_FORMAT when the identity is malformed. */
export function identityToRecipient(identity: string): string {
  const { publicKey } = sodium.crypto_kem_xwing_seed_keypair(decodeIdentity(identity));
  return bech32.encode(RECIPIENT_PREFIX, bech32.toWords(publicKey), false);
}

/**
 * The identities of an age identity file, one per line. Skips empty lines and `#` comments. Throws IDENTITY_FORMAT when any other
 * line is not an identity, or there is no identity.
 */
export function parseIdentityFile(text: string): string[] {
  const identities = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0) throw new CodedError('IDENTITY_FORMAT', 'no identity in the file');
  identities.forEach(decodeIdentity);
  return identities;
}
