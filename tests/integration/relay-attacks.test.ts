import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealParcel } from '../../crypto/parcel.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { keys } from '../../redis/keys.ts';
import { keyId } from '../../runtime/key-id.ts';
import { holding, pipelined, type Attack } from '../support/attacks.ts';
import { http, postParcel } from '../support/http.ts';
import { DIFFICULTY, startRelay, type TestRelay } from '../support/relay.ts';
import { environmentOf, launchRelay, started, usage, type RelayProcess } from '../support/relay-process.ts';

/** An honest visit gets in within this time, whatever another client does meanwhile. */
const VISIT_MS = 5_000;
/** What the relay's container may use. */
const MEMORY_MEBIBYTES = 512;
const PLACES = 500;
const POOL_LIMIT = 200;

let stand: TestRelay;
let relay: RelayProcess;
let socketPath: string;
beforeAll(async () => {
  stand = await startRelay();
  // Only the process below is attacked.
  relay = launchRelay({ ...(await environmentOf(stand)), RELAY_POOL_LIMIT: String(POOL_LIMIT) });
  socketPath = join(stand.dir, 'public.sock');
  await started(relay);
});
afterAll(async () => {
  await relay.stop();
  await stand.stop();
});

/** Does what a browser does: asks for the difficulty, then hands in a parcel. Returns the status and how long it took. */
async function visit(): Promise<{ status: number; ms: number }> {
  const parcel = stand.parcel();
  const beganAt = performance.now();
  const door = await http('http://relay/door.json', { socketPath, timeoutMs: 2 * VISIT_MS });
  const { difficulty } = JSON.parse(Buffer.from(door.body).toString()) as { difficulty: number };
  const { status } = await postParcel('http://relay/', stampParcel(parcel, difficulty), { socketPath, timeoutMs: 2 * VISIT_MS });
  return { status, ms: performance.now() - beganAt };
}

const post = `POST /parcel HTTP/1.1\r\nContent-Type: application/octet-stream\r\nContent-Length: 24576\r\n\r\n`;
const attacks: [string, () => Attack][] = [
  [
    'thousands of pipelined requests whose answers are never read',
    () => pipelined(socketPath, { count: 40, times: 3_600, text: 'GET /x HTTP/1.1\r\n\r\n' }),
  ],
  ['as many that post', () => pipelined(socketPath, { count: 40, times: 1_500, text: 'POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n' })],
  ['as many connections as there are places, that are silent', () => holding(socketPath, { count: PLACES, perSecond: 8 })],
  [
    'as many whose headers trickle',
    () => holding(socketPath, { count: PLACES, perSecond: 8, head: 'GET / HTTP/1.1\r\nX: ', trickles: true }),
  ],
  ['as many whose body trickles', () => holding(socketPath, { count: PLACES, perSecond: 8, head: post, trickles: true })],
  [
    'as many that wait to be told to go on',
    () => holding(socketPath, { count: PLACES, perSecond: 8, head: post.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n') }),
  ],
  [
    'as many that do not read their answer',
    () => holding(socketPath, { count: PLACES, perSecond: 8, head: 'GET /form.html HTTP/1.1\r\n\r\n' }),
  ],
  ['a hundred silent connections in each second', () => holding(socketPath, { count: PLACES, perSecond: 100 })],
];

describe('an honest visit gets in despite', () => {
  it.each(attacks)('%s', async (_what, start) => {
    const attack = start();
    try {
      await sleep(200);
      for (let n = 0; n < 4; n += 1) {
        const { status, ms } = await visit();
        expect(status).toBe(202);
        expect(ms).toBeLessThan(VISIT_MS);
      }
      expect((await usage(relay.child)).peakMebibytes).toBeLessThan(MEMORY_MEBIBYTES);
    } finally {
      attack.stop();
    }
  });

  it("a flood under next week's keyring, which is not accepted yet, and closes the door neither this week nor next", async () => {
    const next = await stand.keyrings.add({ serial: 6, fromHours: 24 * 6, toHours: 24 * 13 });
    const early = stampParcel(sealParcel({ kind: 'decoy' }, { serial: 6, worker: next.worker }), DIFFICULTY);
    relay.child.kill('SIGHUP');
    await expect.poll(() => relay.output()).toContain('"serial":6,"msg":"keyring loaded"');
    const answer = await postParcel('http://relay/', early, { socketPath });
    expect([answer.status, Buffer.from(answer.body).readUInt32BE(4)]).toEqual([400, 3]);
    expect(await (await stand.redis.connect('admin')).exists(keys.seen(keyId(next.worker)))).toBe(0);
    expect((await visit()).status).toBe(202);
  });

  it('a burst at the base difficulty that would fill the pool within a round', async () => {
    const burst = Array.from({ length: 2 * POOL_LIMIT }, () => stampParcel(stand.parcel(), DIFFICULTY));
    const statuses: number[] = [];
    // Twenty per step, a tenth of a second apart, until the pool has no room at this difficulty.
    for (let at = 0; at < burst.length; at += 20) {
      statuses.push(
        ...(await Promise.all(
          burst.slice(at, at + 20).map(async (parcel) => (await postParcel('http://relay/', parcel, { socketPath })).status),
        )),
      );
      await sleep(200);
    }
    expect(statuses).toContain(422);
    expect(statuses).not.toContain(503);
    const { status, ms } = await visit();
    expect(status).toBe(202);
    expect(ms).toBeLessThan(VISIT_MS);
  });
});
