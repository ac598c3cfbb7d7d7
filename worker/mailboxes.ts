import type { Redis } from 'ioredis';
import { equal } from '../crypto/bytes.ts';
import type { Removal } from '../crypto/parcel.ts';
import { REPLY_BYTES, replyId } from '../crypto/reply.ts';
import { BLANK_FIELD, keys } from '../store/keys.ts';
import { bucketOf, weekOf, weeksKept, type Bucket } from '../store/mailboxes.ts';

/** So far back old weeks are looked for: a worker may have been away for long. */
const FORGET_WEEKS = 104;

/** The worker's side of the mailboxes: what waits there, what is removed, what is forgotten. */
export class Mailboxes {
  readonly #redis: Redis;
  readonly #weeks: number;

  /** @param weeks full weeks that a reply is kept */
  constructor(redis: Redis, weeks: number) {
    this.#redis = redis;
    this.#weeks = weeks;
  }

  /** Replies that wait, in all weeks. */
  async depth(now: Date): Promise<number> {
    const depths = await Promise.all(weeksKept(now, this.#weeks).map((week) => this.#redis.hlen(keys.replies(week))));
    return depths.reduce((sum, depth) => sum + depth, 0);
  }

  /** The places a removal is about, and the reply as it is kept; null when that reply is not there (any more). */
  async find({ mailbox, reply: id }: Removal, now: Date): Promise<{ buckets: Bucket[]; reply: Buffer | null } | null> {
    const buckets = weeksKept(now, this.#weeks).map((week) => bucketOf(mailbox, week));
    if (id === null) return { buckets, reply: null };
    for (const { key, fields } of buckets) {
      const reply = (await this.#redis.hmgetBuffer(key, ...fields)).find((kept) => kept !== null && equal(replyId(kept), id));
      if (reply) return { buckets, reply };
    }
    return null;
  }

  /** What is read in the place of a reply that is not there, before any is: reading takes as long from the beginning. */
  async prepare(): Promise<void> {
    if ((await this.#redis.hlen(keys.repliesBlank)) === 0) await this.#redis.hset(keys.repliesBlank, BLANK_FIELD, Buffer.alloc(REPLY_BYTES));
  }

  /** Whole weeks at once, so that nobody's reply has a time of its own. */
  async keepHouse(now: Date): Promise<void> {
    const oldest = weekOf(now) - this.#weeks;
    await this.#redis.unlink(...Array.from({ length: FORGET_WEEKS }, (_, i) => keys.replies(oldest - 1 - i)));
  }
}
