import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { toHex } from '../crypto/bytes.ts';
import { shortReplyId, type Removal } from '../crypto/removal.ts';
import { REPLY_BYTES, replyId } from '../crypto/reply.ts';
import { BLANK_FIELD, keys } from '../redis/keys.ts';
import { bucketOf, weekOf, weeksKept, type Bucket } from '../redis/mailboxes.ts';

/** How many expired weeks are deleted: a worker may have been away for long. */
const FORGET_WEEKS = 104;

/** A stored reply: its short id (16 bytes), and the digest that Redis itself can compute of it. */
type StoredReply = { readonly id: Uint8Array; readonly digest: string };

/**
 * The digest by which scripts compare replies: SHA-1 is the only one they have. Whoever made two replies collide would only
 * cause both to be removed instead of one.
 */
function digestInRedis(reply: Buffer): string {
  return createHash('sha1').update(reply).digest('hex');
}

/** The worker's side of the mailboxes: counts replies, finds those to remove, deletes old weeks. */
export class Mailboxes {
  readonly #redis: Redis;
  readonly #weeks: number;

  /** @param weeks how many full weeks a reply is kept */
  constructor(redis: Redis, weeks: number) {
    this.#redis = redis;
    this.#weeks = weeks;
  }

  /** Counts the replies of all weeks. */
  async depth(now: Date): Promise<number> {
    const depths = await Promise.all(weeksKept(now, this.#weeks).map((week) => this.#redis.hlen(keys.replies(week))));
    return depths.reduce((sum, depth) => sum + depth, 0);
  }

  /** Finds the replies that a removal lists and that are still there, and the buckets they are in. */
  async find({ mailbox, replies }: Removal, now: Date): Promise<{ buckets: Bucket[]; replies: StoredReply[] }> {
    const listed = new Set(replies.map(toHex));
    const buckets: Bucket[] = [];
    const found: StoredReply[] = [];
    for (const bucket of weeksKept(now, this.#weeks).map((week) => bucketOf(mailbox, week))) {
      const kept = (await this.#redis.hmgetBuffer(bucket.key, ...bucket.fields)).filter((reply) => reply !== null);
      const named = kept.map((reply) => ({ id: shortReplyId(replyId(reply)), digest: digestInRedis(reply) }));
      const here = named.filter(({ id }) => listed.has(toHex(id)));
      if (here.length > 0) buckets.push(bucket);
      found.push(...here);
    }
    return { buckets, replies: found };
  }

  /** Stores the blank that is read in place of a missing reply, so that reads take the same time even before the first reply. */
  async provideBlank(): Promise<void> {
    if ((await this.#redis.hlen(keys.repliesBlank)) > 0) return;
    await this.#redis.hset(keys.repliesBlank, BLANK_FIELD, Buffer.alloc(REPLY_BYTES));
  }

  /** Deletes whole weeks at once, so that no reply has an expiry time of its own. */
  async forgetOldWeeks(now: Date): Promise<void> {
    const oldest = weekOf(now) - this.#weeks;
    await this.#redis.unlink(...Array.from({ length: FORGET_WEEKS }, (_, i) => keys.replies(oldest - 1 - i)));
  }
}
