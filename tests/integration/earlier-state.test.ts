// The state and pool that an earlier commit left, served by today's code: however a process is reorganised inside,
// an updated relay finds what the one before it left. Each case continues where the one before it ended.
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseAnswer } from '../../crypto/answer.ts';
import { signersOf } from '../../crypto/keyring.ts';
import { frameParcel, parcelId } from '../../crypto/parcel.ts';
import { openReply } from '../../crypto/reply.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { listDead, retryDead } from '../../operator/dead-letters.ts';
import { commandsOf } from '../../runtime/installation.ts';
import { readStatus, type Status } from '../../operator/status.ts';
import type { Relay } from '../../server/relay.ts';
import { createWorker } from '../../worker/worker.ts';
import { readMailbox } from '../support/conversation.ts';
import { EarlierState } from '../support/earlier-state.ts';
import { postParcel } from '../support/http.ts';
import { DIFFICULTY } from '../support/relay.ts';
import { until } from '../support/worker.ts';

const NEW = 'Первое письмо после обновления';
/** Many more rounds than a pool of seven needs, when half of it leaves in each. */
const MOST_ROUNDS = 200;
const DAYS_OF_BACKLOG = 4;
const SERIAL = 2;
/** The first member of every set of ids, which is not an id. */
const ANCHOR = '-'.repeat(65);

let state: EarlierState;
let admin: Redis;
let operator: Redis;
let served: { url: string; relay: Relay };
let before: { keys: string[]; fields: string[]; opened: number[] };

beforeAll(async () => {
  state = await EarlierState.restore();
  admin = state.admin;
  operator = await state.redis.connect('operator');
  before = { keys: await shapes(), fields: await fields(), opened: (await ids('opened')).map(({ length }) => length) };
  // The relay has no clock that a test could set: weeks of replies and keyrings are as they were then.
  vi.useFakeTimers({ toFake: ['Date'], now: state.now, shouldAdvanceTime: true });
});
afterAll(async () => {
  vi.useRealTimers();
  await served?.relay.destroy();
  await state?.stop();
});

/** Names in Redis, without the part that belongs to one worker, keyring, week or tick. */
async function shapes(): Promise<string[]> {
  const names = (await admin.keys('*')).map((key) => key.replaceAll(/(?<=:)(?:[0-9a-f]{32}|\d+)(?=:|$)/g, '*'));
  return [...new Set(names)].sort();
}

const fields = async (): Promise<string[]> => (await admin.hkeys('state')).sort();
const dropped = (): Promise<Record<string, string>> => admin.hgetall('dropped');
/** Then there were no notices. */
const withCodes = (status: Status) => ({ ...status, notices: undefined, attention: status.attention.map(({ code }) => code) });

/** By serial, in hex. */
async function ids(set: 'seen' | 'arrived' | 'opened'): Promise<string[][]> {
  const members = await Promise.all(state.keyIds.map((id) => admin.smembersBuffer(`${set}:${id}`)));
  return members.map((of) =>
    of
      .filter((id) => id.toString('latin1') !== ANCHOR)
      .map((id) => id.toString('hex'))
      .sort(),
  );
}

async function post(sealed: Uint8Array, serial: number): Promise<string> {
  return parseAnswer((await postParcel(served.url, stampParcel(frameParcel(sealed, serial), DIFFICULTY))).body).result;
}

/** All parcels of a hash like the pool, each with its serial. */
async function parcelsIn(key: string): Promise<{ sealed: Buffer; serial: number }[]> {
  const [first = ''] = state.keyIds;
  return Promise.all(
    (await admin.hkeysBuffer(key)).map(async (id) => {
      const short = id.subarray(0, 16);
      const isOfFirst = (await admin.sismember(`arrived:${first}`, short)) + (await admin.sismember(`seen:${first}`, short)) > 0;
      return { sealed: (await admin.hgetBuffer(key, id)) ?? Buffer.alloc(0), serial: isOfFirst ? 1 : SERIAL };
    }),
  );
}

async function answers(): Promise<string[]> {
  const {
    keyring: { keyring },
    thread,
  } = state;
  const { total, replies } = await readMailbox(served, thread);
  expect(replies).toHaveLength(total);
  return replies.map((reply) => openReply(reply, thread.identity, thread.signing.key, signersOf(keyring)).text);
}

/** Runs rounds until nothing is in transit. */
async function empty(): Promise<void> {
  const onTheWay = ['pool', 'claims', ...Object.keys(state.expected.inboxes).map((inbox) => `outbox:${inbox}`)];
  for (let rounds = 0; rounds < MOST_ROUNDS && (await admin.exists(...onTheWay)) > 0; rounds += 1) await state.wholeRound();
  expect(await admin.exists(...onTheWay)).toBe(0);
}

test('an operator is shown the state of an earlier commit as it was then', async () => {
  const { status } = state.expected;
  // Then letters were counted whenever somebody asked, and not once a round.
  const inboxes = status.inboxes.map((inbox) => ({ ...inbox, waiting: null }));
  expect(withCodes(await readStatus(operator, state.now, commandsOf(undefined)))).toMatchObject({ ...status, inboxes });
  expect(await listDead(operator, Object.keys(state.expected.inboxes))).toEqual(state.expected.deadList);
});

