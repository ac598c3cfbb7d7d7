import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentKeyring, keyringThatCounts } from '../../crypto/keyring.ts';
import { KeyringShelf } from '../../runtime/keyrings.ts';
import { type KeyringDirectory, makeKeyrings } from '../support/keyrings.ts';

const START = Date.parse('2030-01-07T00:00:00Z');
const HOUR_MS = 3_600_000;
const GRACE_HOURS = 24;

let dir: string;
let keyrings: KeyringDirectory;
let shelf: KeyringShelf;
let nowMs: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shelf-test-'));
  nowMs = START;
  keyrings = await makeKeyrings(dir, () => START);
  shelf = new KeyringShelf({ ...keyrings, now: () => new Date(nowMs) });
});
afterEach(() => rm(dir, { recursive: true }));

const at = (hours: number) => {
  nowMs = START + hours * HOUR_MS;
  return { current: shelf.current()?.serial ?? null, live: shelf.live().map(({ serial }) => serial), condition: shelf.condition() };
};

describe('which keyring is current when', () => {
  it('week after week', async () => {
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await keyrings.add({ serial: 2, fromHours: 168, toHours: 336 });
    await keyrings.add({ serial: 3, fromHours: 336, toHours: 504 });
    await shelf.load();
    expect(at(-1)).toEqual({ current: null, live: [1], condition: 'none' });
    expect(at(0)).toEqual({ current: 1, live: [1], condition: 'ok' });
    expect(at(155.99)).toEqual({ current: 1, live: [1], condition: 'ok' });
    expect(at(156)).toEqual({ current: 1, live: [1, 2], condition: 'ok' });
    expect(at(167.99)).toEqual({ current: 1, live: [1, 2], condition: 'ok' });
    expect(at(168)).toEqual({ current: 2, live: [1, 2], condition: 'ok' });
    expect(at(168 + GRACE_HOURS)).toEqual({ current: 2, live: [2], condition: 'ok' });
    expect(at(324)).toEqual({ current: 2, live: [2, 3], condition: 'ok' });
    expect(at(456)).toEqual({ current: 3, live: [3], condition: 'ok' });
    expect(at(456.5)).toEqual({ current: 3, live: [3], condition: 'expiring' });
    expect(at(504)).toEqual({ current: null, live: [3], condition: 'none' });
    expect(at(504 + GRACE_HOURS)).toEqual({ current: null, live: [], condition: 'none' });
    expect(shelf.all().map(({ serial }) => serial)).toEqual([1, 2, 3]);
  });

  it('a revocation within the week takes effect at once; parcels sealed before still have the grace', async () => {
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await keyrings.add({ serial: 2, fromHours: 50, toHours: 168 });
    await keyrings.add({ serial: 3, fromHours: 168, toHours: 336 });
    await shelf.load();
    expect(at(51)).toMatchObject({ current: 2, live: [1, 2] });
    expect(at(50 + GRACE_HOURS)).toMatchObject({ current: 2, live: [2] });
    expect(at(168)).toMatchObject({ current: 3, live: [2, 3] });
  });

  it('a season of which the rest was signed again: no keyring counts that was voided before it began', async () => {
    const week = (serial: number, number: number) => keyrings.add({ serial, fromHours: 168 * (number - 1), toHours: 168 * number });
    // Weeks 1 to 4, and from the middle of week 2 serials 5 to 7.
    for (const number of [1, 2, 3, 4]) await week(number, number);
    await keyrings.add({ serial: 5, fromHours: 200, toHours: 336 });
    for (const number of [3, 4]) await week(number + 3, number);
    await shelf.load();
    expect(
      shelf
        .all()
        .filter(({ counts }) => counts)
        .map(({ serial }) => serial),
    ).toEqual([1, 2, 5, 6, 7]);
    expect(at(187)).toMatchObject({ current: 2, live: [1, 2] });
    expect(shelf.coming().map(({ serial }) => serial)).toEqual([5, 6, 7]);
    expect(at(195)).toMatchObject({ current: 2, live: [2, 5] });
    expect(at(200)).toMatchObject({ current: 5, live: [2, 5] });
    expect(at(330)).toMatchObject({ current: 5, live: [5, 6] });
    expect(at(336)).toMatchObject({ current: 6, live: [5, 6] });
    expect(at(504)).toMatchObject({ current: 7, live: [6, 7] });
    expect(shelf.next()).toBe(null);
  });

  it('after a revocation no lower serial returns, neither the next week signed before it nor the week it shortened', async () => {
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await keyrings.add({ serial: 2, fromHours: 168, toHours: 336 });
    await keyrings.add({ serial: 3, fromHours: 50, toHours: 120 });
    await shelf.load();
    expect(at(100)).toMatchObject({ current: 3, live: [3] });
    expect(at(130)).toMatchObject({ current: null, live: [3], condition: 'none' });
    expect(at(200)).toMatchObject({ current: null, live: [], condition: 'none' });
    await keyrings.add({ serial: 4, fromHours: 168, toHours: 336 });
    await shelf.load();
    expect(at(100)).toMatchObject({ current: 3, live: [3] });
    expect(at(160)).toMatchObject({ current: null, live: [4] });
    expect(at(200)).toMatchObject({ current: 4, live: [4] });
  });

  it('one that ends before its successor begins leaves a gap', async () => {
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 10 });
    await keyrings.add({ serial: 2, fromHours: 20, toHours: 30 });
    await shelf.load();
    expect(at(15)).toEqual({ current: null, live: [1, 2], condition: 'none' });
    expect(shelf.all()[0]?.acceptedUntil.getTime()).toBe(START + (10 + GRACE_HOURS) * HOUR_MS);
  });
});

