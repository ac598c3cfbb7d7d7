// What an honest visit pays during a flood that tries to fill the pool within a round: two threads stamp and send as fast as they
// can, against a relay with the default limits. The baseline is the price before the flood.
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
const VISIT_EVERY_SECONDS = 15;
/** Firefox at Tor Browser's level Safer, on one core of a server (npm run bench -- stamp). */
const SAFER_HASHES_A_SECOND = 5_000;

type Attack = { url: string; keyring: Keyring };

/** The difficulty that the door asks, in bits. */
async function askedBy(url: string): Promise<number> {
  const response = await fetch(new URL('door.json', url));
  return ((await response.json()) as { difficulty: number }).difficulty;
}

/** @returns the status */
async function handIn(url: string, parcel: Uint8Array): Promise<number> {
  const headers = { 'content-type': 'application/octet-stream' };
  const { status } = await fetch(new URL('parcel', url), { method: 'POST', headers, body: Buffer.from(parcel) });
  return status;
}

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
  for (let second = VISIT_EVERY_SECONDS; second <= ROUND_SECONDS; second += VISIT_EVERY_SECONDS) {
    await sleep(VISIT_EVERY_SECONDS * 1_000);
    await stand.workerAlive();
    const { difficulty, status, ms } = await visit();
    const pool = await admin.hlen(keys.pool);
    const ratio = 2 ** (difficulty - before.difficulty);
    const saferSeconds = 2 ** difficulty / SAFER_HASHES_A_SECOND;
    const line = [
      `${String(second).padStart(3)} s`,
      `pool ${String(pool).padStart(5)} of ${String(POOL_LIMIT)}`,
      `${String(difficulty)} bits (ratio ${String(ratio)})`,
      `a visit: status ${String(status)} after ${(ms / 1_000).toFixed(2)} s; about ${saferSeconds.toFixed(1)} s of work at Safer`,
    ];
    console.log(line.join('   '));
  }
  await Promise.all(attackers.map((each) => each.terminate()));
  await stand.stop();
}

await ready;
if (isMainThread) await measure();
else await attack(workerData as Attack);
