import type { Redis } from 'ioredis';
import { REPLIES_A_PAGE } from '../crypto/mailbox.ts';
import { REPLY_BYTES } from '../crypto/reply.ts';
import { BLANK_FIELD, keys } from '../store/keys.ts';
import { bucketOf, weeksKept } from '../store/mailboxes.ts';
import { Script } from '../store/script.ts';

/** `places`: as many as a page has replies, each of a reply's length; those beyond `total` hold nothing. */
export type MailboxPage = { readonly total: number; readonly places: readonly Uint8Array[] };

/*
 * In one step, so that nothing is removed between looking and reading; and whatever is in a mailbox, the same number of
 * looks and of reads.
 */
const READ = new Script(`
local first, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local aWeek = (#ARGV - 3) / (#KEYS - 1)
local filled, total = {}, 0
for place = 4, #ARGV do
  filled[total + 1] = place
  total = total + redis.call('HEXISTS', KEYS[2 + math.floor((place - 4) / aWeek)], ARGV[place])
end
local answer = {total}
for n = first + 1, first + count do
  local key, field = KEYS[1], ARGV[3]
  if n <= total then key, field = KEYS[2 + math.floor((filled[n] - 4) / aWeek)], ARGV[filled[n]] end
  answer[#answer + 1] = redis.call('HGET', key, field)
end
return answer
`, 'read');

const ZEROS = Buffer.alloc(REPLY_BYTES);

/** The relay's side of the mailboxes: it looks into those whose keys it is given. */
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
    const buckets = weeksKept(this.now(), this.weeks).map((week) => bucketOf(mailbox, week));
    const names = [keys.repliesBlank, ...buckets.map(({ key }) => key)];
    const args = [page * REPLIES_A_PAGE, REPLIES_A_PAGE, BLANK_FIELD, ...buckets.flatMap(({ fields }) => fields)];
    const [total, ...found] = (await READ.run(this.redis, names, args)) as [number, ...(Buffer | null)[]];
    return { total, places: found.map((reply) => (reply?.length === REPLY_BYTES ? reply : ZEROS)) };
  }
}
