// The functions that the relay calls in Redis, with arguments of an attacker's choice: what they cost, and what they can change.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REPLIES_A_PAGE } from '../../crypto/mailbox.ts';
import { callFunction, functionName, provideFunctions } from '../../redis/functions.ts';
import { keys } from '../../redis/keys.ts';
import { MAX_REPLY_WEEKS, REPLIES_A_WEEK } from '../../redis/mailboxes.ts';
import { Pool } from '../../server/pool.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const KEY = keys.replies(7);
const PLACES = Array.from({ length: REPLIES_A_WEEK }, (_, place) => `place-${String(place)}`);
const WEEKS = Array.from({ length: MAX_REPLY_WEEKS + 1 }, (_, week) => keys.replies(week));
const KEY_ID = '1f'.repeat(16);
const SETS = [keys.seen(KEY_ID), keys.arrived(KEY_ID)];

let server: TestRedis;
let admin: Redis;
let relay: Redis;
beforeAll(async () => {
  server = await startRedis();
  admin = await server.connect('admin');
  relay = await server.connect('relay');
  await admin.hset(keys.pool, 'id', 'sealed');
  await admin.hset(keys.outbox('inbox-1'), 'letter', 'ciphertext');
  await admin.hset(keys.dead('inbox-1'), 'refused', 'ciphertext');
  await admin.set(keys.alive, '300', 'EX', 3600);
  await admin.hset(KEY, 'place', 'sealed');
  await provideFunctions(await server.connect('worker'));
});
afterAll(() => server.stop());

/** How often Redis ran these commands in total since the last call. */
const counted = async (...commands: string[]): Promise<number> => {
  const stats = await admin.info('commandstats');
  await admin.config('RESETSTAT');
  return commands.reduce((sum, command) => sum + Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0), 0);
};
const everything = async (): Promise<unknown> => {
  const names = (await admin.keys('*')).toSorted();
  return Promise.all(names.map(async (name) => [name, (await admin.dumpBuffer(name))?.toString('hex')]));
};

const far = ['9007199254740992', '1e300', '-1e300', 'inf', '-inf', 'nan', '-1', '0.5', 'x', ''];
it.each<[string, string[], string[]]>([
  ...far.map((first): [string, string[], string[]] => [`from ${JSON.stringify(first)} on`, [keys.repliesBlank, KEY], [first, ...PLACES]]),
  [
    'in a great many weeks',
    [keys.repliesBlank, ...Array.from({ length: 3_000 }, () => KEY)],
    ['0', ...Array.from({ length: 3_000 }, () => PLACES).flat()],
  ],
  ['in one week more than there are', [keys.repliesBlank, ...WEEKS, KEY], ['0', ...[...WEEKS, KEY].flatMap(() => PLACES)]],
  ['in a great many places', [keys.repliesBlank, KEY], ['0', ...Array.from({ length: 48_000 }, (_, place) => String(place))]],
  ['nowhere', [], []],
  ['in no week', [KEY], ['0']],
  ['without places', [keys.repliesBlank, KEY], ['0']],
])('reading %s takes no longer than from a mailbox', async (_how, names, args) => {
  await counted();
  await callFunction(relay, 'read', names, args).catch(() => undefined);
  expect(await counted('hexists', 'hget')).toBeLessThanOrEqual(WEEKS.length * REPLIES_A_WEEK + REPLIES_A_PAGE);
});

it('reading finds replies in any week that there can be', async () => {
  const found = await callFunction(
    relay,
    'read',
    [keys.repliesBlank, ...WEEKS],
    [0, ...WEEKS.flatMap(() => ['place', ...PLACES.slice(1)])],
  );
  expect(found).toEqual([1, Buffer.from('sealed'), null]);
});

it.each<[string, string[], string[]]>([
  ['over a parcel', [keys.pool, ...SETS], ['id', 'other', '1e300', '1e300']],
  ['without limits', [keys.pool, ...SETS], ['new', 'other']],
  ['with limits that are none', [keys.pool, ...SETS], ['new', 'other', 'x', '']],
  ['without arguments', [keys.pool, ...SETS], []],
  ['nowhere', [], ['new', 'other', '9', '9']],
  ['into sets', SETS.concat(SETS), ['new', 'other', '9', '9']],
  ['among letters', [keys.outbox('inbox-1'), ...SETS], ['new', 'other', '9', '9']],
  ['among dead letters', [keys.dead('inbox-1'), ...SETS], ['new', 'other', '9', '9']],
  ['among replies', [KEY, ...SETS], ['new', 'other', '9', '9']],
  ['as the sign of life', [keys.pool, keys.seen(KEY_ID), keys.alive], ['new', 'other', '9', '9']],
])('putting something %s changes nothing but the ids of this round', async (_how, names, args) => {
  const before = await everything();
  await counted();
  await callFunction(relay, 'put', names, args).catch(() => undefined);
  expect(await counted('sismember', 'scard', 'hlen', 'sadd', 'hsetnx')).toBeLessThanOrEqual(7);
  await admin.del(...SETS);
  expect(await everything()).toEqual(before);
});

it.each([
  ['FCALL', 'read', keys.repliesBlank, KEY],
  ['FCALL_RO', 'put', keys.pool, ...SETS],
  ['FCALL_RO', 'read', keys.pool, keys.pool],
  ['FCALL_RO', 'read', KEY, keys.outbox('inbox-1')],
])('the relay cannot %s %s %s …', async (command, name, ...names) => {
  const calling = relay.call(command, functionName(name as 'put' | 'read'), names.length, ...names, '0', ...PLACES);
  await expect(calling).rejects.toThrow(/NOPERM|Can not execute a script with write flag|ACL failure/);
});

it('Redis keeps the functions when it starts again, and what they wrote', async () => {
  const parcel = { id: new Uint8Array(32).fill(7), sealed: new Uint8Array(9) };
  const limits = { poolLimit: 9, seenLimit: 9 };
  expect(await new Pool(relay, limits).put(parcel, KEY_ID)).toBe('accepted');
  for (const again of [() => server.kill9(), async () => void (await admin.bgrewriteaof())]) {
    await again();
    await server.restart();
    admin = await server.connect('admin');
    relay = await server.connect('relay');
    expect([await admin.hlen(keys.pool), await admin.scard(keys.arrived(KEY_ID))]).toEqual([2, 2]);
    expect(await new Pool(relay, limits).put(parcel, KEY_ID)).toBe('accepted');
    expect(await callFunction(relay, 'ping', [], [])).toBe(1);
  }
});
