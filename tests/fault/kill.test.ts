import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PARTS, type Part } from '../../deploy/demo/parts.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/worker.ts';
import { sampled } from '../support/thorough.ts';
import { killAtRandom, postAll, sealMany, type Load } from './load.ts';
import { compilePowerLoss } from './power-loss.ts';

const PARCELS = 100;
const LOAD_MS = 12_000;
const ACCEPTED_WITHIN_MS = 180_000;
/** A tick whose worker was killed comes again once BullMQ notices, after about half a minute. */
const DELIVERED_WITHIN_MS = 90_000;

let folder: string;
let powerLoss: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'support-relay-fault-'));
  powerLoss = compilePowerLoss(folder);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('the power-loss library works: without fsync a killed Redis loses what it acknowledged', async () => {
  const written = 200;
  const redis = await startRedis({ acl: false, preload: powerLoss, args: ['--appendfsync', 'no'] });
  try {
    const client = await redis.connect('operator');
    for (let index = 0; index < written; index += 1) await client.set(`key:${String(index)}`, 'x'.repeat(100));
    await redis.kill9();
    await redis.restart();
    expect(await (await redis.connect('operator')).dbsize()).toBeLessThan(written);
  } finally {
    await redis.stop();
  }
});

const KILLS: readonly { name: string; parts: readonly Part[]; losesPower: boolean }[] = [
  { name: 'kill -9 of relay, worker and Redis', parts: PARTS, losesPower: false },
  { name: 'kill -9 of Redis and the worker, and what Redis had not synced is lost', parts: ['redis', 'redis', 'worker'], losesPower: true },
];

// The power's loss is the harder; `npm run test:kills` has both, with people.
describe.each(sampled(KILLS, ({ losesPower }) => losesPower))('$name', ({ parts, losesPower }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment(losesPower ? { environment: { redis: { LD_PRELOAD: powerLoss } } } : {});
  });
  afterAll(async () => {
    await deployment.stop();
  });

  test(
    'at random moments: every 202 is in the inbox, once',
    { timeout: LOAD_MS + ACCEPTED_WITHIN_MS + DELIVERED_WITHIN_MS + 60_000 },
    async () => {
      const parcels = sealMany(deployment, PARCELS);
      const load: Load = { accepted: [], refused: 0, unanswered: 0 };
      const over = new AbortController();
      const [kills] = await Promise.all([
        killAtRandom(deployment, parts, over.signal),
        postAll(deployment, parcels, over.signal, load),
        // The test is worth something only if it killed under load and still got most of it through, however slow the machine.
        sleep(LOAD_MS)
          .then(() => until('most of the load', () => load.accepted.length > PARCELS / 2, ACCEPTED_WITHIN_MS))
          .finally(() => over.abort()),
      ]);
      for (const part of PARTS) if (!deployment.isRunning(part)) deployment.start(part);
      await deployment.untilOpen();
      const delivered = await deployment.untilDelivered(load.accepted, DELIVERED_WITHIN_MS);
      expect(kills).toBeGreaterThan(5);
      expect(load.unanswered + load.refused).toBeGreaterThan(0);
      expect(
        load.accepted.filter((text) => !delivered.includes(text)),
        await deployment.logs(),
      ).toEqual([]);
      expect(delivered.length).toBe(new Set(delivered).size);
    },
  );
});
