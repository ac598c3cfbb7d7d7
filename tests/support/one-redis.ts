import type { Redis } from 'ioredis';
import { afterAll } from 'vitest';
import { startRedis, type TestRedis } from './redis.ts';
import { until } from './worker.ts';

type Settings = ReadonlyMap<string, string>;

/**
 * One Redis for a whole file, instead of `startRedis` in each case. To be called at the top of the file.
 * @returns a function that gives it running, empty and with its initial settings, whatever the previous case did. The result's `stop`
 *   closes the case's clients, not Redis.
 */
export function oneRedis(): () => Promise<TestRedis> {
  let redis: TestRedis | undefined;
  let settings: Settings;
  afterAll(() => redis?.stop());

  return async () => {
    if (redis === undefined) {
      redis = await startRedis();
      settings = await settingsOf(await redis.connect('admin'));
    } else {
      if (!redis.isRunning()) await redis.restart();
      await reset(await redis.connect('admin'), settings);
    }
    redis.disconnect();
    return Object.create(redis, { stop: { value: () => Promise.resolve(redis?.disconnect()) } }) as TestRedis;
  };
}

async function settingsOf(admin: Redis): Promise<Settings> {
  const found = (await admin.config('GET', '*')) as string[];
  return new Map(found.flatMap((name, index) => (index % 2 === 0 ? [[name, found[index + 1] ?? '']] : [])));
}

async function reset(admin: Redis, settings: Settings): Promise<void> {
  // A leftover client of the previous case might still write.
  await admin.call('CLIENT', 'KILL', 'SKIPME', 'yes');
  for (const [name, value] of await settingsOf(admin)) {
    const before = settings.get(name);
    if (before !== undefined && before !== value) await admin.config('SET', name, before);
  }
  // While a rewrite of the append-only file is running, Redis refuses the next.
  await until('the rewrite', async () => (await admin.info('persistence')).includes('aof_rewrite_in_progress:0'));
  await admin.flushall();
  await admin.script('FLUSH');
  await admin.function('FLUSH');
  await admin.config('RESETSTAT');
}
