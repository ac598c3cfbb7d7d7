// The reply: what a volunteer answers and only the requester opens. docs/protocol.md, § Reply.
import * as z from 'zod/mini';
import { decrypt, encrypt, fileLength } from './age/age.ts';
import { hasHybridStanzas } from './age/hybrid.ts';
import { blake2b, fromHex, toHex, wellFormed } from './bytes.ts';
import { CodedError } from './errors.ts';
import { LONGEST_ORDER, orderParts, type OptionalOrder } from './order.ts';
import { ID_BYTES, newId, orderNumber, shortIds } from './order-fields.ts';
import { hex, hexZeros, padJson, parse, parseJson, roomFor, teamId, words } from './schema.ts';
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
    /** Whose conversation it belongs to: the thread's key. */
    thread: hex(SIGNING_KEY_BYTES),
    /** Where a follow-up goes. */
    team: teamId,
    /** Tells two replies with the same words apart; the note with its copy has the same. */
    id: hex(ID_BYTES),
    text: words.check(z.minLength(1)),
    /** Where it stands in the conversation: both, or in what was written before there was an order neither. */
    number: z.optional(orderNumber),
    earlier: z.optional(shortIds),
    signer: hex(SIGNING_KEY_BYTES),
    signature: hex(SIGNATURE_BYTES),
  })
  .check(z.refine(({ number, earlier }) => (number === undefined) === (earlier === undefined)));
export type ReplyContent = z.infer<typeof replyContent>;
/** Without an order it is the first; without an `id` (32 hex digits) it gets a new one. */
export type ReplyText = Pick<ReplyContent, 'team' | 'text'> & OptionalOrder & { readonly id?: string };

/**
 * A reply on its way: to which mailbox (32 bytes), by whom (32), their signature (64) over both, and what only its requester opens (9,851).
 */
export type Delivery = {
  readonly mailbox: Uint8Array;
  readonly signer: Uint8Array;
  readonly signature: Uint8Array;
  readonly reply: Uint8Array;
};

const partsOf = ({ thread, team, id, text, number, earlier }: Omit<ReplyContent, 'signer' | 'signature'>): string[] => [
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
  return { ...content, signer: toHex(signer.key), signature: toHex(signParts('reply', partsOf(content), signer)) };
}

/** How many bytes of the 8,192 are still free, whatever its order; negative when the text is too long. */
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

/** 32 bytes, BLAKE2b-256 of a sealed reply (9,851 bytes): names it when it is deleted. */
export function replyId(reply: Uint8Array): Uint8Array {
  return blake2b(REPLY_ID_BYTES, reply);
}

/**
 * Seals and signs a reply of 9,851 bytes to the writer of a letter. Throws REPLY_FORMAT when a field is wrong, REPLY_TOO_LONG when the
 * content takes more than 8,192 bytes, RECIPIENT_FORMAT when nothing can be sealed to the recipient.
 */
export function sealReply(text: ReplyText, to: ThreadAddress, signer: SigningKeyPair): Delivery {
  const content = parse(replyContent, contentOf(text, to, signer), 'REPLY_FORMAT', 'a reply');
  const reply = encrypt(padJson(content, REPLY_PLAINTEXT_BYTES, 'REPLY_TOO_LONG', 'the reply'), [to.recipient]);
  const mailbox = mailboxOf(to);
  return { mailbox, signer: signer.key, signature: signParts('delivery', [mailbox, replyId(reply)], signer), reply };
}

/** Throws REPLY_STRUCTURE when bytes are not 9,851 with the header of a reply: all that can be seen without a key. */
export function checkReply(reply: Uint8Array): void {
  if (reply.length !== REPLY_BYTES) {
    throw new CodedError('REPLY_STRUCTURE', `${String(reply.length)} bytes, a reply has ${String(REPLY_BYTES)}`);
  }
  if (!hasHybridStanzas(reply, 1)) throw new CodedError('REPLY_STRUCTURE', 'not an age file to one hybrid recipient');
}

/**
 * Throws unless the delivery is signed by one of `signers` (64 hex digits each) for this mailbox: SIGNER_UNKNOWN when it is by nobody of
 * them, SIGNER_SIGNATURE when the signature does not verify.
 */
export function checkDelivery({ mailbox, signer, signature, reply }: Delivery, signers: ReadonlySet<string>): void {
  if (!signers.has(toHex(signer))) throw new CodedError('SIGNER_UNKNOWN', "the reply's signer is not in the keyring");
  if (!signatureHolds('delivery', [mailbox, replyId(reply)], signature, signer)) {
    throw new CodedError('SIGNER_SIGNATURE', 'the signature is not over this reply and mailbox');
  }
}

/**
 * Opens a reply of 9,851 bytes. Throws REPLY_STRUCTURE as `checkReply`, AGE_* and IDENTITY_FORMAT as `decrypt`, REPLY_FORMAT when it is not
 * JSON of a reply, REPLY_THREAD when it belongs to another thread than `threadKey` (32 bytes), SIGNER_UNKNOWN when its signer is none of
 * `signers` (64 hex digits each), SIGNER_SIGNATURE when that signer did not write it.
 */
export function openReply(reply: Uint8Array, identity: string, threadKey: Uint8Array, signers: ReadonlySet<string>): ReplyContent {
  checkReply(reply);
  const content = parse(replyContent, parseJson(decrypt(reply, [identity]), 'REPLY_FORMAT', 'the reply'), 'REPLY_FORMAT', 'a reply');
  if (content.thread !== toHex(threadKey)) throw new CodedError('REPLY_THREAD', 'the reply belongs to another conversation');
  if (!signers.has(content.signer)) throw new CodedError('SIGNER_UNKNOWN', "the reply's signer is not in the keyring");
  if (!signatureHolds('reply', partsOf(content), fromHex(content.signature), fromHex(content.signer))) {
    throw new CodedError('SIGNER_SIGNATURE', 'the reply is not signed by whom it names');
  }
  return content;
}
