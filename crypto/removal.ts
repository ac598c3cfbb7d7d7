// A removal: the list of replies to delete, signed by the thread. docs/protocol.md, § Parcel.
import { fromHex, readUint32, toHex, uint32 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { MAX_REPLIES } from './mailbox-limits.ts';
import { checkPadding, type ByteFields, type REST } from './byte-layout.ts';
import { SIGNATURE_BYTES, SIGNING_KEY_BYTES, signatureHolds, signParts } from './sign.ts';
import { MAILBOX_LOCK_BYTES, mailboxId, mailboxLock, type Thread } from './thread.ts';

/** The first bytes of a reply id: few enough that all replies of the fullest mailbox fit into one parcel. */
export const SHORT_REPLY_ID_BYTES = 16;
const COUNT_BYTES = 4;
/** The fields before the ids: the thread's key, the lock, the signature, the number of ids. */
export const REMOVAL_HEAD = { key: SIGNING_KEY_BYTES, lock: MAILBOX_LOCK_BYTES, signature: SIGNATURE_BYTES, count: COUNT_BYTES } as const;
/** The head, then the ids. */
type RemovalFields = ByteFields<typeof REMOVAL_HEAD & { ids: typeof REST }>;

/** What a requester removes. `mailbox`: 32 bytes; `replies`: short reply ids of 16 bytes, ascending, each once. */
export type Removal = { readonly mailbox: Uint8Array; readonly replies: readonly Uint8Array[] };

/** The first 16 bytes of a reply id (32), or of a short one. */
export function shortReplyId(id: Uint8Array): Uint8Array {
  return id.subarray(0, SHORT_REPLY_ID_BYTES);
}

/**
 * The fields of a removal of 1 to 864 of a thread's replies, given by their reply ids (32 bytes, or the first 16) in any order.
 * Throws PARCEL_FORMAT when there are fewer or more.
 */
export function signRemoval(replies: readonly Uint8Array[], { signing, mailboxKey }: Thread): RemovalFields {
  const ids = [...new Set(replies.map((id) => toHex(shortReplyId(id))))].sort();
  checkCount(ids.length);
  const [lock, list] = [mailboxLock(mailboxKey), fromHex(ids.join(''))];
  return { key: signing.key, lock, signature: signParts('delete', [lock, list], signing), count: uint32(ids.length), ids: list };
}

/**
 * Parses what `signRemoval` made: the fields of the head (32, 32, 64 and 4 bytes), and the ids with the padding after them.
 * Throws PARCEL_FORMAT when the number or order of the ids or the padding is wrong, PARCEL_SIGNATURE when it is not signed by the
 * thread of the mailbox.
 */
export function readRemoval({ key, lock, signature, count, ids: padded }: RemovalFields): Removal {
  const length = readUint32(count, 0);
  checkCount(length);
  const list = padded.subarray(0, length * SHORT_REPLY_ID_BYTES);
  checkPadding(padded.subarray(list.length), 'PARCEL_FORMAT');
  const replies = Array.from({ length }, (_, i) => list.slice(i * SHORT_REPLY_ID_BYTES, (i + 1) * SHORT_REPLY_ID_BYTES));
  const ids = replies.map(toHex);
  if (ids.some((id, i) => i > 0 && id <= (ids[i - 1] ?? ''))) throw new CodedError('PARCEL_FORMAT', 'the ids are not strictly ascending');
  if (!signatureHolds('delete', [lock, list], signature, key)) {
    throw new CodedError('PARCEL_SIGNATURE', 'not signed by the thread of the mailbox');
  }
  return { mailbox: mailboxId(key, lock), replies };
}

function checkCount(count: number): void {
  if (count < 1 || count > MAX_REPLIES) {
    throw new CodedError('PARCEL_FORMAT', `${String(count)} replies to remove, expected 1 to ${String(MAX_REPLIES)}`);
  }
}
