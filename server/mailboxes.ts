import type { Redis } from 'ioredis';
import { REPLIES_A_PAGE } from '../crypto/mailbox.ts';
import { REPLY_BYTES } from '../crypto/reply.ts';
import { callFunction } from '../redis/functions.ts';
import { keys } from '../redis/keys.ts';
import { bucketOf, weeksKept } from '../redis/mailboxes.ts';

/** `places`: REPLIES_A_PAGE buffers of REPLY_BYTES each; those beyond `total` are all zeros. */
export type StoredPage = { readonly total: number; readonly places: readonly Uint8Array[] };

const ZEROS = Buffer.alloc(REPLY_BYTES);

/** The relay's side of the mailboxes: reads one whose id it is given. */
export class MailboxReader {
  readonly #redis: Redis;
  readonly #weeks: number;
  readonly #now: () => Date;

  constructor(redis: Redis, weeks: number, now = () => new Date()) {
    this.#redis = redis;
    this.#weeks = weeks;
    this.#now = now;
  }

  /** @param mailbox id, 32 bytes. Rejects when Redis is away. */
  async read(mailbox: Uint8Array, page: number): Promise<StoredPage> {
    const buckets = weeksKept(this.#now(), this.#weeks).map((week) => bucketOf(mailbox, week));
    const names = [keys.repliesBlank, ...buckets.map(({ key }) => key)];
    const args = [page * REPLIES_A_PAGE, ...buckets.flatMap(({ fields }) => fields)];
    const [total, ...replies] = (await callFunction(this.#redis, 'read', names, args)) as [number, ...(Buffer | null)[]];
    return { total, places: replies.map((reply) => (reply?.length === REPLY_BYTES ? reply : ZEROS)) };
  }
}