test('the relay takes nothing again that it took then, accepts new parcels, and serves the replies that waited', async () => {
  served = await state.relay();
  const replayed = { sealed: await readFile(join(state.dir, 'replayed.bin')), serial: SERIAL };
  const known = [...(await parcelsIn('pool')), ...(await parcelsIn(`claim:${state.expected.claim.instance}`)), replayed];
  expect(known).toHaveLength(7);
  for (const { sealed, serial } of known) expect(await post(sealed, serial)).toBe('accepted');
  expect(await admin.hlen('pool')).toBe(5);

  const parcel = stampParcel(sealRequest({ topic: 'other', language: 'ru', message: NEW }, state.keyring), DIFFICULTY);
  expect(parseAnswer((await postParcel(served.url, parcel)).body).result).toBe('accepted');
  expect(await admin.hlen('pool')).toBe(6);
  expect(await answers()).toEqual(state.expected.replies.before);
});

test('a batch of another worker is left to it while it may live', async () => {
  const { instance, parcel } = state.expected.claim;
  await state.meanwhile(() => state.wholeRound());
  expect((await admin.hkeysBuffer(`claim:${instance}`)).map((id) => id.toString('hex'))).toEqual([parcel]);
  // It was delivering to this inbox.
  expect(await admin.hlen('outbox:second')).toBeGreaterThan(0);
});

test('each letter arrives once in each of its inboxes, under the name that it would have had', async () => {
  // Somebody who can write to Redis replays what was opened before.
  const replayed = await readFile(join(state.dir, 'replayed.bin'));
  await admin.hset('pool', Buffer.from(parcelId(replayed)), replayed);
  await state.outlive();
  await empty();
  for (const [inbox, letters] of Object.entries(state.expected.inboxes)) {
    const found = await state.inbox(inbox);
    const fresh = Object.entries(found).filter(([name, text]) => !(name in letters) && text === NEW);
    expect(fresh).toHaveLength(inbox === 'third' ? 1 : 0);
    expect(found).toEqual({ ...letters, ...Object.fromEntries(fresh) });
  }
});

test('the access code reads the new answer, and no longer the removed one', async () => {
  expect(await answers()).toEqual(state.expected.replies.after);
});

test('counters and remembered ids continue from where they were, and replays are refused', async () => {
  expect(await dropped()).toEqual({ ...state.expected.dropped, replay: '1' });
  const [seen, opened] = [await ids('seen'), await ids('opened')];
  // All that ever came was opened, and is remembered for its key: the further letter and the batch under the first,
  // the other four and the new one under the second.
  expect(seen).toEqual(opened);
  expect(seen.map(({ length }, i) => length - (before.opened[i] ?? 0))).toEqual([2, 5]);
  expect((await ids('arrived')).flat()).toEqual([]);
});

test('the dead letter is tried again, and the warnings of then are over', async () => {
  const { inbox, file, text } = state.expected.dead;
  expect(await retryDead(operator, inbox)).toBe(1);
  await state.wholeRound();
  expect(await state.inbox(inbox)).toMatchObject({ [file]: text });
  const { attention, ...status } = withCodes(await readStatus(operator, state.now, commandsOf(undefined)));
  // A drop is reported for a day. The rounds of this test have moved its clock, and not the relay's.
  expect(attention).toEqual(['PARCELS_DAMAGED', 'CLOCKS_DIFFER']);
  expect(status).toMatchObject({ relay: 'answers', worker: 'working', roundSeconds: 300, pool: '0', replies: '1-9', keyring: 'ok' });
  expect(status.inboxes).toEqual(['first', 'second', 'third'].map((id) => ({ id, waiting: '0', dead: '0', troubles: {} })));
});

test('the worker’s ticks continue on schedule', async () => {
  const schedulers = 'ticks:rounds:repeat';
  const [names, next] = [(await admin.zrange(schedulers, '0', '-1')).sort(), Number(await admin.zscore(schedulers, 'mix'))];
  vi.setSystemTime(next - 1_000);
  await admin.del('worker:alive');
  const worker = await createWorker(state.bench.config);
  await worker.start();
  await until('a tick', async () => (await admin.exists('worker:alive')) === 1);
  await worker.destroy();
  expect((await admin.zrange(schedulers, '0', '-1')).sort()).toEqual(names);
  expect(Number(await admin.zscore(schedulers, 'mix'))).toBe(next + 300_000);
});

test('nothing is stored under other names than then', async () => {
  // The version of the data, which there was none of (redis/version.ts), and what an operator asks the worker for (redis/asking.ts).
  expect([...before.keys, 'version', 'asked:retries', 'retries']).toEqual(expect.arrayContaining(await shapes()));
  // By which nothing was deleted then (worker/deletion-clock.ts).
  const clocks = ['deletionHour', 'clockAheadDays'];
  // What operators were not told then (redis/state.ts).
  const told = ['keyringFiles', 'aof', 'clock', 'emptied', 'gaps', 'keysUntil', 'redisSettings', 'trial', 'version'];
  const counted = ['first', 'second', 'third'].map((inbox) => `waiting:${inbox}`);
  expect([...before.fields, ...clocks, ...told, ...counted]).toEqual(expect.arrayContaining(await fields()));
});

test('parcels of a keyring are forgotten with the worker’s key for it', async () => {
  state.later(DAYS_OF_BACKLOG * 24);
  for (let rounds = 0; rounds < 3; rounds += 1) await state.wholeRound();
  const [first = '', second = ''] = state.keyIds;
  expect(await admin.exists(`seen:${first}`, `arrived:${first}`, `opened:${first}`)).toBe(0);
  expect(await admin.exists(`seen:${second}`, `opened:${second}`)).toBe(2);
  await expect(access(join(state.bench.config.identities, 'worker-1.txt'))).rejects.toThrow('ENOENT');
  await access(join(state.bench.config.identities, 'worker-2.txt'));
});
