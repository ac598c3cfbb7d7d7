// What Redis' memory tells about when a parcel came: no more than the round, once that has ended.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { Pool } from '../../server/pool.ts';
import { keys, rememberedId } from '../../redis/keys.ts';
import { startRedis } from '../support/redis.ts';
import { WorkerStand } from '../support/stand.ts';
import { addressesIn } from './search.ts';

const ROUNDS = 3;
const A_ROUND = 400;

let stand: WorkerStand;
beforeAll(async () => {
  stand = await WorkerStand.start(await startRedis({ env: { MALLOC_CONF: 'junk:free', JE_MALLOC_CONF: 'junk:free' } }));
});
afterAll(() => stand.stop());

/** Spearman's rank correlation: 1 when `values` rise with their index, about 0 when they are unrelated. */
function correlation(values: readonly number[]): number {
  const ranks = new Map(values.toSorted((a, b) => a - b).map((value, rank) => [value, rank]));
  const squares = values.reduce((sum, value, index) => sum + (index - (ranks.get(value) ?? 0)) ** 2, 0);
  return 1 - (6 * squares) / (values.length * (values.length ** 2 - 1));
}

/** Four standard deviations, each 1/√(n − 1), under pure chance. */
const CHANCE = 4 / Math.sqrt(A_ROUND - 1);

it('after a round nothing tells in which order its parcels came, and each is remembered', async () => {
  const pool = new Pool(await stand.redis.connect('relay'), { poolLimit: 10_000, seenLimit: 10_000 });
  const keyId = stand.bench.keyId();
  const put = (id: Uint8Array) => pool.put({ id, sealed: randomBytes(64) }, keyId);
  const order = (ids: readonly Uint8Array[]): number => {
    const addresses = addressesIn(stand.redis.pid, ids.map(rememberedId));
    expect(addresses.every(Number.isFinite)).toBe(true);
    return Math.abs(correlation(addresses));
  };
  const { mix, housekeeping } = await stand.worker({ settings: { flushProbability: 1 } });
  const rounds: Uint8Array[][] = [];
  const within: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const ids = Array.from({ length: A_ROUND }, () => randomBytes(32));
    for (const id of ids) expect(await put(id)).toBe('accepted');
    rounds.push(ids);
    within.push(order(ids));
    await mix.round(() => false);
    await housekeeping.run();
  }
  // Control: during a round the order can be seen.
  expect(Math.max(...within)).toBeGreaterThan(2 * CHANCE);
  expect(await stand.admin.scard(keys.arrived(keyId))).toBe(1);
  expect(await stand.admin.scard(keys.seen(keyId))).toBe(1 + ROUNDS * A_ROUND);
  for (const ids of rounds) expect(order(ids)).toBeLessThan(CHANCE);

  // A worker that dies midway leaves some in either set.
  const again = Array.from({ length: 6 }, () => randomBytes(32));
  for (const id of again) await put(id);
  for (const id of again.slice(0, 3)) await stand.admin.smove(keys.arrived(keyId), keys.seen(keyId), rememberedId(id));
  const waiting = await stand.admin.hlen(keys.pool);
  for (const id of [...rounds.flat(), ...again]) expect(await put(id)).toBe('accepted');
  expect(await stand.admin.hlen(keys.pool)).toBe(waiting);
  await housekeeping.run();
  expect(await stand.admin.scard(keys.seen(keyId))).toBe(1 + ROUNDS * A_ROUND + again.length);
});
