// Where replies wait: one hash per week, with places that show neither whose they are nor which belong together.
import { blake2b, concat, uint32 } from '../crypto/bytes.ts';
import { weekOf } from '../crypto/mailbox.ts';
import { REPLIES_A_WEEK } from '../crypto/mailbox-limits.ts';
import { keys } from './keys.ts';

export { weekOf } from '../crypto/mailbox.ts';
export { REPLIES_A_WEEK, REPLIES_A_WEEK_BY_ONE } from '../crypto/mailbox-limits.ts';

/** Full weeks that a reply waits at least: the default of relay and worker. */
export const REPLY_WEEKS = 5;
/** The most weeks that either can be configured for. */
export const MAX_REPLY_WEEKS = 12;
/** Replies that wait in all: the worker's default. */
export const REPLY_LIMIT = 5_000;

const FIELD_BYTES = 16;

/** The weeks that are kept, oldest first: `kept` past ones and the current one. */
export function weeksKept(now: Date, kept: number): number[] {
  const current = weekOf(now);
  return Array.from({ length: kept + 1 }, (_, i) => current - kept + i);
}

export type Bucket = { readonly key: string; readonly fields: readonly Buffer[] };

/** The places of a mailbox (32 bytes) in a week, in the order in which they are filled. Knowing them takes the mailbox id. */
export function bucketOf(mailbox: Uint8Array, week: number): Bucket {
  const field = (place: number): Buffer => Buffer.from(blake2b(FIELD_BYTES, concat(mailbox, uint32(week), uint32(place))));
  const fields = Array.from({ length: REPLIES_A_WEEK }, (_, place) => field(place));
  return { key: keys.replies(week), fields };
}
