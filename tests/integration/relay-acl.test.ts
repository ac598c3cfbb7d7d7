import { connect } from 'node:net';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPLIES_A_PAGE } from '../../crypto/mailbox.ts';
import { Pool } from '../../server/pool.ts';
import { callFunction, functionName, provideFunctions } from '../../redis/functions.ts';
import { keys } from '../../redis/keys.ts';
import { MAX_REPLY_WEEKS, REPLIES_A_WEEK } from '../../redis/mailboxes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let server: TestRedis;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis();
  admin = await server.connect('admin');
  await admin.hset(keys.pool, 'id', 'sealed');
  await admin.hset(keys.outbox('inbox-1'), 'letter', 'ciphertext');
  await admin.hset(keys.dead('inbox-1'), 'refused', 'ciphertext');
  await admin.set(keys.alive, '300', 'EX', 3600);
});
afterAll(() => server.stop());

/** Commands that show, find, or watch what others do. No role has them. */
const NOBODY = [
  ...['CONFIG GET *', 'CONFIG SET appendfsync no', 'KEYS *', 'SCAN 0', 'MONITOR', 'SLOWLOG GET', 'LATENCY LATEST', 'ACL LIST', 'ACL LOG'],
  ...[
    'FLUSHALL',
    'FLUSHDB',
    'SAVE',
    'SHUTDOWN NOSAVE',
    'REPLICAOF NO ONE',
    'DUMP pool',
    'OBJECT IDLETIME pool',
    'CLIENT KILL TYPE normal',
    'SUBSCRIBE x',
  ],
  ...[
    'MODULE LIST',
    'PSYNC ? -1',
    'MIGRATE h 1 pool 0 1',
    'FUNCTION LIST',
    'FUNCTION FLUSH',
    'FUNCTION DELETE relay',
    'FUNCTION KILL',
    'SCRIPT FLUSH',
    'SCRIPT KILL',
    'SWAPDB 0 0',
    'RANDOMKEY',
    'DBSIZE',
    'COMMAND',
  ],
];

/** Code of one's own, which could run without end. */
const CODE = [
  ...['EVAL @ 0', 'EVAL_RO @ 0', 'EVALSHA @ 0', 'EVALSHA_RO @ 0', 'SCRIPT LOAD @', 'SCRIPT EXISTS @'].map((line) =>
    line.replace('@', 'while(true)do\tend'),
  ),
  ...['FUNCTION LOAD @', 'FUNCTION LOAD REPLACE @', 'FUNCTION RESTORE @'],
];

const READS_POOL = [
  'HGETALL pool',
  'HKEYS pool',
  'HVALS pool',
  'HSCAN pool 0',
  'HGET pool id',
  'HMGET pool id',
  'HRANDFIELD pool',
  'HEXISTS pool id',
  'HSTRLEN pool id',
];
const SPOILS_POOL = [
  'DEL pool',
  'UNLINK pool',
  'HDEL pool id',
  'HSET pool id other',
  'RENAME pool seen:1',
  'EXPIRE pool 1',
  'COPY pool seen:9',
];
const FOREIGN = [
  'HLEN outbox:inbox-1',
  'HGETALL outbox:inbox-1',
  'SMEMBERS claims',
  'GET lease:1',
  'HGETALL dropped',
  'SADD opened:1 x',
  'SET worker:alive 1',
  'DEL worker:alive',
];

const run = (redis: Redis, line: string) => {
  const [command = '', ...args] = line.split(' ');
  return redis.call(command, ...args);
};

describe.each(['relay', 'worker', 'operator'] as const)('%s', (role) => {
  it.each(NOBODY)('has no %s', async (line) => {
    await expect(run(await server.connect(role), line)).rejects.toThrow(/NOPERM/);
  });

  it('has no DEBUG', async () => {
    await expect(run(await server.connect(role), 'DEBUG SLEEP 0')).rejects.toThrow(/NOPERM|not allowed/);
  });
});

