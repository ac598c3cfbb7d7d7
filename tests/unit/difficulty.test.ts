import { describe, expect, it } from 'vitest';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { bitsForRemembered, difficultyAt, DRAWS, firstPrice, nextRound, withinRound, type Price } from '../../server/difficulty.ts';

/** The nominal bounds, and the lowest and highest that may be drawn. */
const draws = (value: number) => new Uint32Array(DRAWS).fill(value);
const [LOWEST, MIDDLE, HIGHEST] = [0, 2 ** 31, 2 ** 32 - 1].map(draws) as [Uint32Array, Uint32Array, Uint32Array];

describe('the difficulty', () => {
  const within = (price: Price, shares: readonly number[]) => shares.map((share) => (price = withinRound(price, share)).tier);
  const rounds = (shares: readonly number[]) => {
    let price = firstPrice(0, MIDDLE);
    return shares.map((share) => (price = nextRound(withinRound(price, share), 0, MIDDLE)).tier);
  };

  it('rises at once when the pool is half full or more, and below that at the end of the round', () => {
    const price = firstPrice(0, MIDDLE);
    expect(within(price, [0.1, 0.26, 0.49, 0.51, 0.74, 0.76, 0.91, 1])).toEqual([0, 0, 0, 2, 2, 3, 4, 4]);
    expect(nextRound(withinRound(price, 0.26), 0, MIDDLE).tier).toBe(1);
  });

  it('never falls within a round, and by one step after it', () => {
    expect(within(firstPrice(0, MIDDLE), [0.95, 0.5, 0])).toEqual([4, 4, 4]);
    expect(rounds([0.95, 0, 0, 0, 0, 0])).toEqual([4, 3, 2, 1, 0, 0]);
  });

  it('falls only well below the level at which it rose', () => {
    expect(rounds([0.51, 0.49, 0.31, 0.29, 0.16, 0.14])).toEqual([2, 2, 2, 1, 1, 0]);
  });

  it('has secret bounds, drawn afresh each round, at most a twentieth off', () => {
    expect(within(firstPrice(0, LOWEST), [0.474, 0.476])).toEqual([0, 2]);
    expect(within(firstPrice(0, HIGHEST), [0.524, 0.526])).toEqual([0, 2]);
    expect(within(nextRound(firstPrice(0, HIGHEST), 0, LOWEST), [0.476])).toEqual([2]);
    // Even the highest bound is below a full pool.
    expect(within(firstPrice(0, HIGHEST), [0.95])).toEqual([4]);
  });

  it('never exceeds what clients accept', () => {
    expect([0, 1, 2, 3, 4].map((tier) => difficultyAt(10, tier))).toEqual([10, 14, 16, 17, 18]);
    for (let base = 0; base <= HIGHEST_DIFFICULTY; base += 1) expect(difficultyAt(base, 4, 10)).toBeLessThanOrEqual(HIGHEST_DIFFICULTY);
  });
});

/** Simulates a client that makes stamps as fast as it can for a week, and a mix that empties the pool after each round. */
describe('a flood', () => {
  const BASE = 10;
  const ROUND_SECONDS = 300;
  const WEEK_SECONDS = 7 * 24 * 3600;
  const [POOL, REMEMBERED] = [20_000, 1_000_000];

  function flood(hashesPerSecond: number, mostPerSecond: number, seconds: number, drawn: Uint32Array) {
    let [price, pool, ids, rememberedBits] = [firstPrice(0, drawn), 0, 0, 0];
    const found = { fullestPool: 0, dearest: 0 };
    for (let second = 1; second <= seconds; second += 1) {
      const difficulty = difficultyAt(BASE, price.tier, rememberedBits);
      const come = Math.min(hashesPerSecond / 2 ** difficulty, mostPerSecond, POOL - pool, REMEMBERED - ids);
      pool += come;
      ids += come;
      price = withinRound(price, pool / POOL);
      found.fullestPool = Math.max(found.fullestPool, pool / POOL);
      found.dearest = Math.max(found.dearest, difficulty);
      if (second % ROUND_SECONDS !== 0) continue;
      pool = 0;
      price = nextRound(price, 0, drawn);
      rememberedBits = bitsForRemembered(ids / REMEMBERED, second / WEEK_SECONDS);
    }
    return { ...found, ids: ids / REMEMBERED };
  }

  // As measured: two cores, 206 parcels a second at a low difficulty; and as fast as the hashes allow.
  const floods = [206, Infinity].flatMap((most) => [LOWEST, MIDDLE, HIGHEST].map((drawn) => [most, drawn] as const));

  it.each(floods)(
    'of 1.5 million hashes and at most %d parcels a second does not fill the pool, at a difficulty that takes Safer half a minute (%#)',
    (most, drawn) => {
      const { fullestPool, dearest } = flood(1_500_000, most, 3600, drawn);
      expect(fullestPool).toBeLessThan(0.9);
      expect(2 ** dearest / 5_000).toBeLessThan(30);
    },
  );

  it('by four cores does not fill the pool either', () => {
    expect(flood(3_000_000, Infinity, 3600, MIDDLE).fullestPool).toBeLessThan(1);
  });

  it('that lasts a week does not use up the set of remembered ids of its keyring', () => {
    const { ids, dearest } = flood(1_500_000, Infinity, WEEK_SECONDS, MIDDLE);
    expect(ids).toBeLessThan(1);
    // What the level Standard does in two seconds.
    expect(dearest).toBe(20);
  });

  it('that has ended is forgotten over time', () => {
    expect(bitsForRemembered(0.3, 0.1)).toBe(10);
    expect([0.2, 0.3, 0.4, 0.6].map((passed) => bitsForRemembered(0.3, passed))).toEqual([10, 6, 4, 0]);
  });
});
