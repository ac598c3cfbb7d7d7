import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { replyId, sealReply, type Delivery } from '../../crypto/reply.ts';
import { signingKeyPair } from '../../crypto/sign.ts';
import { mailboxOf, threadOf, type Thread } from '../../crypto/thread.ts';
import { Mailboxes as Reader } from '../../server/mailboxes.ts';
import { KeyringShelf } from '../../service/keyrings.ts';
import { keys } from '../../store/keys.ts';
import { bucketOf, REPLIES_A_WEEK, weekOf } from '../../store/mailboxes.ts';
import { readState } from '../../store/state.ts';
import { Claims } from '../../worker/claims.ts';
import { Housekeeping } from '../../worker/housekeeping.ts';
import { Mailboxes } from '../../worker/mailboxes.ts';
import { Mix, type MixSettings } from '../../worker/mix.ts';
import { Outbox } from '../../worker/outbox.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until, workerBench, type Bench } from '../support/worker.ts';

const WEEK_MS = 7 * 24 * 3_600_000;
const running = () => false;
let redis: TestRedis;
let admin: Redis;
let client: Redis;
let bench: Bench;
let now: Date;
let thread: Thread;
const signer = () => signerPair;
let signerPair: ReturnType<typeof signingKeyPair>;

beforeEach(async () => {
  redis = await startRedis();
  [admin, client] = [await redis.connect('admin'), await redis.connect('worker')];
  bench = await workerBench(redis);
  now = new Date();
  signerPair = signingKeyPair(randomBytes(32));
  thread = threadOf(randomBytes(32));
  await bench.keyring(1, { signers: [toHex(signer().key)] });
});
afterEach(async () => {
  await redis.stop();
  await bench.remove();
});

async function mixAndMore(settings: Partial<MixSettings> = {}, instance = toHex(randomBytes(16))) {
  const shelf = new KeyringShelf({ directory: bench.config.keyrings, rootKeyFile: bench.config.rootKeyFile, now: () => now });
  await shelf.load();
  const mailboxes = new Mailboxes(client, bench.config.replyWeeks);
  const mix = new Mix(client, new Claims(client, instance), shelf, new Map([[bench.team, [new Outbox(client, 'inbox-1')]]]), mailboxes, { ...bench.config, ...settings }, () => now);
  const housekeeping = new Housekeeping(client, shelf, mix, mailboxes, { ...bench.config, inboxes: ['inbox-1'] }, () => now);
  return { mix, housekeeping };
}

const round = async (settings: Partial<MixSettings> = {}) => (await mixAndMore(settings)).mix.round(running);
const deliver = (text: string, to = thread, by = signer()) => sealReply({ team: bench.team, text }, to.address, by);
const put = (...deliveries: Delivery[]) => bench.put(admin, ...deliveries.map((delivery) => bench.parcel({ kind: 'reply', delivery })));
const remove = (reply: Uint8Array | null, of = thread) => bench.put(admin, bench.parcel({ kind: 'delete', thread: of, reply }));
const dropped = () => admin.hgetall(keys.dropped);

/** What the relay shows of a mailbox, all pages. */
async function waiting(of = thread): Promise<Buffer[]> {
  const reader = new Reader(await redis.connect('relay'), bench.config.replyWeeks, () => now);
  const mailbox = mailboxOf(of.address);
  const { total } = await reader.read(mailbox, 0);
  const pages = await Promise.all(Array.from({ length: Math.ceil(total / 2) }, (_, page) => reader.read(mailbox, page)));
  return pages.flatMap(({ places }) => places.map((place) => Buffer.from(place))).slice(0, total);
}

/** Puts them into the mailbox one round after the other, so that their order is known. */
async function fill(count: number): Promise<Buffer[]> {
  const deliveries = Array.from({ length: count }, (_, i) => deliver(String(i)));
  for (const delivery of deliveries) {
    await put(delivery);
    await round();
  }
  return deliveries.map(({ reply }) => Buffer.from(reply));
}

