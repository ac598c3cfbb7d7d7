// The parcel: what crosses the network, always 24,576 bytes. docs/protocol.md, § Parcel.
import { decrypt, encrypt, fileLength } from './age/age.ts';
import { hasHybridStanzas } from './age/hybrid.ts';
import { blake2b, concat, equal, fromHex, readUint32, toHex, uint32 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { LETTER_BYTES, checkLetter } from './letter.ts';
import { REMOVAL_HEAD, readRemoval, signRemoval, type Removal } from './removal.ts';
import { REPLY_BYTES, checkReply, type Delivery } from './reply.ts';
import { SIGNATURE_BYTES, SIGNING_KEY_BYTES } from './sign.ts';
import { MAILBOX_ID_BYTES, type Thread } from './thread.ts';

export const PARCEL_VERSION = 1;
export const VERSION_BYTES = 4;
export const SERIAL_BYTES = 4;
/** Shows that nothing was changed on the way. */
export const CHECK_BYTES = 4;
export const COUNTER_BYTES = 4;
export const NONCE_BYTES = CHECK_BYTES + COUNTER_BYTES;
export const PARCEL_HEADER_BYTES = VERSION_BYTES + SERIAL_BYTES + NONCE_BYTES;
export const NONCE_OFFSET = VERSION_BYTES + SERIAL_BYTES;
export const COUNTER_OFFSET = NONCE_OFFSET + CHECK_BYTES;

export const KIND_BYTES = 1;
export const ROUTE_BYTES = 8;
export const CONTENT_BYTES = 22_892;
export const PARCEL_PLAINTEXT_BYTES = KIND_BYTES + ROUTE_BYTES + CONTENT_BYTES;

export const SEALED_BYTES = fileLength(1, PARCEL_PLAINTEXT_BYTES);
export const PARCEL_BYTES = PARCEL_HEADER_BYTES + SEALED_BYTES;
export const PARCEL_ID_BYTES = 32;
const CHECK_HASH_BYTES = 32;

const KINDS = { decoy: 0, letter: 1, reply: 2, delete: 3 } as const;

/** The lengths of what stands after each kind; behind the head of a removal come as many ids as it says. */
const LAYOUTS: Readonly<Record<keyof typeof KINDS, readonly number[]>> = {
  decoy: [],
  letter: [ROUTE_BYTES, LETTER_BYTES],
  reply: [MAILBOX_ID_BYTES, SIGNING_KEY_BYTES, SIGNATURE_BYTES, REPLY_BYTES],
  delete: REMOVAL_HEAD,
};

export type ParcelContent =
  | { readonly kind: 'decoy' }
  /** `team`: 16 hex digits. */
  | { readonly kind: 'letter'; readonly team: string; readonly letter: Uint8Array }
  /** Who signed it is not checked here: checkDelivery. */
  | { readonly kind: 'reply'; readonly delivery: Delivery }
  /** Signed by the thread that the mailbox belongs to. */
  | { readonly kind: 'delete'; readonly removal: Removal };

/** As `ParcelContent`, before it is sealed: a removal of `replies` (their ids, 32 bytes each) still has to be signed. */
export type SealableContent =
  | Exclude<ParcelContent, { kind: 'delete' }>
  | { readonly kind: 'delete'; readonly thread: Thread; readonly replies: readonly Uint8Array[] };

/** A parcel as the relay sees it. `nonce`: 8 bytes; `sealed`: 24,560 bytes; `id`: 32 bytes. */
export type Parcel = { readonly serial: number; readonly nonce: Uint8Array; readonly sealed: Uint8Array; readonly id: Uint8Array };

/** BLAKE2b-256 of the sealed part alone: stamping anew or sending twice is the same parcel. */
export function parcelId(sealed: Uint8Array): Uint8Array {
  return blake2b(PARCEL_ID_BYTES, sealed);
}

/**
 * The first half of the nonce, 4 bytes, of a parcel id (32): what was changed on its way must not be stamped anew. The stamp
 * hashes 8 bytes more.
 */
function checkOf(id: Uint8Array, serial: number): Uint8Array {
  return blake2b(CHECK_HASH_BYTES, concat(id, uint32(serial))).subarray(0, CHECK_BYTES);
}

/** What stands after the kind: parts one after the other, then zeros. */
function partsOf(content: SealableContent): readonly Uint8Array[] {
  switch (content.kind) {
    case 'decoy':
      return [];
    case 'letter':
      checkLetter(content.letter);
      return [fromHex(content.team), content.letter];
    case 'reply': {
      const { mailbox, signer, signature, reply } = content.delivery;
      checkReply(reply);
      return [mailbox, signer, signature, reply];
    }
    case 'delete':
      return signRemoval(content.replies, content.thread);
  }
}

function encodeContent(content: SealableContent): Uint8Array {
  const parts = partsOf(content);
  const layout = LAYOUTS[content.kind];
  const [lengths, expected] = [parts.slice(0, layout.length).map(({ length }) => length), layout].map(String);
  if (lengths !== expected) throw new CodedError('PARCEL_FORMAT', `parts of ${String(lengths)} bytes, expected ${String(expected)}`);
  const plaintext = new Uint8Array(PARCEL_PLAINTEXT_BYTES);
  plaintext.set(concat(Uint8Array.of(KINDS[content.kind]), ...parts));
  return plaintext;
}

/**
 * Seals a parcel to the worker of a keyring, with its check; the counter of its stamp is still zero.
 * Errors: LETTER_STRUCTURE, REPLY_STRUCTURE, PARCEL_FORMAT, RECIPIENT_FORMAT.
 */
export function sealParcel(content: SealableContent, to: { readonly serial: number; readonly worker: string }): Uint8Array {
  return frameParcel(encrypt(encodeContent(content), [to.worker]), to.serial);
}

/** What stands before a sealed part (24,560 bytes), and the sealed part: a parcel whose check fits. */
export function frameParcel(sealed: Uint8Array, serial: number): Uint8Array {
  return concat(uint32(PARCEL_VERSION), uint32(serial), checkOf(parcelId(sealed), serial), new Uint8Array(COUNTER_BYTES), sealed);
}

/**
 * Takes a parcel apart, as far as can be seen without a key. Errors: PARCEL_SIZE, PARCEL_VERSION, PARCEL_SEALED, PARCEL_CHECK
 * when serial or sealed part were changed since it was sealed.
 */
export function parseParcel(bytes: Uint8Array): Parcel {
  if (bytes.length !== PARCEL_BYTES) throw new CodedError('PARCEL_SIZE', `${String(bytes.length)} bytes, a parcel has ${String(PARCEL_BYTES)}`);
  const version = readUint32(bytes, 0);
  if (version !== PARCEL_VERSION) throw new CodedError('PARCEL_VERSION', `version ${String(version)}, expected ${String(PARCEL_VERSION)}`);
  const sealed = bytes.subarray(PARCEL_HEADER_BYTES);
  if (!hasHybridStanzas(sealed, 1)) throw new CodedError('PARCEL_SEALED', 'the sealed part is not an age file to one hybrid recipient');
  const [serial, nonce, id] = [readUint32(bytes, VERSION_BYTES), bytes.subarray(NONCE_OFFSET, PARCEL_HEADER_BYTES), parcelId(sealed)];
  if (!equal(nonce.subarray(0, CHECK_BYTES), checkOf(id, serial))) throw new CodedError('PARCEL_CHECK', 'it was changed on its way');
  return { serial, nonce, sealed, id };
}

function taken(plaintext: Uint8Array, lengths: readonly number[]): { parts: Uint8Array[]; rest: Uint8Array } {
  let at = KIND_BYTES;
  const parts = lengths.map((length) => {
    at += length;
    return plaintext.slice(at - length, at);
  });
  return { parts, rest: plaintext.subarray(at) };
}

/**
 * Opens a sealed part with the worker's identities.
 * Errors: AGE_*, IDENTITY_FORMAT, PARCEL_FORMAT (length, kind or padding), PARCEL_SIGNATURE, LETTER_STRUCTURE, REPLY_STRUCTURE.
 */
export function openSealed(sealed: Uint8Array, identities: readonly string[]): ParcelContent {
  const plaintext = decrypt(sealed, identities);
  if (plaintext.length !== PARCEL_PLAINTEXT_BYTES) {
    throw new CodedError('PARCEL_FORMAT', `${String(plaintext.length)} bytes inside, expected ${String(PARCEL_PLAINTEXT_BYTES)}`);
  }
  const number = plaintext[0];
  const kind = (Object.keys(KINDS) as (keyof typeof KINDS)[]).find((name) => KINDS[name] === number);
  if (kind === undefined) throw new CodedError('PARCEL_FORMAT', `kind ${String(number)} is not known`);
  const { parts, rest } = taken(plaintext, LAYOUTS[kind]);
  if (kind !== 'delete' && rest.some((byte) => byte !== 0)) throw new CodedError('PARCEL_FORMAT', 'the padding is not zero');
  return contentOf(kind, parts, rest);
}

function contentOf(kind: keyof typeof KINDS, parts: readonly Uint8Array[], rest: Uint8Array): ParcelContent {
  // As many as LAYOUTS has lengths.
  const [first, second, third, fourth] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  switch (kind) {
    case 'decoy':
      return { kind };
    case 'letter':
      checkLetter(second);
      return { kind, team: toHex(first), letter: second };
    case 'reply':
      checkReply(fourth);
      return { kind, delivery: { mailbox: first, signer: second, signature: third, reply: fourth } };
    case 'delete':
      return { kind, removal: readRemoval([first, second, third, fourth], rest) };
  }
}
