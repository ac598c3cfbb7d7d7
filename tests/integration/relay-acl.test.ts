import { connect } from 'node:net';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../store/keys.ts';
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
  ...['FLUSHALL', 'FLUSHDB', 'SAVE', 'SHUTDOWN NOSAVE', 'REPLICAOF NO ONE', 'DUMP pool', 'OBJECT IDLETIME pool', 'CLIENT KILL TYPE normal', 'SUBSCRIBE x'],
  ...['MODULE LIST', 'PSYNC ? -1', 'MIGRATE h 1 pool 0 1', 'FUNCTION LIST', 'SWAPDB 0 0', 'RANDOMKEY', 'DBSIZE', 'COMMAND'],
];

const READS_POOL = ['HGETALL pool', 'HKEYS pool', 'HVALS pool', 'HSCAN pool 0', 'HGET pool id', 'HMGET pool id', 'HRANDFIELD pool', 'HEXISTS pool id', 'HSTRLEN pool id'];
const SPOILS_POOL = ['DEL pool', 'UNLINK pool', 'HDEL pool id', 'HSET pool id other', 'RENAME pool seen:1', 'EXPIRE pool 1', 'COPY pool seen:9'];
const FOREIGN = ['HLEN outbox:inbox-1', 'HGETALL outbox:inbox-1', 'SMEMBERS claims', 'GET lease:1', 'HGETALL dropped', 'SADD opened:1 x', 'SET worker:alive 1', 'DEL worker:alive'];

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
  it.each([...READS_POOL, ...SPOILS_POOL, ...FOREIGN, 'SMEMBERS seen:1', 'SPOP seen:1', 'SRANDMEMBER seen:1', 'SREM seen:1 x', 'INFO', 'TIME'])('cannot %s', async (line) => {
    await expect(run(await server.connect('relay'), line)).rejects.toThrow(/NOPERM/);
  });

  it.each([...READS_POOL, ...SPOILS_POOL])('cannot %s by way of a script', async (line) => {
    const relay = await server.connect('relay');
    const [command = '', ...args] = line.split(' ');
    const lua = 'return redis.call(ARGV[1], unpack(ARGV, 2))';
    await expect(relay.eval(lua, 1, 'pool', command, ...args)).rejects.toThrow(/ACL failure|can't run this command|can't access at least one of the keys/);
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

  const all = ['HGETALL', 'HKEYS', 'HVALS', 'HLEN', 'HRANDFIELD', 'DEL', 'UNLINK', 'TYPE', 'EXISTS', 'PTTL', 'DUMP'].map((command) => `${command} ${KEY}`);
  const some = [`HSCAN ${KEY} 0`, `HMGET ${KEY} place`, `HSTRLEN ${KEY} place`, `HSET ${KEY} place x`, `HSETNX ${KEY} more x`, `HDEL ${KEY} place`, `RENAME ${KEY} pool`, `EXPIRE ${KEY} 9`];
  it.each([...all, ...some])('cannot %s', async (line) => {
    await expect(run(await server.connect('relay'), line)).rejects.toThrow(/NOPERM/);
    expect(await admin.hgetall(KEY)).toEqual({ place: 'sealed' });
  });

  it.each([...all, ...some])('cannot %s by way of a script', async (line) => {
    const [command = '', ...args] = line.split(' ');
    const relay = await server.connect('relay');
    for (const [script, ...names] of [['EVAL', 0], ['EVAL_RO', 0], ['EVAL_RO', 1, KEY]] as const) {
      const calling = relay.call(script, 'return redis.call(ARGV[1], unpack(ARGV, 2))', names[0], ...names.slice(1), command, ...args);
      await expect(calling).rejects.toThrow(/ACL failure|can't run this command|can't access at least one of the keys|Write commands are not allowed/);
    }
    expect(await admin.hgetall(KEY)).toEqual({ place: 'sealed' });
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

  it.each([...READS_POOL, ...SPOILS_POOL, ...['HGET % letter', 'HSET % letter x', 'HKEYS %', 'HGETALL %', 'HDEL % letter', 'DEL %', 'UNLINK %', 'EXPIRE % 1'].map((line) => line.replace('%', 'outbox:inbox-1')), 'EVAL x 0'])('cannot %s', async (line) => {
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

it('what scripts and transactions wrote is there after a restart', async () => {
  const relay = await server.connect('relay');
  const script = "redis.call('SADD', KEYS[2], 'a', 'b') return redis.call('HSETNX', KEYS[1], 'kept', 'sealed')";
  expect(await relay.eval(script, 2, keys.pool, keys.seen(1))).toBe(1);
  await server.kill9();
  await server.restart();
  admin = await server.connect('admin');
  expect(await admin.hget(keys.pool, 'kept')).toBe('sealed');
  expect(await admin.scard(keys.seen(1))).toBe(2);
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
    'no-appendfsync-on-rewrite': 'no',
  };
  for (const [name, value] of Object.entries(settings)) expect(await admin.config('GET', name)).toEqual([name, value]);
  expect(await admin.object('ENCODING', keys.pool)).toBe('hashtable');
});
