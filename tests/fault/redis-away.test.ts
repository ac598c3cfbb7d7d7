import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSearchable, type Deployment } from '../support/deployment.ts';
import { http } from '../support/http.ts';

const ANSWERS_WITHIN_MS = 3_000;

let deployment: Deployment;
let admin: Redis;
beforeAll(async () => {
  ({ deployment, admin } = await startSearchable());
});
afterAll(async () => {
  admin.disconnect();
  await deployment.stop();
});

async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const startedMs = performance.now();
  const value = await work;
  return { value, ms: performance.now() - startedMs };
}

async function door(): Promise<unknown> {
  return JSON.parse(Buffer.from((await http(new URL('door.json', deployment.url).href)).body).toString());
}

test('a Redis that hangs is an error within three seconds, and the same parcel is accepted when it is back', async () => {
  const parcel = deployment.seal('while Redis hangs');
  deployment.signal('redis', 'SIGSTOP');
  try {
    const first = await timed(deployment.post(parcel));
    expect(first.ms).toBeLessThan(ANSWERS_WITHIN_MS);
    expect(first.value).toMatchObject({ status: 503, answer: { result: 'away' } });
    expect(first.value.answer.retryAfterSeconds).toBeGreaterThan(0);
    const second = await timed(deployment.post(parcel));
    expect(second.ms).toBeLessThan(ANSWERS_WITHIN_MS);
    expect(second.value.status).toBe(503);
    await expect.poll(door, { timeout: 60_000 }).toMatchObject({ open: false, reason: 'redis' });
  } finally {
    deployment.signal('redis', 'SIGCONT');
  }
  await deployment.untilOpen(5_000);
  expect((await deployment.post(parcel)).status).toBe(202);
  expect(await deployment.untilDelivered(['while Redis hangs'])).toEqual(['while Redis hangs']);
});

test('a Redis that was emptied has all it needs within a round, without restarting relay or worker', async () => {
  // Stopped, so that the door is seen closed before the worker repairs it.
  deployment.signal('worker', 'SIGSTOP');
  try {
    await admin.flushall();
    await admin.function('FLUSH');
    await expect.poll(door, { timeout: 60_000 }).toMatchObject({ open: false, reason: 'worker' });
  } finally {
    deployment.signal('worker', 'SIGCONT');
  }
  await deployment.untilOpen();
  expect((await deployment.post(deployment.seal('after Redis was emptied'))).status).toBe(202);
  expect(await deployment.untilDelivered(['after Redis was emptied'])).toContain('after Redis was emptied');
});

test('a Redis that is gone is an error at once, and its return needs no restart of relay or worker', async () => {
  const parcel = deployment.seal('while Redis is gone');
  const [relay, worker] = [deployment.pid('relay'), deployment.pid('worker')];
  await deployment.kill('redis');
  const refused = await timed(deployment.post(parcel));
  expect(refused.value.status).toBe(503);
  expect(refused.ms).toBeLessThan(1_000);
  deployment.start('redis');
  // Not by /door.json: it is updated once a second, and may not have changed yet.
  await expect.poll(async () => (await deployment.post(parcel)).status, { timeout: 60_000 }).toBe(202);
  expect(await deployment.untilDelivered(['while Redis is gone'])).toContain('while Redis is gone');
  expect([deployment.pid('relay'), deployment.pid('worker')]).toEqual([relay, worker]);
});
