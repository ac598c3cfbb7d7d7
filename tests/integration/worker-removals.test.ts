import { afterEach, beforeEach, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { MAX_REPLIES } from '../../crypto/mailbox-limits.ts';
import { replyId } from '../../crypto/reply.ts';
import { mailboxOf } from '../../crypto/thread.ts';
import { keys } from '../../redis/keys.ts';
import { bucketOf, weeksKept } from '../../redis/mailboxes.ts';
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

it('one reply is deleted, and those behind it move up in order', async () => {
  const replies = await stand.fill(4);
  await stand.remove(replies.slice(1, 2));
  await stand.round();
  expect(await stand.waiting()).toEqual(without(replies, 1));
});

it('one reply of an older week is deleted, and no other of any week', async () => {
  const replies = await threeWeeks();
  await stand.remove(replies.slice(0, 1));
  await stand.round();
  expect(await stand.waiting()).toEqual(without(replies, 0));
});

it('all that are listed are deleted, across weeks, and nobody else’s', async () => {
  const other = newThread();
  const kept = await stand.fill(1, other);
  await stand.remove([...(await threeWeeks()), ...kept]);
  await stand.round();
  expect([await stand.waiting(), await stand.waiting(other)]).toEqual([[], kept]);
});

it('what was not listed survives: older, in between, or of the same round, before the removal or after it', async () => {
  const replies = await threeWeeks();
  const late = Array.from({ length: 6 }, (_, i) => stand.deliver(`late ${String(i)}`));
  await stand.put(...late.slice(0, 3));
  await stand.remove(replies.filter((_, i) => i !== 2));
  await stand.put(...late.slice(3));
  await stand.round();
  const waiting = await stand.waiting();
  expect(waiting[0]).toEqual(replies[2]);
  expect(waiting.slice(1).map(String).sort()).toEqual(late.map(({ reply }) => String(Buffer.from(reply))).sort());
  expect(await stand.dropped()).toEqual({});
});

it('of a list with missing replies the others are deleted, and it counts as carried out', async () => {
  const replies = await stand.fill(3);
  await stand.remove(replies.slice(0, 1));
  await stand.round();
  await stand.remove([...replies.slice(0, 2), randomBytes(32)]);
  await stand.round();
  expect([await stand.waiting(), await stand.dropped()]).toEqual([replies.slice(2), {}]);
});

it('one parcel lists as many as the fullest mailbox holds', async () => {
  const replies = await stand.fill(2);
  await stand.remove([...replies.slice(0, 1), ...Array.from({ length: MAX_REPLIES - 1 }, () => randomBytes(32))]);
  await stand.round();
  expect(await stand.waiting()).toEqual(replies.slice(1));
});

it('nothing is deleted by naming missing replies, or with another thread', async () => {
  const [reply = Buffer.alloc(0)] = await stand.fill(1);
  await stand.remove([randomBytes(32)]);
  await stand.remove([reply], newThread());
  await stand.round();
  expect(await stand.waiting()).toEqual([reply]);
  expect(await stand.dropped()).toEqual({ 'reply-gone': '2' });
});

it('a removal waits in the pool while no keyring is valid, so that a wrong clock loses none', async () => {
  const replies = await stand.fill(2);
  await stand.remove(replies.slice(0, 1));
  stand.later(-52 * WEEK_HOURS);
  const { mix } = await stand.worker();
  await mix.round(() => false);
  expect(await stand.admin.hlen(keys.pool)).toBe(1);
  expect(mix.lastSweep).toBeNull();
  stand.later(52 * WEEK_HOURS);
  await stand.round();
  expect(await stand.waiting()).toEqual([replies[1]]);
});

it('another worker carries out a dead worker’s removal once: what came later stays', async () => {
  const ids = (await stand.fill(1)).map(replyId);
  const parcel = stand.bench.parcel({ kind: 'delete', thread: stand.thread, replies: ids });
  await stand.bench.put(stand.admin, parcel);
  const dead = stand.lease('dead');
  await dead.take([parcel.id]);
  await stand.admin.del(keys.lease('dead'));
  await stand.round();
  expect(await stand.waiting()).toEqual([]);
  const later = await stand.fill(1);
  const buckets = weeksKept(stand.now, stand.bench.config.replyWeeks).map((week) => bucketOf(mailboxOf(stand.thread.address), week));
  expect(await dead.commit([{ kind: 'delete', id: parcel.id, keyId: stand.bench.keyId(), digests: [], buckets }])).toBe(false);
  await stand.bench.put(stand.admin, parcel);
  await stand.round();
  expect(await stand.waiting()).toEqual(later);
  expect(await stand.dropped()).toEqual({ replay: '1' });
});
