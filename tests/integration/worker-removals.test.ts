import { afterEach, beforeEach, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { replyId } from '../../crypto/reply.ts';
import { mailboxOf } from '../../crypto/thread.ts';
import { keys } from '../../store/keys.ts';
import { bucketOf, weeksKept } from '../../store/mailboxes.ts';
import { newThread } from '../support/letters.ts';
import { MailboxStand } from '../support/mailboxes.ts';
import { oneRedis } from '../support/one-redis.ts';

const WEEK_HOURS = 7 * 24;
let stand: MailboxStand;
const emptyRedis = oneRedis();

beforeEach(async () => {
  stand = await MailboxStand.start(await emptyRedis());
});
afterEach(() => stand.stop());

/** Two replies in each of the last three weeks, the oldest first. */
async function threeWeeks(): Promise<Buffer[]> {
  stand.later(-2 * WEEK_HOURS);
  const replies = await stand.fill(2);
  for (let week = 0; week < 2; week += 1) {
    stand.later(WEEK_HOURS);
    replies.push(...(await stand.fill(2)));
  }
  expect(await stand.waiting()).toEqual(replies);
  return replies;
}

const without = (replies: readonly Buffer[], index: number): Buffer[] => replies.filter((_, i) => i !== index);
const nothing = Buffer.alloc(0);

it('one reply is deleted: those behind it move up and keep their order', async () => {
  const replies = await stand.fill(4);
  await stand.remove(replyId(replies[1] ?? nothing));
  await stand.round();
  expect(await stand.waiting()).toEqual(without(replies, 1));
});

it('one reply of an older week is deleted, and no other of any week', async () => {
  const replies = await threeWeeks();
  await stand.remove(replyId(replies[0] ?? nothing));
  await stand.round();
  expect(await stand.waiting()).toEqual(without(replies, 0));
});

it('the whole mailbox is deleted, over all weeks, and nobody else’s', async () => {
  const other = newThread();
  const kept = await stand.fill(1, other);
  await threeWeeks();
  await stand.remove(null);
  await stand.round();
  expect([await stand.waiting(), await stand.waiting(other)]).toEqual([[], kept]);
});

it('nothing is deleted by naming what is not there, or with another thread', async () => {
  const [reply = nothing] = await stand.fill(1);
  await stand.remove(randomBytes(32));
  await stand.remove(replyId(reply), newThread());
  await stand.remove(null, newThread());
  await stand.round();
  expect(await stand.waiting()).toEqual([reply]);
  expect(await stand.dropped()).toEqual({ 'reply-gone': '2' });
});

it('a removal waits in the pool while no keyring is valid: a clock that is wrong loses none', async () => {
  const replies = await stand.fill(2);
  await stand.remove(replyId(replies[0] ?? nothing));
  stand.later(-52 * WEEK_HOURS);
  const { mix } = await stand.worker();
  await mix.round(() => false);
  expect(await stand.admin.hlen(keys.pool)).toBe(1);
  expect(mix.lastSweep).toBeNull();
  stand.later(52 * WEEK_HOURS);
  await stand.round();
  expect(await stand.waiting()).toEqual([replies[1]]);
});

it('what a worker that died had to delete is deleted once, by another: what came later stays', async () => {
  await stand.fill(1);
  const parcel = stand.bench.parcel({ kind: 'delete', thread: stand.thread, reply: null });
  await stand.bench.put(stand.admin, parcel);
  const dead = stand.claims('dead');
  await dead.take([parcel.id]);
  await stand.admin.del(keys.lease('dead'));
  await stand.round();
  expect(await stand.waiting()).toEqual([]);
  const later = await stand.fill(1);
  const buckets = weeksKept(stand.now, stand.bench.config.replyWeeks).map((week) => bucketOf(mailboxOf(stand.thread.address), week));
  expect(await dead.commit([{ kind: 'delete', id: parcel.id, serial: 1, reply: null, buckets }])).toBe(false);
  await stand.bench.put(stand.admin, parcel);
  await stand.round();
  expect(await stand.waiting()).toEqual(later);
  expect(await stand.dropped()).toEqual({ replay: '1' });
});
