// A parcel restamped under another serial of the same key is the same parcel: the serial is outside of what is sealed.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseAnswer } from '../../crypto/answer.ts';
import { frameParcel } from '../../crypto/parcel.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { keys } from '../../redis/keys.ts';
import { Relay } from '../../server/relay.ts';
import { publish } from '../../web/build/publish.ts';
import { postParcel } from '../support/http.ts';
import { oneRedis } from '../support/one-redis.ts';
import { DIFFICULTY, smallForm } from '../support/relay.ts';
import { WorkerStand } from '../support/stand.ts';

/** 1: the week. 2 to 4: signed again within it. 5: the next week's, which relays take early already, with another key. */
const SAME_KEY = [1, 2, 3, 4];
const NEXT = 5;

let stand: WorkerStand;
let relay: Relay;
const emptyRedis = oneRedis();

beforeEach(async () => {
  stand = await WorkerStand.start(await emptyRedis());
  const { bench, redis } = stand;
  for (const serial of SAME_KEY.slice(1)) await bench.keyring(serial, { hours: [-1 + serial / 10, 6], keyOf: 1 });
  await bench.keyring(NEXT, { hours: [6, 168] });
  await stand.round();
  const web = join(bench.dir, 'web');
  await publish(await smallForm(join(bench.dir, 'staging')), web);
  relay = new Relay({
    listen: { kind: 'loopback', port: 0 },
    privateListen: { kind: 'loopback', port: 0 },
    redis: redis.target('relay'),
    keyrings: { directory: bench.config.keyrings, rootKeyFile: bench.config.rootKeyFile },
    webDirectory: web,
    difficulty: DIFFICULTY,
    poolLimit: 1_000,
    seenLimit: 1_000,
    replyWeeks: bench.config.replyWeeks,
    requestTimeoutMs: 10_000,
  });
  await relay.start();
});
afterEach(async () => {
  await relay.destroy();
  await stand.stop();
});

async function post(sealed: Uint8Array, serial: number): Promise<string> {
  const url = `http://127.0.0.1:${String(relay.ports[0])}`;
  return parseAnswer((await postParcel(url, stampParcel(frameParcel(sealed, serial), DIFFICULTY))).body).result;
}

it('is accepted and delivered once, under every serial, before and after it was delivered', async () => {
  const { admin, bench } = stand;
  const { sealed } = bench.parcel();
  for (const serial of SAME_KEY) expect([serial, await post(sealed, serial)]).toEqual([serial, 'accepted']);
  expect(await admin.hlen(keys.pool)).toBe(1);
  // The relay cannot know which key opens it.
  expect(await post(sealed, NEXT)).toBe('accepted');
  expect(await admin.hlen(keys.pool)).toBe(1);
  await stand.round();
  expect([await admin.hlen(keys.pool), await admin.hlen(keys.outbox('inbox-1'))]).toEqual([0, 1]);
  for (const serial of [...SAME_KEY, NEXT]) expect([serial, await post(sealed, serial)]).toEqual([serial, 'accepted']);
  await stand.round();
  expect([await admin.hlen(keys.pool), await admin.hlen(keys.outbox('inbox-1'))]).toEqual([0, 1]);
});

it('needs no new key of the worker: the one file opens what came under each', async () => {
  const { admin, bench } = stand;
  for (const serial of SAME_KEY) expect(await post(bench.parcel(undefined, serial).sealed, serial)).toBe('accepted');
  await rm(join(bench.config.identities, `worker-${String(NEXT)}.txt`));
  await stand.round();
  expect([await admin.hlen(keys.pool), await admin.hlen(keys.outbox('inbox-1'))]).toEqual([0, SAME_KEY.length]);
});