describe('the relay', () => {
  it.each([
    ...READS_POOL,
    ...SPOILS_POOL,
    ...FOREIGN,
    'SMEMBERS seen:1',
    'SPOP seen:1',
    'SRANDMEMBER seen:1',
    'SREM seen:1 x',
    'INFO',
    'TIME',
    ...CODE,
  ])('cannot %s', async (line) => {
    await expect(run(await server.connect('relay'), line)).rejects.toThrow(/NOPERM/);
  });

  it('can add, count, and see that the worker is alive', async () => {
    const relay = await server.connect('relay');
    expect(await relay.hsetnx(keys.pool, 'id', 'other')).toBe(0);
    expect(await admin.hget(keys.pool, 'id')).toBe('sealed');
    expect(await relay.hlen(keys.pool)).toBe(1);
    expect(await relay.get(keys.alive)).toBe('300');
    expect(await relay.pttl(keys.alive)).toBeGreaterThan(0);
  });
});

describe('the relay, of replies,', () => {
  const KEY = keys.replies(7);
  beforeAll(() => admin.hset(KEY, 'place', 'sealed'));

  it('finds those whose places it can name', async () => {
    const relay = await server.connect('relay');
    expect([await relay.hexists(KEY, 'place'), await relay.hexists(KEY, 'other')]).toEqual([1, 0]);
    expect([await relay.hget(KEY, 'place'), await relay.hget(KEY, 'other')]).toEqual(['sealed', null]);
  });

  const all = ['HGETALL', 'HKEYS', 'HVALS', 'HLEN', 'HRANDFIELD', 'DEL', 'UNLINK', 'TYPE', 'EXISTS', 'PTTL', 'DUMP'].map(
    (command) => `${command} ${KEY}`,
  );
  const some = [
    `HSCAN ${KEY} 0`,
    `HMGET ${KEY} place`,
    `HSTRLEN ${KEY} place`,
    `HSET ${KEY} place x`,
    `HSETNX ${KEY} more x`,
    `HDEL ${KEY} place`,
    `RENAME ${KEY} pool`,
    `EXPIRE ${KEY} 9`,
  ];
  it.each([...all, ...some])('cannot %s', async (line) => {
    await expect(run(await server.connect('relay'), line)).rejects.toThrow(/NOPERM/);
    expect(await admin.hgetall(KEY)).toEqual({ place: 'sealed' });
  });
});

describe('the relay, of functions,', () => {
  const KEY = keys.replies(7);
  const PLACES = Array.from({ length: REPLIES_A_WEEK }, (_, place) => `place-${String(place)}`);
  const WEEKS = Array.from({ length: MAX_REPLY_WEEKS + 1 }, (_, week) => keys.replies(week));
  let relay: Redis;
  beforeAll(async () => {
    relay = await server.connect('relay');
    await admin.hset(KEY, 'place', 'sealed');
    await provideFunctions(await server.connect('worker'));
  });

  /** How often Redis did each of these since it was asked last. */
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

  it('reads from all weeks that there may be', async () => {
    const found = await callFunction(
      relay,
      'read',
      [keys.repliesBlank, ...WEEKS],
      [0, ...WEEKS.flatMap(() => ['place', ...PLACES.slice(1)])],
    );
    expect(found).toEqual([1, Buffer.from('sealed'), null]);
  });

  const SETS = [keys.seen(1), keys.arrived(1)];
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
    ['as the sign of life', [keys.pool, keys.seen(1), keys.alive], ['new', 'other', '9', '9']],
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
  ])('cannot %s %s %s …', async (command, name, ...names) => {
    const calling = relay.call(command, functionName(name as 'put' | 'read'), names.length, ...names, '0', ...PLACES);
    await expect(calling).rejects.toThrow(/NOPERM|Can not execute a script with write flag|ACL failure/);
  });

  it('keeps them when Redis starts again, and what they wrote', async () => {
    const parcel = { serial: 1, id: new Uint8Array(32).fill(7), sealed: new Uint8Array(9), nonce: new Uint8Array(8) };
    const limits = { poolLimit: 9, seenLimit: 9 };
    expect(await new Pool(relay, limits).put(parcel)).toBe('accepted');
    for (const again of [() => server.kill9(), async () => void (await admin.bgrewriteaof())]) {
      await again();
      await server.restart();
      admin = await server.connect('admin');
      relay = await server.connect('relay');
      expect([await admin.hlen(keys.pool), await admin.scard(keys.arrived(1))]).toEqual([2, 2]);
      expect(await new Pool(relay, limits).put(parcel)).toBe('accepted');
      expect(await callFunction(relay, 'ping', [], [])).toBe(1);
    }
  });
});

