// Which keyring counts when, and what signing anew takes away: laws over many keyrings.
import { describe, expect, it } from 'vitest';
import { coveredUntil, keyringAt, stretchesOf, voidedBy, weeksBetween } from '../../cli/administering/weeks.ts';
import { instantOf } from '../../volunteer/keys/season.ts';
import { keyringThatCounts, type VerifiedKeyring } from '../../crypto/keyring.ts';

const DAY_MS = 24 * 3_600_000;
const START = Date.parse('2026-11-30T00:00:00Z');

/** A keyring that is valid between two days, counted from START. */
function keyring(serial: number, from: number, until: number): VerifiedKeyring {
  const dates = { notBefore: instantOf(START + from * DAY_MS), notAfter: instantOf(START + until * DAY_MS) };
  return { keyring: { version: 1, serial, ...dates, previous: null, worker: '', teams: [] }, digest: String(serial).padStart(64, '0') };
}

/** The same in each run: a small generator of whole numbers below `limit`. */
function drawer(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
}

const many = Array.from({ length: 200 }, (_, seed) => {
  const draw = drawer(seed + 1);
  return Array.from({ length: 1 + draw(8) }, (_each, at) => {
    const from = draw(40);
    return keyring(at + 1, from, from + 1 + draw(14));
  });
});

describe('of keyrings in any number and order of weeks', () => {
  it('the stretches say what everybody takes, at any moment', () => {
    for (const keyrings of many) {
      for (let day = 0; day < 60; day += 0.5) {
        const now = START + day * DAY_MS;
        const counting = keyringThatCounts(keyrings, new Date(now));
        const isValid = counting !== null && Date.parse(counting.keyring.notBefore) <= now && now < Date.parse(counting.keyring.notAfter);
        expect(keyringAt(keyrings, now)).toBe(isValid ? counting : null);
      }
    }
  });

  it('no two stretches share a moment, and cover ends where none counts', () => {
    for (const keyrings of many) {
      const stretches = stretchesOf(keyrings).toSorted((a, b) => a.from - b.from);
      for (const [at, { until }] of stretches.entries()) expect(until).toBeLessThanOrEqual(stretches[at + 1]?.from ?? Infinity);
      for (let day = 0; day < 60; day += 3) {
        const end = coveredUntil(keyrings, START + day * DAY_MS);
        expect(keyringAt(keyrings, end)).toBe(null);
        for (let time = START + day * DAY_MS; time < end; time += DAY_MS / 2) expect(keyringAt(keyrings, time)).not.toBe(null);
      }
    }
  });

  it('void is what counts less than before', () => {
    for (const keyrings of many) {
      const [before, added] = [keyrings.slice(0, -1), keyrings.slice(-1)];
      const moments = Array.from({ length: 120 }, (_, at) => START + (at * DAY_MS) / 2);
      const lost = new Set(
        moments.flatMap((now) => {
          const former = keyringAt(before, now);
          return former !== null && keyringAt(keyrings, now) !== former ? [former] : [];
        }),
      );
      expect(new Set(voidedBy(before, added, START))).toEqual(lost);
    }
  });
});

it('a revocation in week five makes the rest of it and the later weeks void', () => {
  const season = Array.from({ length: 13 }, (_, at) => keyring(at + 1, at * 7, at * 7 + 7));
  const anew = [keyring(14, 30, 35), ...Array.from({ length: 8 }, (_, at) => keyring(15 + at, 35 + at * 7, 42 + at * 7))];
  const now = START + 30 * DAY_MS;
  expect(voidedBy(season, anew, now).map((each) => each.keyring.serial)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13]);
  expect(coveredUntil([...season, ...anew.slice(0, 2)], now)).toBe(START + 42 * DAY_MS);
  expect(coveredUntil([...season, ...anew], now)).toBe(START + 91 * DAY_MS);
});

it('the weeks of a time begin on Mondays, the week of its begin first', () => {
  const wednesday = START + 2.5 * DAY_MS;
  expect(weeksBetween(wednesday, wednesday + 7 * DAY_MS).map(instantOf)).toEqual(['2026-11-30T00:00:00Z', '2026-12-07T00:00:00Z']);
  expect(weeksBetween(wednesday, START)).toEqual([]);
});
