// The parcel: what crosses the network, always 24,576 bytes. docs/protocol.md, § Parcel.
import { decrypt, encrypt, fileLength } from './age/age.ts';
import { hasHybridStanzas } from './age/hybrid.ts';
import { blake2b, concat, fromHex, readUint32, toHex, uint32 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { LETTER_BYTES, checkLetter } from './letter.ts';

export const PARCEL_VERSION = 1;
export const VERSION_BYTES = 4;
export const SERIAL_BYTES = 4;
export const NONCE_BYTES = 8;
export const PARCEL_HEADER_BYTES = VERSION_BYTES + SERIAL_BYTES + NONCE_BYTES;
export const NONCE_OFFSET = VERSION_BYTES + SERIAL_BYTES;

export const KIND_BYTES = 1;
export const ROUTE_BYTES = 8;
export const CONTENT_BYTES = 22_892;
export const PARCEL_PLAINTEXT_BYTES = KIND_BYTES + ROUTE_BYTES + CONTENT_BYTES;

export const SEALED_BYTES = fileLength(1, PARCEL_PLAINTEXT_BYTES);
export const PARCEL_BYTES = PARCEL_HEADER_BYTES + SEALED_BYTES;
export const PARCEL_ID_BYTES = 32;

const KINDS = { decoy: 0, letter: 1 } as const;

export type ParcelContent =
  | { readonly kind: 'decoy' }
  /** `team`: 16 hex digits. */
  | { readonly kind: 'letter'; readonly team: string; readonly letter: Uint8Array };

/** A parcel as the relay sees it. `nonce`: 8 bytes; `sealed`: 24,560 bytes; `id`: 32 bytes. */
export type Parcel = { readonly serial: number; readonly nonce: Uint8Array; readonly sealed: Uint8Array; readonly id: Uint8Array };

/** BLAKE2b-256 of the sealed part alone: stamping anew or sending twice is the same parcel. */
export function parcelId(sealed: Uint8Array): Uint8Array {
  return blake2b(PARCEL_ID_BYTES, sealed);
}

function encodeContent(content: ParcelContent): Uint8Array {
  const plaintext = new Uint8Array(PARCEL_PLAINTEXT_BYTES);
  plaintext[0] = KINDS[content.kind];
  if (content.kind === 'letter') {
    checkLetter(content.letter);
    const route = fromHex(content.team);
    if (route.length !== ROUTE_BYTES) throw new CodedError('PARCEL_FORMAT', `a team of ${String(route.length)} bytes, expected ${String(ROUTE_BYTES)}`);
    plaintext.set(route, KIND_BYTES);
    plaintext.set(content.letter, KIND_BYTES + ROUTE_BYTES);
  }
  return plaintext;
}

/**
 * Seals a parcel to the worker of a keyring; its stamp is still all zeros.
 * Errors: LETTER_STRUCTURE, PARCEL_FORMAT, RECIPIENT_FORMAT.
 */
export function sealParcel(content: ParcelContent, to: { readonly serial: number; readonly worker: string }): Uint8Array {
  const sealed = encrypt(encodeContent(content), [to.worker]);
  return concat(uint32(PARCEL_VERSION), uint32(to.serial), new Uint8Array(NONCE_BYTES), sealed);
}

/** Takes a parcel apart, as far as can be seen without a key. Errors: PARCEL_SIZE, PARCEL_VERSION, PARCEL_SEALED. */
export function parseParcel(bytes: Uint8Array): Parcel {
  if (bytes.length !== PARCEL_BYTES) throw new CodedError('PARCEL_SIZE', `${String(bytes.length)} bytes, a parcel has ${String(PARCEL_BYTES)}`);
  const version = readUint32(bytes, 0);
  if (version !== PARCEL_VERSION) throw new CodedError('PARCEL_VERSION', `version ${String(version)}, expected ${String(PARCEL_VERSION)}`);
  const sealed = bytes.subarray(PARCEL_HEADER_BYTES);
  if (!hasHybridStanzas(sealed, 1)) throw new CodedError('PARCEL_SEALED', 'the sealed part is not an age file to one hybrid recipient');
  return {
    serial: readUint32(bytes, VERSION_BYTES),
    nonce: bytes.subarray(NONCE_OFFSET, PARCEL_HEADER_BYTES),
    sealed,
    id: parcelId(sealed),
  };
}

/**
 * Opens a sealed part with the worker's identities.
 * Errors: AGE_*, IDENTITY_FORMAT, PARCEL_FORMAT (length, kind or padding), LETTER_STRUCTURE.
 */
export function openSealed(sealed: Uint8Array, identities: readonly string[]): ParcelContent {
  const plaintext = decrypt(sealed, identities);
  if (plaintext.length !== PARCEL_PLAINTEXT_BYTES) {
    throw new CodedError('PARCEL_FORMAT', `${String(plaintext.length)} bytes inside, expected ${String(PARCEL_PLAINTEXT_BYTES)}`);
  }
  const kind = plaintext[0];
  const used = kind === KINDS.letter ? KIND_BYTES + ROUTE_BYTES + LETTER_BYTES : KIND_BYTES;
  if (kind !== KINDS.decoy && kind !== KINDS.letter) throw new CodedError('PARCEL_FORMAT', `kind ${String(kind)} is not known`);
  if (plaintext.subarray(used).some((byte) => byte !== 0)) throw new CodedError('PARCEL_FORMAT', 'the padding is not zero');
  if (kind === KINDS.decoy) return { kind: 'decoy' };
  const letter = plaintext.slice(KIND_BYTES + ROUTE_BYTES, used);
  checkLetter(letter);
  return { kind: 'letter', team: toHex(plaintext.subarray(KIND_BYTES, KIND_BYTES + ROUTE_BYTES)), letter };
}
