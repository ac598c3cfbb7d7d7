// What an honest visit pays beside a flood that tries to fill the pool within a round: two threads that stamp and send as fast as
// they can, against a relay with the default limits. The baseline is the price before.
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { Keyring } from '../crypto/keyring.ts';
import { sealParcel } from '../crypto/parcel.ts';
import { ready } from '../crypto/sodium.ts';
import { stampParcel } from '../crypto/stamp.ts';
import { keys } from '../redis/keys.ts';
import { startRelay } from '../tests/support/relay.ts';

const ATTACKERS = 2;
const POOL_LIMIT = 20_000;
const SEEN_LIMIT = 1_000_000;
const DIFFICULTY = 10;
const ROUND_SECONDS = 300;
const LOOK_EVERY_SECONDS = 15;
/** Firefox at Tor Browser's level Safer, on a core of a server (npm run bench -- stamp). */
const SAFER_HASHES_A_SECOND = 5_000;

type Attack = { url: string; keyring: Keyring };

const askedBy = async (url: string): Promise<number> =>
  ((await (await fetch(new URL('door.json', url))).json()) as { difficulty: number }).difficulty;
const handIn = async (url: string, parcel: Uint8Array): Promise<number> =>
  (
    await fetch(new URL('parcel', url), {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from(parcel),
    })
  ).status;

async function attack({ url, keyring }: Attack): Promise<never> {
  for (;;) {
    const difficulty = await askedBy(url);
    for (let n = 0; n < 20; n += 1) await handIn(url, stampParcel(sealParcel({ kind: 'decoy' }, keyring), difficulty));
  }
}

async function measure(): Promise<void> {
  const stand = await startRelay({
    redis: { config: resolve('deploy/redis/redis.conf') },
    roundSeconds: ROUND_SECONDS,
    config: { poolLimit: POOL_LIMIT, seenLimit: SEEN_LIMIT, difficulty: DIFFICULTY },
  });
  const admin = await stand.redis.connect('admin');
  const visit = async (): Promise<{ difficulty: number; status: number; ms: number }> => {
    const beganAt = performance.now();
    const difficulty = await askedBy(stand.url);
    const status = await handIn(stand.url, stampParcel(stand.parcel(), difficulty));
    return { difficulty, status, ms: performance.now() - beganAt };
  };
  const before = await visit();
  const attackers = Array.from(
    { length: ATTACKERS },
    () => new Worker(new URL(import.meta.url), { workerData: { url: stand.url, keyring: stand.keyring } satisfies Attack }),
  );
  for (let second = LOOK_EVERY_SECONDS; second <= ROUND_SECONDS; second += LOOK_EVERY_SECONDS) {
    await sleep(LOOK_EVERY_SECONDS * 1_000);
    await stand.workerAlive();
    const { difficulty, status, ms } = await visit();
    const pool = await admin.hlen(keys.pool);
    const safer = (2 ** difficulty / SAFER_HASHES_A_SECOND).toFixed(1);
    console.log(
      `${String(second).padStart(3)} s   pool ${String(pool).padStart(5)} of ${String(POOL_LIMIT)}   ${String(difficulty)} bits (ratio ${String(2 ** (difficulty - before.difficulty))})   a visit: status ${String(status)} after ${(ms / 1_000).toFixed(2)} s; about ${safer} s of work at Safer`,
    );
  }
  await Promise.all(attackers.map((each) => each.terminate()));
  await stand.stop();
}

await ready;
if (isMainThread) await measure();
else await attack(workerData as Attack);