describe('a reply', () => {
  it('goes into the mailbox', async () => {
    const delivery = deliver('ответ');
    await put(delivery);
    await round();
    expect(await waiting()).toEqual([Buffer.from(delivery.reply)]);
    expect(await waiting(threadOf(randomBytes(32)))).toEqual([]);
    expect(await dropped()).toEqual({});
  });

  it("of a stranger, or of a signer that a new keyring leaves out, is dropped as 'signer'", async () => {
    await put(deliver('x', thread, signingKeyPair(randomBytes(32))));
    await round();
    expect(await dropped()).toEqual({ signer: '1' });
    await bench.keyring(2, { signers: [] });
    await put(deliver('y'));
    await round();
    expect(await dropped()).toEqual({ signer: '2' });
    expect(await waiting()).toEqual([]);
  });

  it("moved to another mailbox, or with a broken signature, is dropped as 'signature'", async () => {
    const delivery = deliver('x');
    const other = threadOf(randomBytes(32));
    await put({ ...delivery, mailbox: mailboxOf(other.address) }, { ...delivery, signature: randomBytes(64) });
    await round();
    expect(await dropped()).toEqual({ signature: '2' });
    expect([await waiting(), await waiting(other)]).toEqual([[], []]);
  });

  it('is kept once when it is sealed into two parcels, in one round or in two', async () => {
    const delivery = deliver('x');
    await put(delivery, delivery);
    await round();
    await put(delivery);
    await round();
    expect(await waiting()).toHaveLength(1);
  });

  it('in a parcel that was opened before is a replay, also after it was deleted', async () => {
    const delivery = deliver('x');
    const parcel = bench.parcel({ kind: 'reply', delivery });
    await bench.put(admin, parcel);
    await round();
    await remove(replyId(delivery.reply));
    await round();
    await bench.put(admin, parcel);
    await round();
    expect(await dropped()).toEqual({ replay: '1' });
    expect(await waiting()).toEqual([]);
  });

  it('is the seventeenth of a week: dropped, and the sixteen stay', async () => {
    await put(...Array.from({ length: REPLIES_A_WEEK + 1 }, (_, i) => deliver(String(i))));
    await round();
    expect(await dropped()).toEqual({ 'mailbox-full': '1' });
    expect(await waiting()).toHaveLength(REPLIES_A_WEEK);
  });

  it('waits in the pool while no keyring is valid, and no round says that all is done', async () => {
    now = new Date(Date.now() + WEEK_MS + 3_600_000);
    await put(deliver('x'));
    const { mix } = await mixAndMore();
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(1);
    expect(mix.lastSweep).toBeNull();
    now = new Date();
    await round();
    expect(await waiting()).toHaveLength(1);
  });

  it('waits in the pool while too many are kept, and that is told', async () => {
    await fill(1);
    await put(deliver('more'));
    const limits = { ...bench.config.limits, replies: 1 };
    await round({ limits });
    expect(await admin.hlen(keys.pool)).toBe(1);
    expect((await readState(admin)).mix.held).toBe('replies-full');
    await round();
    expect(await waiting()).toHaveLength(2);
  });

  it('of a worker that died is delivered once by another', async () => {
    const parcel = bench.parcel({ kind: 'reply', delivery: deliver('x') });
    await bench.put(admin, parcel);
    const dead = new Claims(client, 'dead');
    await dead.take([parcel.id]);
    await admin.del(keys.lease('dead'));
    await round();
    const bucket = bucketOf(mailboxOf(thread.address), weekOf(now));
    expect(await dead.commit([{ kind: 'reply', id: parcel.id, serial: 1, reply: Buffer.from('x'), bucket }])).toBe(false);
    expect(await waiting()).toHaveLength(1);
  });
});

describe('a requester', () => {
  it('deletes one: those behind it move up and keep their order', async () => {
    const replies = await fill(4);
    await remove(replyId(replies[1] ?? Buffer.alloc(0)));
    await round();
    expect(await waiting()).toEqual([replies[0], replies[2], replies[3]]);
  });

  it('deletes the whole mailbox, over all weeks, and nobody else’s', async () => {
    const other = threadOf(randomBytes(32));
    const kept = deliver('other', other);
    await put(deliver('x'), kept);
    await round();
    await remove(null);
    await round();
    expect([await waiting(), await waiting(other)]).toEqual([[], [Buffer.from(kept.reply)]]);
  });

  it('deletes nothing with what is not there or with another thread', async () => {
    const [reply = Buffer.alloc(0)] = await fill(1);
    await remove(randomBytes(32));
    await remove(replyId(reply), threadOf(randomBytes(32)));
    await remove(null, threadOf(randomBytes(32)));
    await round();
    expect(await waiting()).toEqual([reply]);
    expect(await dropped()).toEqual({ 'reply-gone': '2' });
  });

  it('leaves nothing of a deleted reply in Redis or in its append-only file', async () => {
    const [reply = Buffer.alloc(0)] = await fill(1);
    await remove(null);
    const { mix, housekeeping } = await mixAndMore();
    await mix.round(running);
    const canary = reply.subarray(2_000, 2_064);
    expect(await inLog(canary)).toBe(true);
    await housekeeping.run();
    await until('the log is rewritten', async () => !(await inLog(canary)), 20_000);
    expect(await admin.hlen(keys.replies(weekOf(now)))).toBe(0);
  });
});

async function inLog(canary: Buffer): Promise<boolean> {
  const folder = join(redis.dir, 'appendonlydir');
  const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name)).catch(() => Buffer.alloc(0))));
  return files.some((file) => file.includes(canary));
}

it('housekeeping forgets whole weeks, on the clock that is the same for everyone', async () => {
  const { housekeeping } = await mixAndMore();
  const oldest = weekOf(now) - bench.config.replyWeeks;
  for (const week of [oldest - 1, oldest]) await admin.hset(keys.replies(week), 'place', 'x');
  await housekeeping.run();
  expect(await admin.exists(keys.replies(oldest - 1))).toBe(0);
  expect(await admin.exists(keys.replies(oldest))).toBe(1);
});

it('who reads all of Redis finds nothing that two replies of a mailbox have in common, no time and no order', async () => {
  const replies = await fill(2);
  const key = keys.replies(weekOf(now));
  const kept = await admin.hgetallBuffer(key);
  const fields = await admin.hkeysBuffer(key);
  expect(Object.keys(kept)).toHaveLength(2);
  expect(fields.map(({ length }) => length)).toEqual([16, 16]);
  const dump = Buffer.concat([...fields, ...(await admin.hvalsBuffer(key))]);
  const mailbox = mailboxOf(thread.address);
  for (const secret of [mailbox, thread.mailboxKey, thread.signing.key, signer().key]) expect(dump.includes(Buffer.from(secret))).toBe(false);
  // Behind the first line, which every age file has, no eight bytes stand in both.
  const chunks = (bytes: Buffer) => Array.from({ length: bytes.length - 7 }, (_, i) => bytes.toString('hex', i, i + 8));
  const [first = [], second = []] = replies.map((reply) => chunks(reply.subarray(64)));
  const known = new Set(first);
  expect(second.filter((chunk) => known.has(chunk))).toEqual([]);
  expect(await admin.pttl(key)).toBe(-1);
  expect(await admin.object('ENCODING', key)).toBe('hashtable');
});
