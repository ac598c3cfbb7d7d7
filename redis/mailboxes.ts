// Where replies wait: a hash a week, and in it places that tell neither whose they are nor which belong together.
import { blake2b, concat, uint32 } from '../crypto/bytes.ts';
import { weekOf } from '../crypto/mailbox.ts';
import { REPLIES_A_WEEK } from '../crypto/mailbox-limits.ts';
import { keys } from './keys.ts';

export { weekOf } from '../crypto/mailbox.ts';
export { REPLIES_A_WEEK, REPLIES_A_WEEK_BY_ONE } from '../crypto/mailbox-limits.ts';

/** Full weeks that a reply waits at least, unless relay and worker are told otherwise. */
export const REPLY_WEEKS = 5;
/** What either may be told at the most. */
export const MOST_REPLY_WEEKS = 12;
/** Replies that wait in all, unless a worker is told otherwise. */
export const REPLY_LIMIT = 5_000;

const FIELD_BYTES = 16;

/** The weeks that are kept, the oldest first: this one and `kept` before it. */
export function weeksKept(now: Date, kept: number): number[] {
  const current = weekOf(now);
  return Array.from({ length: kept + 1 }, (_, i) => current - kept + i);
}

export type Bucket = { readonly key: string; readonly fields: readonly Buffer[] };

/** The places of a mailbox (32 bytes) in a week, in the order in which they are filled. Only who knows the mailbox knows them. */
export function bucketOf(mailbox: Uint8Array, week: number): Bucket {
  const field = (slot: number): Buffer => Buffer.from(blake2b(FIELD_BYTES, concat(mailbox, uint32(week), uint32(slot))));
  const fields = Array.from({ length: REPLIES_A_WEEK }, (_, slot) => field(slot));
  return { key: keys.replies(week), fields };
}