/** By serial: from and to, in hours. */
type Weeks = Readonly<Record<number, readonly [number, number]>>;
/** By hour: the serial that counts, and whether it can be used. */
type Moments = Readonly<Record<number, readonly [number, 'valid' | 'KEYRING_EXPIRED' | 'KEYRING_NOT_YET_VALID']>>;

describe('the keyring that counts, one rule for relay, worker, command line, desk and page:', () => {
  it.each<[string, Weeks, Moments]>([
    [
      '12 has begun and ended, 11 would still be valid',
      { 11: [0, 168], 12: [10, 20] },
      { 9: [11, 'valid'], 10: [12, 'valid'], 20: [12, 'KEYRING_EXPIRED'], 100: [12, 'KEYRING_EXPIRED'] },
    ],
    [
      'none has begun: the one that begins first, not the lowest',
      { 1: [20, 30], 2: [10, 30], 3: [15, 30] },
      { 0: [2, 'KEYRING_NOT_YET_VALID'], 10: [2, 'valid'], 15: [3, 'valid'] },
    ],
    [
      'none has begun, and two begin at once: the higher serial',
      { 4: [10, 30], 5: [10, 20] },
      { 0: [5, 'KEYRING_NOT_YET_VALID'], 10: [5, 'valid'], 25: [5, 'KEYRING_EXPIRED'] },
    ],
    [
      'replaced in the middle of a week',
      { 1: [0, 168], 2: [50, 168], 3: [168, 336] },
      { 49: [1, 'valid'], 50: [2, 'valid'], 167: [2, 'valid'], 168: [3, 'valid'], 336: [3, 'KEYRING_EXPIRED'] },
    ],
    [
      'a season of weeks',
      { 1: [0, 168], 2: [168, 336], 3: [336, 504], 4: [504, 672] },
      {
        '-1': [1, 'KEYRING_NOT_YET_VALID'],
        0: [1, 'valid'],
        200: [2, 'valid'],
        400: [3, 'valid'],
        600: [4, 'valid'],
        672: [4, 'KEYRING_EXPIRED'],
      },
    ],
    ['a lower serial that begins later', { 7: [0, 168], 6: [24, 168] }, { 0: [7, 'valid'], 30: [7, 'valid'] }],
  ])('%s', async (_what, weeks, moments) => {
    // By rising serial, as they are signed: each names the one before it.
    for (const [serial, [fromHours, toHours]] of Object.entries(weeks)) await keyrings.add({ serial: Number(serial), fromHours, toHours });
    await shelf.load();
    // In any order.
    for (const all of [shelf.all(), [...shelf.all()].reverse()]) {
      for (const [hours, [serial, use]] of Object.entries(moments)) {
        const { current } = at(Number(hours));
        const now = new Date(nowMs);
        expect(keyringThatCounts(all, now)?.serial, `at ${hours}`).toBe(serial);
        expect(current, `the relay at ${hours}`).toBe(use === 'valid' ? serial : null);
        if (use === 'valid') expect(currentKeyring(all, now).serial).toBe(serial);
        else expect(() => currentKeyring(all, now), `at ${hours}`).toThrow(expect.objectContaining({ code: use }));
      }
    }
  });

  it('none where there are none', () => {
    expect(keyringThatCounts([], new Date())).toBeNull();
    expect(() => currentKeyring([], new Date())).toThrow(expect.objectContaining({ code: 'KEYRING_EXPIRED' }));
  });
});