describe('the operator', () => {
  it('counts', async () => {
    const operator = await server.connect('operator');
    await expect(operator.hlen(keys.pool)).rejects.toThrow(/NOPERM/);
    expect(await operator.hlen(keys.outbox('inbox-1'))).toBe(1);
    expect(await operator.pttl(keys.alive)).toBeGreaterThan(0);
    expect(await operator.hgetall(keys.dropped)).toEqual({});
  });

  it.each([
    ...READS_POOL,
    ...SPOILS_POOL,
    ...['HGET % letter', 'HSET % letter x', 'HKEYS %', 'HGETALL %', 'HDEL % letter', 'DEL %', 'UNLINK %', 'EXPIRE % 1'].map((line) =>
      line.replace('%', 'outbox:inbox-1'),
    ),
    ...CODE,
    'FCALL x 0',
    'FCALL_RO x 0',
  ])('cannot %s', async (line) => {
    await expect(run(await server.connect('operator'), line)).rejects.toThrow(/NOPERM/);
    expect(await admin.hget(keys.outbox('inbox-1'), 'letter')).toBe('ciphertext');
  });

  it('drives dead letters again', async () => {
    const operator = await server.connect('operator');
    for (const id of await operator.hkeys(keys.dead('inbox-1'))) {
      const letter = await operator.hget(keys.dead('inbox-1'), id);
      await operator.hsetnx(keys.outbox('inbox-1'), id, letter ?? '');
      await operator.hdel(keys.dead('inbox-1'), id);
    }
    expect(await admin.hget(keys.outbox('inbox-1'), 'refused')).toBe('ciphertext');
    expect(await admin.hlen(keys.dead('inbox-1'))).toBe(0);
  });
});

it('who sends without reading loses the connection, and Redis keeps its memory', async () => {
  const [, before = ''] = (await admin.config('GET', 'maxmemory-clients')) as string[];
  await admin.config('SET', 'maxmemory-clients', '8mb');
  const { username, password } = server.target('relay');
  const hog = connect(server.socketPath);
  const closed = new Promise((resolve) => hog.once('close', resolve).on('error', () => undefined));
  const ping = Buffer.from(`*2\r\n$4\r\nPING\r\n$1000000\r\n${'x'.repeat(1_000_000)}\r\n`);
  const send = (): void => {
    while (!hog.destroyed && hog.write(ping));
  };
  hog.pause().on('drain', send).write(`AUTH ${username} ${password}\r\n`);
  send();
  await closed;
  await admin.config('SET', 'maxmemory-clients', before);
  expect(await admin.hlen(keys.pool)).toBeGreaterThan(0);
});

it('nobody comes in without a password', async () => {
  const stranger = connect(server.socketPath);
  stranger.write(`PING\r\nHLEN ${keys.pool}\r\n`);
  let answer = '';
  stranger.on('data', (text: Buffer) => (answer += text.toString()));
  await expect.poll(() => answer.match(/-NOAUTH/g)?.length).toBe(2);
  stranger.destroy();
  const relay = await server.connect('relay');
  for (const guess of ['', 'default']) await expect(relay.call('AUTH', 'default', guess)).rejects.toThrow(/WRONGPASS/);
  await expect(relay.call('AUTH', 'worker', 'guess')).rejects.toThrow(/WRONGPASS/);
});

it('Redis keeps no times and no order of its own', async () => {
  const settings = {
    'aof-timestamp-enabled': 'no',
    appendfsync: 'always',
    appendonly: 'yes',
    save: '',
    port: '0',
    'slowlog-log-slower-than': '-1',
    'latency-tracking': 'no',
    'maxmemory-policy': 'noeviction',
    'maxmemory-clients': String(512 * 2 ** 20),
    'proto-max-bulk-len': String(2 ** 20),
    'no-appendfsync-on-rewrite': 'no',
  };
  for (const [name, value] of Object.entries(settings)) expect(await admin.config('GET', name)).toEqual([name, value]);
  expect(await admin.object('ENCODING', keys.pool)).toBe('hashtable');
});
