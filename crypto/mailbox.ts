// The question about a mailbox and its answer, as long as a parcel and its answer. docs/protocol.md, § Mailbox.
import { ANSWER_BYTES } from './answer.ts';
import { concat, randomBytes, readUint32, uint32 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { MAX_REPLIES } from './mailbox-limits.ts';
import { PARCEL_BYTES } from './parcel.ts';
import { REPLY_BYTES } from './reply.ts';
import { SIGNING_KEY_BYTES } from './sign.ts';
import { MAILBOX_KEY_BYTES } from './thread.ts';
import { WEEK_MS } from './wire.ts';

export const MAILBOX_VERSION = 1;
export const REPLIES_A_PAGE = 2;
export const QUESTION_BYTES = PARCEL_BYTES;
const QUESTION_HEADER_BYTES = 4 + MAILBOX_KEY_BYTES + SIGNING_KEY_BYTES + 4;
export const REPLIES_OFFSET = 4 + 4 + 4 + 4;
export const MAILBOX_ANSWER_BYTES = ANSWER_BYTES;

/** `mailboxKey`, `threadKey`: 32 bytes each; `page` counts from 0. */
export type MailboxQuestion = { readonly mailboxKey: Uint8Array; readonly threadKey: Uint8Array; readonly page: number };

/** Weeks since 1970, each from Thursday 00:00 UTC: a clock that is the same for everyone. */
export function weekOf(now: Date): number {
  return Math.floor(now.getTime() / WEEK_MS);
}

const RESULTS = { read: 0, away: 1 } as const;
/** `total`: replies in the mailbox; `replies`: those on the page, 9,851 bytes each, oldest first. */
export type MailboxAnswer =
  | { readonly result: 'read'; readonly total: number; readonly replies: readonly Uint8Array[] }
  | { readonly result: 'away'; readonly retryAfterSeconds: number };

/** Encodes a question of 24,576 bytes: version, mailbox key, thread key, page, then random bytes. */
export function encodeQuestion({ mailboxKey, threadKey, page }: MailboxQuestion): Uint8Array {
  return concat(uint32(MAILBOX_VERSION), mailboxKey, threadKey, uint32(page), randomBytes(QUESTION_BYTES - QUESTION_HEADER_BYTES));
}

/** Parses a question. Throws MAILBOX_SIZE unless it has 24,576 bytes, MAILBOX_VERSION unless its version is 1. */
export function parseQuestion(bytes: Uint8Array): MailboxQuestion {
  if (bytes.length !== QUESTION_BYTES) {
    throw new CodedError('MAILBOX_SIZE', `${String(bytes.length)} bytes, expected ${String(QUESTION_BYTES)}`);
  }
  const version = readUint32(bytes, 0);
  if (version !== MAILBOX_VERSION) {
    throw new CodedError('MAILBOX_VERSION', `version ${String(version)}, expected ${String(MAILBOX_VERSION)}`);
  }
  const threadAt = 4 + MAILBOX_KEY_BYTES;
  const pageAt = threadAt + SIGNING_KEY_BYTES;
  return { mailboxKey: bytes.slice(4, threadAt), threadKey: bytes.slice(threadAt, pageAt), page: readUint32(bytes, pageAt) };
}

/**
 * Encodes an answer of 24,576 bytes: version, result, total, seconds to wait, two places for replies, then random bytes.
 * `places`: what to write there, as long as a reply even where there is none, so that the work does not depend on what is there.
 */
export function encodeMailboxAnswer(answer: {
  readonly result: keyof typeof RESULTS;
  readonly total: number;
  readonly retryAfterSeconds: number;
  readonly places: readonly Uint8Array[];
}): Uint8Array {
  const bytes = randomBytes(MAILBOX_ANSWER_BYTES);
  [MAILBOX_VERSION, RESULTS[answer.result], answer.total, answer.retryAfterSeconds].forEach((value, i) => bytes.set(uint32(value), 4 * i));
  answer.places.slice(0, REPLIES_A_PAGE).forEach((place, i) => bytes.set(place, REPLIES_OFFSET + i * REPLY_BYTES));
  return bytes;
}

/**
 * Parses the answer to a question about `page`. Throws MAILBOX_SIZE unless it has 24,576 bytes, MAILBOX_VERSION unless its
 * version is 1, MAILBOX_FORMAT when its result is unknown or its total is more than any mailbox holds.
 */
export function parseMailboxAnswer(bytes: Uint8Array, page: number): MailboxAnswer {
  if (bytes.length !== MAILBOX_ANSWER_BYTES) {
    throw new CodedError('MAILBOX_SIZE', `${String(bytes.length)} bytes, expected ${String(MAILBOX_ANSWER_BYTES)}`);
  }
  const [version = 0, result, total = 0, retryAfterSeconds = 0] = [0, 4, 8, 12].map((at) => readUint32(bytes, at));
  if (version !== MAILBOX_VERSION) {
    throw new CodedError('MAILBOX_VERSION', `version ${String(version)}, expected ${String(MAILBOX_VERSION)}`);
  }
  if (result === RESULTS.away) return { result: 'away', retryAfterSeconds };
  if (result !== RESULTS.read) throw new CodedError('MAILBOX_FORMAT', 'unknown result');
  if (total > MAX_REPLIES) throw new CodedError('MAILBOX_FORMAT', `${String(total)} replies, expected at most ${String(MAX_REPLIES)}`);
  const filled = Math.min(Math.max(total - page * REPLIES_A_PAGE, 0), REPLIES_A_PAGE);
  const replies = Array.from({ length: filled }, (_, i) => REPLIES_OFFSET + i * REPLY_BYTES).map((at) => bytes.slice(at, at + REPLY_BYTES));
  return { result: 'read', total, replies };
}
