// Which of a season's keyrings count, and which of them an offline form carries.
import { beforeAll, describe, expect, it } from 'vitest';
import { currentKeyring, type Keyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { carriedFrom } from '../../web/build/carried.ts';
import { inSuccession } from '../../web/page/coverage.ts';
import { makeKeyrings } from '../support/keyrings.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DAY_MS = 24 * 3_600_000;
/** A Monday. */
const BEGIN_MS = Date.parse('2030-01-07T00:00:00Z');
const at = (days: number): Date => new Date(BEGIN_MS + days * DAY_MS);
const instant = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

let plain: Keyring;
beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'coverage-'));
  plain = await (await makeKeyrings(dir)).add({ serial: 1, fromHours: 0, toHours: 1 });
  await rm(dir, { recursive: true });
});

const keyring = (serial: number, fromDays: number, toDays: number): VerifiedKeyring => ({
  keyring: { ...plain, serial, notBefore: instant(at(fromDays)), notAfter: instant(at(toDays)) },
  digest: String(serial).padStart(64, '0'),
});
const weeks = (first: number, from: number, to: number): VerifiedKeyring[] =>
  Array.from({ length: to - from }, (_, n) => keyring(first + n, 7 * (from + n), 7 * (from + n + 1)));
const serials = (keyrings: readonly VerifiedKeyring[]): number[] => keyrings.map((each) => each.keyring.serial);

/** Thirteen weeks; in the middle of the fifth somebody is taken off. */
const season = (): VerifiedKeyring[] => weeks(1, 0, 13);
const revoked = (): VerifiedKeyring[] => [...season(), keyring(14, 30.5, 35), ...weeks(15, 5, 13)];

describe('keyrings in succession', () => {
  it('are those that count from a moment on, in their time, whatever their order', () => {
    expect(serials(inSuccession(season().reverse(), at(8)))).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(serials(inSuccession(season(), at(-3)))).toEqual(serials(season()));
  });

  it('leave out what a revocation replaces, before it and after it', () => {
    expect(serials(inSuccession(revoked(), at(29)))).toEqual([5, 14, 15, 16, 17, 18, 19, 20, 21, 22]);
    expect(serials(inSuccession(revoked(), at(31)))).toEqual([14, 15, 16, 17, 18, 19, 20, 21, 22]);
  });

  it('end at a gap, and where one that replaced a longer one ends', () => {
    expect(serials(inSuccession([...weeks(1, 0, 2), ...weeks(3, 3, 5)], at(0)))).toEqual([1, 2]);
    expect(serials(inSuccession([keyring(1, 0, 21), keyring(2, 7, 14)], at(0)))).toEqual([1, 2]);
    expect(inSuccession([keyring(1, 0, 21), keyring(2, 7, 14)], at(15))).toEqual([]);
  });

  it('are there once, and none when all have ended', () => {
    expect(serials(inSuccession([...weeks(1, 0, 2), ...weeks(1, 0, 2)], at(0)))).toEqual([1, 2]);
    expect(inSuccession(season(), at(91))).toEqual([]);
  });

  it('begin with the one that everybody uses, on every day of the year that has one', () => {
    for (let days = 0; days < 91; days += 0.25) {
      expect(inSuccession(revoked(), at(days))[0], String(days)).toEqual(currentKeyring(revoked(), at(days)));
    }
  });
});

describe('an offline form carries', () => {
  it.each([
    ['on a Monday', 0, [1, 2, 3, 4]],
    ['on a Sunday', 6, [1, 2, 3, 4]],
    ['before the season', -6, [1, 2, 3]],
    ['near its end', 78, [12, 13]],
    ['after it', 91, []],
  ])('%s what ends within four weeks', (_, days, expected) => {
    expect(serials(carriedFrom(season(), at(days)))).toEqual(expected);
  });

  it('the keyring that counts, however long, and nothing that is replaced', () => {
    expect(serials(carriedFrom([keyring(1, 0, 90), keyring(2, 90, 97)], at(1)))).toEqual([1]);
    expect(serials(carriedFrom(revoked(), at(29)))).toEqual([5, 14, 15, 16, 17]);
  });
});
