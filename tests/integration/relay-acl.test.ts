// What each role may do in Redis, and what none may.
import { connect } from 'node:net';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../redis/asking.ts';
import { keys } from '../../redis/keys.ts';
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

/** Commands that reveal keys or settings, watch other clients, or act on the whole server. No role has them. */
const NOBODY = [
  ...['CONFIG SET appendfsync no', 'KEYS *', 'SCAN 0', 'MONITOR', 'SLOWLOG GET', 'LATENCY LATEST', 'ACL LIST', 'ACL LOG'],
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

/** A client's own code, which could run for ever. */
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
    'CONFIG GET *',
    'SET drain x',
    'DEL drain',
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

  it('finds replies whose places it can name', async () => {
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

describe('the operator', () => {
  it('counts', async () => {
    const operator = await server.connect('operator');
    await expect(operator.hlen(keys.pool)).rejects.toThrow(/NOPERM/);
    await expect(operator.hlen(keys.outbox('inbox-1'))).rejects.toThrow(/NOPERM/);
    expect(await operator.hlen(keys.dead('inbox-1'))).toBe(1);
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
    'CONFIG GET *',
    'FCALL x 0',
    'FCALL_RO x 0',
  ])('cannot %s', async (line) => {
    await expect(run(await server.connect('operator'), line)).rejects.toThrow(/NOPERM/);
    expect(await admin.hget(keys.outbox('inbox-1'), 'letter')).toBe('ciphertext');
  });

  it('closes the door, and asks for a test letter', async () => {
    const operator = await server.connect('operator');
    expect(await operator.set(keys.drain, 'closing', 'NX')).toBe('OK');
    expect(await operator.del(keys.drain)).toBe(1);
    await ask(operator, 'tests', ['inbox-1']);
    await ask(operator, 'retries', ['inbox-1']);
  });

  it('reads dead letters and deletes them', async () => {
    const operator = await server.connect('operator');
    expect(await operator.hkeys(keys.dead('inbox-1'))).toEqual(['refused']);
    expect(await operator.hget(keys.dead('inbox-1'), 'refused')).toBe('ciphertext');
    expect(await operator.hdel(keys.dead('inbox-1'), 'refused')).toBe(1);
  });

  it('writes nothing but three strings, so that it can fill no memory', async () => {
    const operator = await server.connect('operator');
    const strings = [keys.drain, keys.asked('tests'), keys.asked('retries')];
    const others = [keys.outbox('inbox-1'), keys.dead('inbox-1'), keys.deadReasons('inbox-1'), keys.tests, keys.retries, keys.state];
    for (const key of [...others, keys.inboxes, keys.alive, keys.version, keys.asked('other' as 'tests'), ...strings]) {
      for (const line of [`HSET ${key} x y`, `HSETNX ${key} x y`, `SADD ${key} x`, `APPEND ${key} x`, `SETRANGE ${key} 9 x`])
        await expect(run(operator, line), line).rejects.toThrow(/NOPERM/);
      if (!strings.includes(key)) await expect(run(operator, `SET ${key} x`), key).rejects.toThrow(/NOPERM/);
    }
  });
});

it('a client that sends without reading loses its connection, and Redis keeps its memory', async () => {
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

it('nobody gets in without a password', async () => {
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
