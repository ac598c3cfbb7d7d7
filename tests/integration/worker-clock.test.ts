import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pool } from '../../server/pool.ts';
import type { Service } from '../../runtime/lifecycle.ts';
import { log } from '../../runtime/log.ts';
import { keys } from '../../redis/keys.ts';
import { Rounds } from '../../worker/rounds.ts';
import { createWorker } from '../../worker/worker.ts';
import { oneRedis } from '../support/one-redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { maildirFiles, until, workerBench, type Bench } from '../support/worker.ts';

const REPEAT = 'ticks:rounds:repeat';
let redis: TestRedis;
let admin: Redis;
let bench: Bench;
let worker: Service | undefined;
const emptyRedis = oneRedis();

beforeEach(async () => {
  redis = await emptyRedis();
  admin = await redis.connect('admin');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await worker?.destroy();
  worker = undefined;
  await redis.stop();
  await bench.remove();
});

async function start(roundSeconds: number): Promise<void> {
  bench = await workerBench(redis, { roundSeconds });
  worker = await createWorker(bench.config);
  await worker.start();
}

/** Every command in the append-only file since its last rewrite. */
async function logged(): Promise<string[][]> {
  const folder = join(redis.dir, 'appendonlydir');
  const name =
    (await readdir(folder))
      .filter((file) => file.endsWith('.incr.aof'))
      .toSorted()
      .at(-1) ?? '';
  const bytes = await readFile(join(folder, name)).catch(() => Buffer.alloc(0));
  const commands: string[][] = [];
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf('\r\n', at);
    const text = bytes.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  while (bytes[at] === 0x2a) {
    const words = Array.from({ length: Number(line().slice(1)) }, () => {
      const length = Number(line().slice(1));
      const word = bytes.toString('latin1', at, at + length);
      at += length + 2;
      return word;
    });
    commands.push(words);
  }
  return commands;
}

describe('between two ticks', () => {
  it('nothing but the relay’s writes gets into the append-only file', { timeout: 110_000 }, async () => {
    await start(120);
    await until('the first ticks', async () => (await admin.exists(keys.alive)) === 1);
    // The rewrite, and the last commands of the ticks.
    let before = await logged();
    await until('quiet', async () => {
      await sleep(3_000);
      const earlier = before;
      before = await logged();
      return before.length > 0 && before.length === earlier.length;
    });
    const pool = new Pool(await redis.connect('relay'), { poolLimit: 100, seenLimit: 100 });
    const count = 8;
    for (let index = 0; index < count; index += 1) {
      const parcel = bench.parcel({ kind: 'decoy' });
      expect(await pool.put(parcel, bench.keyId())).toBe('accepted');
      await sleep(3_100);
    }
    const between = (await logged()).slice(before.length);
    const names = between.map(([command = '', key = '']) => (key === '' ? command : `${command} ${key}`));
    expect([...new Set(names)].toSorted()).toEqual(['EXEC', 'HSETNX pool', 'MULTI', `SADD arrived:${bench.keyId()}`]);
    expect(names.filter((name) => name === 'HSETNX pool')).toHaveLength(count);
    for (const words of between) for (const word of words) if (word.length < 1_000) expect(word).not.toMatch(/1\d{12}/);
  });
});

describe('the ticks', () => {
  const nextTicks = async (): Promise<Map<string, number>> => {
    const flat = await admin.zrange(REPEAT, '0', '-1', 'WITHSCORES');
    return new Map(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, Number(flat[index + 1])] as const] : [])));
  };
  const decoyGoes = async (): Promise<void> => {
    await bench.put(admin, bench.parcel({ kind: 'decoy' }));
    await until('a round', async () => (await admin.exists(keys.pool)) === 0, 90_000);
  };

  it('continue after the clock was set back', { timeout: 60_000 }, async () => {
    const real = Date.now.bind(Date);
    const RealDate = Date;
    let aheadMs = 3_600_000;
    vi.spyOn(Date, 'now').mockImplementation(() => real() + aheadMs);
    vi.stubGlobal(
      'Date',
      new Proxy(RealDate, {
        construct: (target, args) => (args.length === 0 ? new target(real() + aheadMs) : Reflect.construct(target, args)) as object,
      }),
    );
    await start(1);
    await decoyGoes();
    aheadMs = 0;
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    await decoyGoes();
    for (const [name, next] of await nextTicks()) expect([name, Math.abs(next - Date.now()) < 10_000]).toEqual([name, true]);
  });

  it('continue when the next one was lost', { timeout: 60_000 }, async () => {
    const said = vi.spyOn(log, 'warn');
    await start(1);
    await decoyGoes();
    // As when a worker or Redis dies between taking a tick and writing the next.
    await admin.eval("for _, key in ipairs(redis.call('KEYS', 'ticks:*')) do redis.call('DEL', key) end", 0);
    await decoyGoes();
    expect(said).toHaveBeenCalledWith('ticks failed', { code: 'lost' });
  });

  it('are not needed while Redis is out of memory: letters still leave, which makes room', { timeout: 60_000 }, async () => {
    await start(1);
    await decoyGoes();
    await bench.put(admin, ...Array.from({ length: 5 }, () => bench.parcel()));
    await admin.config('SET', 'maxmemory', '100kb');
    await expect(bench.put(admin, bench.parcel())).rejects.toThrow('OOM');
    await admin.config('RESETSTAT');
    await until('the letters', async () => (await maildirFiles(join(bench.dir, 'inbox'))).length === 5);
    // Without a pause there would be thousands per second.
    expect(Number(/total_error_replies:(\d+)/.exec(await admin.info('stats'))?.[1])).toBeLessThan(1_000);
    await admin.config('SET', 'maxmemory', '0');
    await decoyGoes();
  });

  it('of a duty that joins later coincide with the others', { timeout: 60_000 }, async () => {
    bench = await workerBench(redis);
    const target = redis.target('worker');
    const duty = () => Promise.resolve();
    const first = new Rounds(target, 60_000, new Map([['mix', duty]]));
    first.start();
    await until('the first tick', async () => ((await nextTicks()).get('mix') ?? 0) > Date.now() + 1_000);
    await first.destroy();
    await sleep(2_000);
    const second = new Rounds(
      target,
      60_000,
      new Map([
        ['mix', duty],
        ['deliver-late', duty],
      ]),
    );
    second.start();
    await until('its tick', async () => (await nextTicks()).has('deliver-late'));
    const ticks = await nextTicks();
    expect(ticks.get('deliver-late')).toBe(ticks.get('mix'));
    await second.destroy();
  });

  it('that fail are reported again after a success', { timeout: 60_000 }, async () => {
    bench = await workerBench(redis);
    const said = vi.spyOn(log, 'warn');
    const rounds = new Rounds(redis.target('worker'), 1_000, new Map([['mix', () => Promise.resolve()]]));
    rounds.start();
    const times = () => said.mock.calls.filter(([event]) => event === 'ticks failed').length;
    for (let failures = 1; failures <= 2; failures += 1) {
      const before = times();
      await admin.set(REPEAT, 'of another type').catch(() => undefined);
      await until('the failure', () => times() > before);
      await admin.del(REPEAT);
      await until('the next tick', async () => (await admin.zcard(REPEAT).catch(() => 0)) === 1);
      await sleep(1_500);
    }
    await rounds.destroy();
  });
});
