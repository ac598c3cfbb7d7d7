import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, parseAnswer } from '../../crypto/answer.ts';
import { askRelays, takenBy } from '../../operator/relay.ts';
import { provideFunctions } from '../../redis/functions.ts';
import { keys } from '../../redis/keys.ts';
import { keyId } from '../../runtime/key-id.ts';
import { mixArrivals } from '../../worker/arrivals.ts';
import { postParcel } from '../support/http.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';

/** The promise: an error within this time, whatever Redis does. */
const ANSWER_WITHIN_MS = 3_000;

type Posted = { status: number; retryAfter: string | undefined; answer: Answer; tookMs: number };

async function post(relay: TestRelay, parcel: Uint8Array): Promise<Posted> {
  const began = performance.now();
  const { status, headers, body } = await postParcel(relay.url, parcel);
  return { status, retryAfter: headers['retry-after'], answer: parseAnswer(body), tookMs: performance.now() - began };
}

async function ready(relay: TestRelay): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${relay.privateUrl}/readyz`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('when Redis is away', () => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startRelay();
  });
  afterAll(() => relay.stop());

  it('a killed Redis is an error at once, the door closes, and all is well after a restart', async () => {
    const kept = relay.stamped();
    expect((await post(relay, kept)).status).toBe(202);
    await relay.redis.kill9();
    const refused = await post(relay, relay.stamped());
    expect(refused.status).toBe(503);
    expect(refused.answer.result).toBe('away');
    expect(Number(refused.retryAfter)).toBe(refused.answer.retryAfterSeconds);
    expect(refused.tookMs).toBeLessThan(ANSWER_WITHIN_MS);
    await relay.untilDoor('redis');
    expect((await post(relay, relay.stamped())).answer.result).toBe('away');
    expect(await ready(relay)).toEqual({
      status: 503,
      body: { ready: false, reason: 'redis', redis: 'away', pool: 'unknown', worker: 'unknown', keyring: 'ok' },
    });
    await relay.redis.restart();
    await relay.untilDoor(null);
    const admin = await relay.redis.connect('admin');
    // And operators' tools find the relay again.
    const answers = async () => (await askRelays(await relay.redis.connect('operator'))).answers;
    await expect.poll(answers).toMatchObject([{ door: null, newestKeyring: 5, offlineFormEnded: false }]);
    expect(await admin.hlen(keys.pool)).toBe(1);
    expect((await post(relay, relay.stamped())).status).toBe(202);
    expect((await post(relay, kept)).status).toBe(202);
    expect(await admin.hlen(keys.pool)).toBe(2);
  });

  it('a Redis that hangs is an error within 3 s, and a parcel it took meanwhile is stored once when sent again', async () => {
    const admin = await relay.redis.connect('admin');
    await admin.del(keys.pool);
    const parcel = relay.stamped();
    process.kill(relay.redis.pid, 'SIGSTOP');
    const hung = await post(relay, parcel);
    expect([hung.status, hung.answer.result]).toEqual([503, 'away']);
    expect(hung.tookMs).toBeLessThan(ANSWER_WITHIN_MS);
    await relay.untilDoor('redis');
    process.kill(relay.redis.pid, 'SIGCONT');
    await relay.untilDoor(null);
    expect((await post(relay, parcel)).status).toBe(202);
    expect(await admin.hlen(keys.pool)).toBe(1);
  });

  it('a replica, which cannot be written to, counts as away', async () => {
    const admin = await relay.redis.connect('admin');
    await admin.call('REPLICAOF', '127.0.0.1', '1');
    await admin.call('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
    expect((await post(relay, relay.stamped())).status).toBe(503);
    await relay.untilDoor('redis');
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await relay.untilDoor(null);
  });
});

it('a door closed for maintenance says so whatever else is the matter', async () => {
  const relay = await startRelay();
  const admin = await relay.redis.connect('admin');
  const staysClosed = async (more: object) => {
    await expect.poll(async () => (await ready(relay)).body, { timeout: 5_000 }).toMatchObject({ reason: 'maintenance', ...more });
    expect((await post(relay, relay.stamped())).answer).toMatchObject({ result: 'closed', retryAfterSeconds: 300 });
  };
  await admin.set(keys.drain, 'closing');
  await staysClosed({ redis: 'ok', pool: 'empty' });
  await admin.config('SET', 'maxmemory', '1');
  await staysClosed({ redis: 'ok', pool: 'full' });
  await relay.redis.kill9();
  await staysClosed({ redis: 'away' });
  await relay.redis.restart();
  await staysClosed({ redis: 'ok', pool: 'empty' });
  await (await relay.redis.connect('admin')).del(keys.drain);
  await relay.untilDoor(null);
  await relay.stop();
});

it('a relay starts without Redis, says that it is closed, and opens once Redis is there', async () => {
  const relay = await startRelay();
  await relay.redis.kill9();
  await relay.stop();
  const again = await startRelay({ config: { redis: { socketPath: '/nonexistent/redis.sock', username: 'relay', password: 'x' } } });
  await again.untilDoor('redis');
  expect((await post(again, again.stamped())).answer.result).toBe('away');
  await again.stop();
});

describe('limits', () => {
  it('a pool at its limit accepts nothing more, which the door says in advance, and opens when it drains', async () => {
    const relay = await startRelay({ config: { poolLimit: 2 } });
    const admin = await relay.redis.connect('admin');
    const first = relay.stampedForFullPool();
    const answers = [];
    for (const parcel of [first, relay.stampedForFullPool(), relay.stampedForFullPool()]) answers.push(await post(relay, parcel));
    expect(answers.slice(0, 2).map(({ status }) => status)).toEqual([202, 202]);
    expect(answers[2]?.status).toBe(503);
    expect(answers[2]?.answer.result).toBe('full');
    expect(answers[2]?.retryAfter).toBe('300');
    expect(await admin.hlen(keys.pool)).toBe(2);
    await relay.untilDoor('pool');
    expect((await ready(relay)).body).toMatchObject({ redis: 'ok', pool: 'full', reason: 'pool' });
    expect((await post(relay, first)).status).toBe(202);
    await admin.del(keys.pool);
    await relay.untilDoor(null);
    expect((await post(relay, relay.stampedForFullPool())).status).toBe(202);
    await relay.stop();
  });

  it('a full set of remembered ids closes the door too, and operators are told under which keyring', async () => {
    const relay = await startRelay({ config: { seenLimit: 1 }, roundSeconds: 1 });
    const [first, second] = [relay.stampedForFullPool(), relay.stampedForFullPool()];
    expect((await post(relay, first)).status).toBe(202);
    expect((await post(relay, second)).status).toBe(503);
    await relay.untilDoor('pool');
    await relay.keyrings.add({ serial: 6, fromHours: 6, toHours: 24 * 8 });
    process.emit('SIGHUP');
    const operator = await relay.redis.connect('operator');
    await expect
      .poll(async () => takenBy(await askRelays(operator)))
      .toEqual([
        { serial: 5, share: 'full', dearer: 10 },
        { serial: 6, share: 'low', dearer: 0 },
      ]);
    await relay.stop();
  });

  it('a Redis out of memory counts as full, closes the door, and loses nothing it has', async () => {
    const relay = await startRelay();
    const admin = await relay.redis.connect('admin');
    const [before, moved] = [relay.stamped(), relay.stamped()];
    for (const parcel of [moved, before]) {
      expect((await post(relay, parcel)).status).toBe(202);
      if (parcel === moved) await mixArrivals(admin, keyId(relay.keyring.worker));
    }
    await admin.call('CONFIG', 'SET', 'maxmemory', '100kb');
    for (const parcel of [moved, before]) expect((await post(relay, parcel)).status).toBe(202);
    const refused = await post(relay, relay.stamped());
    expect(refused.status).toBe(503);
    expect(refused.answer.result).toBe('full');
    await relay.untilDoor('pool');
    expect((await ready(relay)).body).toMatchObject({ redis: 'ok', pool: 'full' });
    expect(await admin.hlen(keys.pool)).toBe(2);
    await admin.call('CONFIG', 'SET', 'maxmemory', '0');
    await relay.untilDoor(null);
    expect((await post(relay, relay.stamped())).status).toBe(202);
    await relay.stop();
  });
});

describe('the worker', () => {
  it('may be late, but once it is gone the door closes', async () => {
    const relay = await startRelay({ withWorker: false });
    await relay.untilDoor('worker');
    expect((await post(relay, relay.stamped())).answer.result).toBe('closed');
    expect((await ready(relay)).body).toMatchObject({ worker: 'gone', reason: 'worker' });
    await relay.workerAlive(3600 - 4 * 60);
    await relay.untilDoor(null);
    expect((await ready(relay)).body).toMatchObject({ worker: 'late', ready: true });
    await relay.workerAlive();
    await sleep(1_200);
    expect((await ready(relay)).body).toMatchObject({ worker: 'working' });
    await relay.workerGone();
    await relay.untilDoor('worker');
    await relay.stop();
  });
});

describe('the functions', () => {
  it('keep the door closed until a worker of this version provides them', async () => {
    const relay = await startRelay({ withWorker: false });
    const admin = await relay.redis.connect('admin');
    await admin.set(keys.alive, '300', 'EX', 3600);
    await expect.poll(() => ready(relay)).toMatchObject({ status: 503, body: { redis: 'ok', worker: 'working', reason: 'worker' } });
    await relay.untilDoor('worker');
    expect((await askRelays(await relay.redis.connect('operator'))).answers).toMatchObject([{ door: 'worker' }]);
    expect((await post(relay, relay.stamped())).answer.result).toBe('closed');
    await admin.call('FUNCTION', 'LOAD', "#!lua name=relay\nredis.register_function('put_0', function() return 1 end)");
    await provideFunctions(await relay.redis.connect('worker'));
    await relay.untilDoor(null);
    expect((await post(relay, relay.stamped())).status).toBe(202);
    await relay.stop();
  });
});

describe('the keyring', () => {
  it('without a keyring the door is closed and there is nothing to fetch', async () => {
    const relay = await startRelay({ withKeyring: false });
    await relay.untilDoor('keyring');
    const start = (await (await fetch(`${relay.url}/start.json`)).json()) as unknown;
    expect(start).toMatchObject({ door: { open: false, reason: 'keyring' }, keyring: null, signature: null });
    for (const path of ['/keyring.json', '/keyring.json.minisig']) {
      const response = await fetch(relay.url + path);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ error: 'NO_KEYRING' });
    }
    expect((await ready(relay)).body).toMatchObject({ keyring: 'none', reason: 'keyring', ready: false });
    expect((await post(relay, relay.stamped())).answer.result).toBe('serial');
    await relay.stop();
  });

  it('one that has just ended still lets parcels pass the checks, to a closed door', async () => {
    const relay = await startRelay({ withKeyring: false });
    await mkdir(relay.keyrings.directory);
    await relay.keyrings.add({ serial: 5, fromHours: -48, toHours: -1 });
    process.emit('SIGHUP');
    await expect.poll(async () => (await post(relay, relay.stamped())).answer.result).toBe('closed');
    expect((await ready(relay)).body).toMatchObject({ keyring: 'none', reason: 'keyring' });
    await relay.stop();
  });
});
