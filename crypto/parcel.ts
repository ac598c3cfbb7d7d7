// The parcel: what crosses the network, always 24,576 bytes. docs/protocol.md, § Parcel.
import { decrypt, encrypt, fileLength } from './age/age.ts';
import { hasHybridStanzas } from './age/hybrid.ts';
import { blake2b, concat, equal, fromHex, readUint32, toHex, uint32 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { LETTER_BYTES, checkLetter } from './letter.ts';
import { joinFields, REST, splitFields, type ByteFields, type ByteLayout } from './byte-layout.ts';
import { REMOVAL_HEAD, readRemoval, signRemoval } from './removal.ts';
import { REPLY_BYTES, checkReply, type Delivery } from './reply.ts';
import { SIGNATURE_BYTES, SIGNING_KEY_BYTES } from './sign.ts';
import { MAILBOX_ID_BYTES, type Thread } from './thread.ts';
import { TEAM_ID_BYTES } from './wire.ts';

export const PARCEL_VERSION = 1;
export const VERSION_BYTES = 4;
export const SERIAL_BYTES = 4;
/** Shows whether anything was changed on the way. */
export const CHECK_BYTES = 4;
export const COUNTER_BYTES = 4;
export const NONCE_BYTES = CHECK_BYTES + COUNTER_BYTES;
export const PARCEL_HEADER_BYTES = VERSION_BYTES + SERIAL_BYTES + NONCE_BYTES;
export const NONCE_OFFSET = VERSION_BYTES + SERIAL_BYTES;
export const COUNTER_OFFSET = NONCE_OFFSET + CHECK_BYTES;

export const KIND_BYTES = 1;
/** A team's id, or zeros. */
export const ROUTE_BYTES = TEAM_ID_BYTES;
export const CONTENT_BYTES = 22_892;
export const PARCEL_PLAINTEXT_BYTES = KIND_BYTES + ROUTE_BYTES + CONTENT_BYTES;

export const SEALED_BYTES = fileLength(1, PARCEL_PLAINTEXT_BYTES);
export const PARCEL_BYTES = PARCEL_HEADER_BYTES + SEALED_BYTES;
export const PARCEL_ID_BYTES = 32;
const CHECK_HASH_BYTES = 32;

/** How the content of one kind becomes a plaintext of 22,901 bytes, and the inverse. */
type Kind<Sealable, Opened> = {
  readonly byte: number;
  readonly encode: (content: Sealable) => Uint8Array;
  readonly decode: (plaintext: Uint8Array) => Opened;
};

/** `layout`: the fields after the kind's byte. `encode` and `decode` throw the code of whatever is wrong in a field. */
function defineKind<L extends ByteLayout, Sealable extends object, Opened extends object>({
  byte,
  layout,
  encode,
  decode,
}: {
  byte: number;
  layout: L;
  encode: (content: Sealable) => ByteFields<L>;
  decode: (fields: ByteFields<L>) => Opened;
}): Kind<Sealable, Opened> {
  return {
    byte,
    encode: (content) => {
      const plaintext = new Uint8Array(PARCEL_PLAINTEXT_BYTES);
      plaintext.set(concat(Uint8Array.of(byte), joinFields(layout, encode(content), 'PARCEL_FORMAT')));
      return plaintext;
    },
    decode: (plaintext) => decode(splitFields(layout, plaintext.subarray(KIND_BYTES), 'PARCEL_FORMAT')),
  };
}

/** All there is to a kind: its byte, the fields after it, and its content before sealing and after opening. */
const KINDS = {
  decoy: defineKind({ byte: 0, layout: {}, encode: () => ({}), decode: () => ({}) }),
  letter: defineKind({
    byte: 1,
    layout: { route: ROUTE_BYTES, letter: LETTER_BYTES },
    /** `team`: 16 hex digits. */
    encode: ({ team, letter }: { readonly team: string; readonly letter: Uint8Array }) => {
      checkLetter(letter);
      return { route: fromHex(team), letter };
    },
    decode: ({ route, letter }) => {
      checkLetter(letter);
      return { team: toHex(route), letter };
    },
  }),
  reply: defineKind({
    byte: 2,
    layout: { mailbox: MAILBOX_ID_BYTES, signer: SIGNING_KEY_BYTES, signature: SIGNATURE_BYTES, reply: REPLY_BYTES },
    encode: ({ delivery }: { readonly delivery: Delivery }) => {
      checkReply(delivery.reply);
      return delivery;
    },
    /** The signer is checked later, by `checkDelivery`. */
    decode: (delivery) => {
      checkReply(delivery.reply);
      return { delivery };
    },
  }),
  delete: defineKind({
    byte: 3,
    layout: { ...REMOVAL_HEAD, ids: REST },
    /** `replies`: their ids, 32 bytes each. */
    encode: ({ thread, replies }: { readonly thread: Thread; readonly replies: readonly Uint8Array[] }) => signRemoval(replies, thread),
    /** Verifies that the mailbox's thread signed it. */
    decode: (fields) => ({ removal: readRemoval(fields) }),
  }),
};

type Kinds = typeof KINDS;
export type ParcelKind = keyof Kinds;
export const PARCEL_KINDS = /* @__PURE__ */ Object.keys(KINDS) as ParcelKind[];
type OpenedOf<K extends ParcelKind> = Readonly<ReturnType<Kinds[K]['decode']>>;
/** The content of an opened parcel of this kind. */
export type ContentOf<K extends ParcelKind> = { [Each in K]: { readonly kind: Each } & OpenedOf<Each> }[K];
/** The same before sealing; a removal is not signed yet. */
export type SealableOf<K extends ParcelKind> = { [Each in K]: { readonly kind: Each } & Parameters<Kinds[Each]['encode']>[0] }[K];
export type ParcelContent = ContentOf<ParcelKind>;
export type SealableContent = SealableOf<ParcelKind>;

/** The same table, typed so that the compiler sees that kind and content match. */
const CODECS: { readonly [K in ParcelKind]: Kind<SealableOf<K>, OpenedOf<K>> } = KINDS;

/** A parcel as the relay sees it. `nonce`: 8 bytes; `sealed`: 24,560 bytes; `id`: 32 bytes. */
export type Parcel = { readonly serial: number; readonly nonce: Uint8Array; readonly sealed: Uint8Array; readonly id: Uint8Array };

/** 32 bytes: BLAKE2b-256 of the sealed part (24,560 bytes) alone. Stamping or sending a parcel again does not change it. */
export function parcelId(sealed: Uint8Array): Uint8Array {
  return blake2b(PARCEL_ID_BYTES, sealed);
}

/**
 * The check, 4 bytes, for a parcel id (32): a parcel that was changed on its way must not be stamped again. The stamp hashes 8
 * bytes more, so the two never hash the same input.
 */
function checkOf(id: Uint8Array, serial: number): Uint8Array {
  return blake2b(CHECK_HASH_BYTES, concat(id, uint32(serial))).subarray(0, CHECK_BYTES);
}

function encodeContent<K extends ParcelKind>(content: SealableOf<K>): Uint8Array {
  return CODECS[content.kind].encode(content);
}

function decodeContent<K extends ParcelKind>(kind: K, plaintext: Uint8Array): ContentOf<K> {
  return { kind, ...CODECS[kind].decode(plaintext) };
}

/**
 * Seals a parcel to a keyring's worker, with its check; the counter of its stamp is still zero.
 * Throws LETTER_STRUCTURE or REPLY_STRUCTURE when the letter or reply in it is malformed, PARCEL_FORMAT when a field has the
 * wrong length or a removal has no replies or too many, RECIPIENT_FORMAT when the worker's recipient is malformed or X-Wing
 * refuses its key.
 */
export function sealParcel(content: SealableContent, to: { readonly serial: number; readonly worker: string }): Uint8Array {
  return frameParcel(encrypt(encodeContent(content), [to.worker]), to.serial);
}

/** Puts the header, with a check that fits, in front of a sealed part (24,560 bytes). */
export function frameParcel(sealed: Uint8Array, serial: number): Uint8Array {
  return concat(uint32(PARCEL_VERSION), uint32(serial), checkOf(parcelId(sealed), serial), new Uint8Array(COUNTER_BYTES), sealed);
}

/**
 * Parses a parcel, as far as possible without a key. Throws PARCEL_SIZE unless it has 24,576 bytes, PARCEL_VERSION unless its
 * version is 1, PARCEL_SEALED when the sealed part is not an age file to one recipient, PARCEL_CHECK when serial or sealed part
 * were changed since it was sealed.
 */
export function parseParcel(bytes: Uint8Array): Parcel {
  if (bytes.length !== PARCEL_BYTES) {
    throw new CodedError('PARCEL_SIZE', `${String(bytes.length)} bytes, expected ${String(PARCEL_BYTES)}`);
  }
  const version = readUint32(bytes, 0);
  if (version !== PARCEL_VERSION) throw new CodedError('PARCEL_VERSION', `version ${String(version)}, expected ${String(PARCEL_VERSION)}`);
  const sealed = bytes.subarray(PARCEL_HEADER_BYTES);
  if (!hasHybridStanzas(sealed, 1)) throw new CodedError('PARCEL_SEALED', 'the sealed part is not an age file to one hybrid recipient');
  const [serial, nonce, id] = [readUint32(bytes, VERSION_BYTES), bytes.subarray(NONCE_OFFSET, PARCEL_HEADER_BYTES), parcelId(sealed)];
  if (!equal(nonce.subarray(0, CHECK_BYTES), checkOf(id, serial))) throw new CodedError('PARCEL_CHECK', 'it was changed on its way');
  return { serial, nonce, sealed, id };
}

/**
 * Opens a sealed part (24,560 bytes) with the worker's identities. Throws AGE_* and IDENTITY_FORMAT as `decrypt` does,
 * PARCEL_FORMAT when length, kind or padding are wrong, LETTER_STRUCTURE or REPLY_STRUCTURE when the letter or reply in it is
 * malformed, PARCEL_SIGNATURE when a removal is not signed by the thread of its mailbox.
 */
export function openSealed(sealed: Uint8Array, identities: readonly string[]): ParcelContent {
  const plaintext = decrypt(sealed, identities);
  if (plaintext.length !== PARCEL_PLAINTEXT_BYTES) {
    throw new CodedError('PARCEL_FORMAT', `${String(plaintext.length)} bytes of plaintext, expected ${String(PARCEL_PLAINTEXT_BYTES)}`);
  }
  const byte = plaintext[0];
  const kind = (Object.keys(KINDS) as ParcelKind[]).find((each) => KINDS[each].byte === byte);
  if (kind === undefined) throw new CodedError('PARCEL_FORMAT', `unknown kind ${String(byte)}`);
  return decodeContent(kind, plaintext);
}
