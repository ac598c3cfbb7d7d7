// What it costs to mix the ids of a round into those that are remembered: how long a full pool's take, and how long each step
// keeps Redis from others.
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { keys, REMEMBERED_ID_BYTES } from '../redis/keys.ts';
import { startRedis } from '../tests/support/redis.ts';
import { mixArrivals } from '../worker/arrivals.ts';
import { median } from './compare.ts';

/** The ids of a full pool, and the most that are remembered under a keyring: the defaults. */
const ARRIVED = 20_000;
const REMEMBERED = 1_000_000;
const TURNS = 3;
const BATCH = 10_000;
const KEY_ID = '1f'.repeat(16);

const redis = await startRedis({ config: resolve('deploy/redis/redis.conf') });
const admin = await redis.connect('admin');
const worker = await redis.connect('worker');

async function fill(key: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += BATCH) {
    const drawn = randomBytes(Math.min(BATCH, count - at) * REMEMBERED_ID_BYTES);
    const ids = Array.from({ length: drawn.length / REMEMBERED_ID_BYTES }, (_, i) =>
      drawn.subarray(i * REMEMBERED_ID_BYTES, (i + 1) * REMEMBERED_ID_BYTES),
    );
    await admin.sadd(key, ...ids);
  }
}

/** Mixes the ids of a full pool into `remembered` others. @returns how long it took, and how long one step kept Redis on average */
async function mixInto(remembered: number): Promise<{ ms: number; stepMs: number }> {
  await admin.flushall('ASYNC');
  await fill(keys.seen(KEY_ID), remembered);
  await fill(keys.arrived(KEY_ID), ARRIVED);
  await admin.config('RESETSTAT');
  const start = performance.now();
  await mixArrivals(worker, KEY_ID);
  const ms = performance.now() - start;
  const usec = /^cmdstat_evalsha:.*usec_per_call=([0-9.]+)/m.exec(await admin.info('commandstats'))?.[1];
  return { ms, stepMs: Number(usec) / 1_000 };
}

const times: [number[], number[]] = [[], []];
const steps: number[] = [];
for (let turn = 0; turn < TURNS; turn += 1) {
  times[0].push((await mixInto(0)).ms);
  const { ms, stepMs } = await mixInto(REMEMBERED - ARRIVED);
  times[1].push(ms);
  steps.push(stepMs);
}
await redis.stop();
const [empty, full] = times.map(median) as [number, number];
console.log(
  `${String(ARRIVED)} ids into ${String(REMEMBERED)}: ${full.toFixed(0)} ms, into none ${empty.toFixed(0)} ms, ` +
    `ratio ${(full / empty).toFixed(2)}; one step keeps Redis for ${median(steps).toFixed(1)} ms`,
);
