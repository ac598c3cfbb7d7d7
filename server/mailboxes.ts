import type { Redis } from 'ioredis';
import { REPLIES_A_PAGE } from '../crypto/mailbox.ts';
import { REPLY_BYTES } from '../crypto/reply.ts';
import { BLANK_FIELD, keys } from '../store/keys.ts';
import { bucketOf, weeksKept } from '../store/mailboxes.ts';

/** `places`: as many as a page has replies, each of a reply's length; those beyond `total` hold nothing. */
export type MailboxPage = { readonly total: number; readonly places: readonly Uint8Array[] };

type Place = { readonly key: string; readonly field: Buffer | string };

const BLANK: Place = { key: keys.repliesBlank, field: BLANK_FIELD };
const ZEROS = Buffer.alloc(REPLY_BYTES);

/**
 * The relay's side of the mailboxes: it looks into those whose keys it is given. Whatever is in one, it sends Redis the same
 * number of commands and gets answers of the same length.
 */
export class Mailboxes {
  private readonly redis: Redis;
  private readonly weeks: number;
  private readonly now: () => Date;

  constructor(redis: Redis, weeks: number, now = () => new Date()) {
    this.redis = redis;
    this.weeks = weeks;
    this.now = now;
  }

  /** @param mailbox its id, 32 bytes. Rejects when Redis is away. */
  async read(mailbox: Uint8Array, page: number): Promise<MailboxPage> {
    const places = weeksKept(this.now(), this.weeks).flatMap((week) => {
      const { key, fields } = bucketOf(mailbox, week);
      return fields.map((field) => ({ key, field }));
    });
    const taken = await this.taken(places);
    const filled = places.filter((_, i) => taken[i] === 1);
    const first = page * REPLIES_A_PAGE;
    const wanted = Array.from({ length: REPLIES_A_PAGE }, (_, i) => filled[first + i] ?? BLANK);
    const found = await Promise.all(wanted.map(({ key, field }) => this.redis.hgetBuffer(key, field)));
    return { total: filled.length, places: found.map((reply) => (reply?.length === REPLY_BYTES ? reply : ZEROS)) };
  }

  private async taken(places: readonly Place[]): Promise<number[]> {
    const batch = this.redis.pipeline();
    for (const { key, field } of places) batch.hexists(key, field);
    const replies = (await batch.exec()) ?? [];
    return replies.map(([error, value]) => {
      if (error !== null) throw error;
      return Number(value);
    });
  }
}
