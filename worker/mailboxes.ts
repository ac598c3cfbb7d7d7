import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { toHex } from '../crypto/bytes.ts';
import { shortReplyId, type Removal } from '../crypto/removal.ts';
import { REPLY_BYTES, replyId } from '../crypto/reply.ts';
import { BLANK_FIELD, keys } from '../redis/keys.ts';
import { bucketOf, weekOf, weeksKept, type Bucket } from '../redis/mailboxes.ts';

/** So far back old weeks are looked for: a worker may have been away for long. */
const FORGET_WEEKS = 104;

/** A reply by its short id (16 bytes), and by the digest that Redis itself can make of it. */
type Found = { readonly id: Uint8Array; readonly digest: string };

/**
 * What scripts compare replies by: they have no other digest than SHA-1. Who made two replies of one digest would only have
 * both removed where one of them is.
 */
function digestInRedis(reply: Buffer): string {
  return createHash('sha1').update(reply).digest('hex');
}

/** The worker's side of the mailboxes: what waits there, what is removed, what is forgotten. */
export class Mailboxes {
  readonly #redis: Redis;
  readonly #weeks: number;

  /** @param weeks full weeks that a reply is kept */
  constructor(redis: Redis, weeks: number) {
    this.#redis = redis;
    this.#weeks = weeks;
  }

  /** Counts the replies that wait, in all weeks. */
  async depth(now: Date): Promise<number> {
    const depths = await Promise.all(weeksKept(now, this.#weeks).map((week) => this.#redis.hlen(keys.replies(week))));
    return depths.reduce((sum, depth) => sum + depth, 0);
  }

  /** Finds which of the replies that a removal lists are there, and the places of the weeks they are in. */
  async find({ mailbox, replies }: Removal, now: Date): Promise<{ buckets: Bucket[]; found: Found[] }> {
    const listed = new Set(replies.map(toHex));
    const buckets: Bucket[] = [];
    const found: Found[] = [];
    for (const bucket of weeksKept(now, this.#weeks).map((week) => bucketOf(mailbox, week))) {
      const kept = (await this.#redis.hmgetBuffer(bucket.key, ...bucket.fields)).filter((reply) => reply !== null);
      const named = kept.map((reply) => ({ id: shortReplyId(replyId(reply)), digest: digestInRedis(reply) }));
      const here = named.filter(({ id }) => listed.has(toHex(id)));
      if (here.length > 0) buckets.push(bucket);
      found.push(...here);
    }
    return { buckets, found };
  }

  /** Provides what is read in the place of a reply that is not there, before any is: reading takes as long from the beginning. */
  async provideBlank(): Promise<void> {
    if ((await this.#redis.hlen(keys.repliesBlank)) > 0) return;
    await this.#redis.hset(keys.repliesBlank, BLANK_FIELD, Buffer.alloc(REPLY_BYTES));
  }

  /** Forgets whole weeks at once, so that nobody's reply has a time of its own. */
  async forgetOldWeeks(now: Date): Promise<void> {
    const oldest = weekOf(now) - this.#weeks;
    await this.#redis.unlink(...Array.from({ length: FORGET_WEEKS }, (_, i) => keys.replies(oldest - 1 - i)));
  }
}
