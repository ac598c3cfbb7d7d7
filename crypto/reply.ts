// The reply: a volunteer's answer, which only the requester can open. docs/protocol.md, § Reply.
import * as z from 'zod/mini';
import { decrypt, encrypt, fileLength } from './age/age.ts';
import { hasHybridStanzas } from './age/hybrid.ts';
import { blake2b, fromHex, toHex, wellFormed } from './bytes.ts';
import { CodedError } from './errors.ts';
import { LONGEST_ORDER, orderParts, type OptionalOrder } from './order.ts';
import { ID_BYTES, newId, orderNumber, shortIds } from './order-fields.ts';
import { freeText, hex, hexZeros, padJson, parse, parseJson, roomFor, teamId } from './schema.ts';
import { SIGNATURE_BYTES, SIGNING_KEY_BYTES, signatureHolds, signParts, type SigningKeyPair } from './sign.ts';
import { mailboxOf, type ThreadAddress } from './thread.ts';
import { TEAM_ID_BYTES } from './wire.ts';

export const REPLY_PLAINTEXT_BYTES = 8_192;
export const REPLY_BYTES = fileLength(1, REPLY_PLAINTEXT_BYTES);
export const REPLY_ID_BYTES = 32;

const replyContent = z
  .object({
    version: z.literal(1),
    kind: z.literal('reply'),
    /** The conversation it belongs to: the thread's key. */
    thread: hex(SIGNING_KEY_BYTES),
    /** The team that a follow-up goes to. */
    team: teamId,
    /** Tells two replies with the same words apart. The note with its copy has the same id. */
    id: hex(ID_BYTES),
    text: freeText.check(z.minLength(1)),
    /** Its place in the conversation. Both, or neither in replies written before there was an order. */
    number: z.optional(orderNumber),
    earlier: z.optional(shortIds),
    signer: hex(SIGNING_KEY_BYTES),
    signature: hex(SIGNATURE_BYTES),
  })
  .check(z.refine(({ number, earlier }) => (number === undefined) === (earlier === undefined)));
export type ReplyContent = z.infer<typeof replyContent>;
/** By default the first in order, with a new `id` (32 hex digits). */
export type ReplyText = Pick<ReplyContent, 'team' | 'text'> & OptionalOrder & { readonly id?: string };

/**
 * A reply on its way: its mailbox (32 bytes), its signer (32), the signature (64) over mailbox id and reply id, and the sealed
 * reply (9,851), which only the requester opens.
 */
export type Delivery = {
  readonly mailbox: Uint8Array;
  readonly signer: Uint8Array;
  readonly signature: Uint8Array;
  readonly reply: Uint8Array;
};

const signedParts = ({ thread, team, id, text, number, earlier }: Omit<ReplyContent, 'signer' | 'signature'>): string[] => [
  thread,
  team,
  id,
  text,
  ...orderParts(number, earlier),
];

function contentOf(
  { team, text, number = 1, earlier = [], id = newId() }: ReplyText,
  { key: thread }: ThreadAddress,
  signer: SigningKeyPair,
): ReplyContent {
  const content = { version: 1 as const, kind: 'reply' as const, thread, team, id, text: wellFormed(text), number, earlier: [...earlier] };
  return { ...content, signer: toHex(signer.key), signature: toHex(signParts('reply', signedParts(content), signer)) };
}

/** Bytes of the 8,192 that are still free even with the longest order; negative when the text is too long. */
export function replyRoom(text: string): number {
  return roomFor(
    {
      version: 1,
      kind: 'reply',
      thread: hexZeros(SIGNING_KEY_BYTES),
      team: hexZeros(TEAM_ID_BYTES),
      id: hexZeros(ID_BYTES),
      text: wellFormed(text),
      ...LONGEST_ORDER,
      signer: hexZeros(SIGNING_KEY_BYTES),
      signature: hexZeros(SIGNATURE_BYTES),
    },
    REPLY_PLAINTEXT_BYTES,
  );
}

/** 32 bytes: BLAKE2b-256 of a sealed reply (9,851 bytes), which names it in deliveries and removals. */
export function replyId(reply: Uint8Array): Uint8Array {
  return blake2b(REPLY_ID_BYTES, reply);
}

/**
 * Seals and signs a reply of 9,851 bytes to the writer of a letter. Throws REPLY_FORMAT when a field is wrong, REPLY_TOO_LONG
 * when the content takes more than 8,192 bytes, RECIPIENT_FORMAT when the recipient is malformed or X-Wing refuses its key.
 */
export function sealReply(text: ReplyText, to: ThreadAddress, signer: SigningKeyPair): Delivery {
  const content = parse(replyContent, contentOf(text, to, signer), 'REPLY_FORMAT', 'a reply');
  const reply = encrypt(padJson(content, REPLY_PLAINTEXT_BYTES, 'REPLY_TOO_LONG', 'the reply'), [to.recipient]);
  const mailbox = mailboxOf(to);
  return { mailbox, signer: signer.key, signature: signParts('delivery', [mailbox, replyId(reply)], signer), reply };
}

/** Throws REPLY_STRUCTURE unless there are 9,851 bytes with a reply's header: all that can be checked without a key. */
export function checkReply(reply: Uint8Array): void {
  if (reply.length !== REPLY_BYTES) {
    throw new CodedError('REPLY_STRUCTURE', `${String(reply.length)} bytes, expected ${String(REPLY_BYTES)}`);
  }
  if (!hasHybridStanzas(reply, 1)) throw new CodedError('REPLY_STRUCTURE', 'not an age file to one hybrid recipient');
}

/**
 * Throws unless the delivery is signed by one of `signers` (64 hex digits each) for this mailbox: SIGNER_UNKNOWN when its signer
 * is not one of them, SIGNER_SIGNATURE when the signature does not verify.
 */
export function checkDelivery({ mailbox, signer, signature, reply }: Delivery, signers: ReadonlySet<string>): void {
  if (!signers.has(toHex(signer))) throw new CodedError('SIGNER_UNKNOWN', "the reply's signer is not in the keyring");
  if (!signatureHolds('delivery', [mailbox, replyId(reply)], signature, signer)) {
    throw new CodedError('SIGNER_SIGNATURE', 'the signature is not over this reply and mailbox');
  }
}

/**
 * Opens a reply of 9,851 bytes. Throws REPLY_STRUCTURE as `checkReply` does, AGE_* and IDENTITY_FORMAT as `decrypt` does,
 * REPLY_FORMAT when it is not the JSON of a reply, REPLY_THREAD when it belongs to another thread than `threadKey` (32 bytes),
 * SIGNER_UNKNOWN when its signer is not in `signers` (64 hex digits each), SIGNER_SIGNATURE when it is not what that signer
 * signed.
 */
export function openReply(reply: Uint8Array, identity: string, threadKey: Uint8Array, signers: ReadonlySet<string>): ReplyContent {
  checkReply(reply);
  const content = parse(replyContent, parseJson(decrypt(reply, [identity]), 'REPLY_FORMAT', 'the reply'), 'REPLY_FORMAT', 'a reply');
  if (content.thread !== toHex(threadKey)) throw new CodedError('REPLY_THREAD', 'the reply belongs to another conversation');
  if (!signers.has(content.signer)) throw new CodedError('SIGNER_UNKNOWN', "the reply's signer is not in the keyring");
  if (!signatureHolds('reply', signedParts(content), fromHex(content.signature), fromHex(content.signer))) {
    throw new CodedError('SIGNER_SIGNATURE', 'the reply is not signed by the signer it names');
  }
  return content;
}
