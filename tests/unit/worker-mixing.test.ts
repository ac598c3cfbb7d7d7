import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import type { Shelved } from '../../runtime/keyrings.ts';
import { Backoff } from '../../worker/backoff.ts';
import { coverage } from '../../worker/coverage.ts';
import { DEEP_POOL, probabilityAt, selectEach, selectLeaving } from '../../worker/mixing.ts';
import { isFilling, maxMemoryOf, memoryProblem } from '../../worker/memory.ts';
import { letterId } from '../../crypto/letter.ts';
import { keptUntil, retained } from '../../worker/retention.ts';
import { REPLY_LIMIT } from '../../redis/mailboxes.ts';

const HOUR_MS = 3_600_000;

beforeAll(() => ready);

describe('the choice of a round', () => {
  it('takes each parcel with the flush probability', () => {
    const items = Array.from({ length: 1_000 }, (_, index) => index);
    const rounds = 200;
    const counts = new Array<number>(items.length).fill(0);
    let total = 0;
    for (let round = 0; round < rounds; round += 1) {
      const taken = selectEach(items, 0.5);
      total += taken.length;
      for (const item of taken) counts[item] = (counts[item] ?? 0) + 1;
    }
    // Five standard deviations of a binomial distribution: √(n·p·(1−p)).
    const draws = items.length * rounds;
    expect(Math.abs(total - draws / 2)).toBeLessThan(5 * Math.sqrt(draws / 4));
    for (const count of counts) expect(Math.abs(count - rounds / 2)).toBeLessThan(5.5 * Math.sqrt(rounds / 4));
  });

  it('takes everything at a probability of 1, in an order of its own', () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    const taken = selectEach(items, 1);
    expect(taken).not.toEqual(items);
    expect(taken.toSorted((a, b) => a - b)).toEqual(items);
  });

  it('rises with depth, from the flush probability to 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1, noNaN: true }), fc.nat(2 * DEEP_POOL), fc.nat(2 * DEEP_POOL), (probability, a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a];
        expect(probabilityAt(probability, less)).toBeGreaterThanOrEqual(probability);
        expect(probabilityAt(probability, more)).toBeGreaterThanOrEqual(probabilityAt(probability, less));
        expect(probabilityAt(probability, more)).toBeLessThanOrEqual(1);
      }),
    );
    expect(probabilityAt(0.5, 0)).toBe(0.5);
    expect(probabilityAt(0.5, DEEP_POOL)).toBe(1);
  });

  describe('of a pool', () => {
    const pool = Array.from({ length: 200 }, () => Buffer.from(randomBytes(32)));
    const names = (ids: readonly Buffer[]): string[] => ids.map((id) => id.toString('hex')).toSorted();
    const none = new Set<string>();

    it('opens only what leaves, when no key is swept', () => {
      const { toOpen, leaves } = selectLeaving(pool, 0.5, none);
      expect(toOpen.length).toBeGreaterThan(50);
      expect(toOpen.length).toBeLessThan(150);
      expect(names(pool.filter((id) => leaves(id, '1')))).toEqual(names(toOpen));
    });

    it('opens everything when one is swept, in random order, and all that this key opens leave', () => {
      const { toOpen, leaves } = selectLeaving(pool, 0.5, new Set(['1']));
      expect(toOpen).not.toEqual(pool);
      expect(names(toOpen)).toEqual(names(pool));
      expect(pool.every((id) => leaves(id, '1'))).toBe(true);
      const others = pool.filter((id) => leaves(id, '2')).length;
      expect([others > 50, others < 150]).toEqual([true, true]);
    });

    it('does not hold back a parcel that no key opens', () => {
      const { leaves } = selectLeaving(pool, 0.01, new Set(['1']));
      expect(pool.every((id) => leaves(id, null))).toBe(true);
    });

    it('leaves completely when it is deep', () => {
      const deep = Array.from({ length: DEEP_POOL }, (_, index) => Buffer.from(String(index)));
      expect(selectLeaving(deep, 0.5, none).toOpen).toHaveLength(DEEP_POOL);
    });
  });
});

describe('a letter id', () => {
  it('is the same when repeated and different for another inbox, key or letter', () => {
    const [letter, secret] = [randomBytes(100), randomBytes(32)];
    const id = letterId(letter, 'inbox-1', secret);
    expect(id).toHaveLength(16);
    expect(letterId(letter, 'inbox-1', secret)).toEqual(id);
    for (const other of [
      letterId(letter, 'inbox-2', secret),
      letterId(letter, 'inbox-1', randomBytes(32)),
      letterId(randomBytes(100), 'inbox-1', secret),
    ]) {
      expect(other).not.toEqual(id);
    }
  });
});

describe('the backoff', () => {
  it('doubles up to ten minutes, with jitter, and forgets after a success', () => {
    let now = 0;
    const backoff = new Backoff(() => now);
    const pauses: number[] = [];
    for (let failure = 0; failure < 20; failure += 1) {
      backoff.noteFailure();
      const start = now;
      while (backoff.isWaiting) now += 100;
      pauses.push(now - start);
    }
    pauses.forEach((pause, failure) => {
      const whole = Math.min(1_000 * 2 ** failure, 600_000);
      expect(pause).toBeGreaterThanOrEqual(whole / 2 - 100);
      expect(pause).toBeLessThanOrEqual(1.5 * whole + 100);
    });
    backoff.noteFailure();
    backoff.reset();
    expect(backoff.isWaiting).toBe(false);
  });
});

describe('the memory of Redis', () => {
  const GIB = 2 ** 30;
  const limits = { outbox: 2_000, dead: 2_000, replies: REPLY_LIMIT };
  const relay = { pool: 20_000, seen: 1_000_000 };

  it('suffices at the default limits for twenty inboxes, and then is reported as a problem', () => {
    expect(memoryProblem(3 * GIB, 20, limits, relay)).toBeNull();
    expect(memoryProblem(0, 1_000, limits, relay)).toBeNull();
    // The remembered ids count too: 260 MB.
    expect([700, 1_000].map((mebibytes) => memoryProblem(mebibytes * 2 ** 20, 0, limits, relay) === null)).toEqual([false, true]);
    const settings = 'RELAY_POOL_LIMIT, RELAY_SEEN_LIMIT, WORKER_OUTBOX_LIMIT, WORKER_DEAD_LIMIT or WORKER_REPLY_LIMIT';
    expect(memoryProblem(3 * GIB, 21, limits, relay)).toMatch(
      new RegExp(`^Redis may use 3072mb, .* need \\d+mb: raise maxmemory in redis.conf, or lower ${settings}$`),
    );
  });

  it('has to suffice for the relay’s limits', () => {
    expect(memoryProblem(3 * GIB, 1, limits, { ...relay, pool: 100_000 })).toMatch(/RELAY_POOL_LIMIT/);
    expect(memoryProblem(3 * GIB, 1, limits, { ...relay, seen: 10_000_000 })).toMatch(/RELAY_SEEN_LIMIT/);
  });

  it('is read from INFO', () => {
    expect(maxMemoryOf('# Memory\r\nused_memory:1\r\nmaxmemory:3221225472\r\nmaxmemory_human:3.00G\r\n')).toBe(3 * GIB);
    expect(maxMemoryOf('')).toBe(0);
    const filled = (used: number, most: number): boolean => isFilling(`used_memory:${String(used)}\r\nmaxmemory:${String(most)}\r\n`);
    expect([filled(79, 100), filled(80, 100), filled(80, 0)]).toEqual([false, true, false]);
  });
});

describe('how far the keyrings reach', () => {
  const NOW = new Date('2026-03-04T12:00:00Z');
  const shelved = (...spans: readonly [number, number, number][]) =>
    spans.map(([serial, from, to]) => ({
      serial,
      keyring: {
        notBefore: `2026-03-${String(from).padStart(2, '0')}T00:00:00Z`,
        notAfter: `2026-03-${String(to).padStart(2, '0')}T00:00:00Z`,
      },
    })) as unknown as Shelved[];
  const day = (n: number): string => `2026-03-${String(n).padStart(2, '0')}T00:00:00Z`;

  it.each<[string, readonly [number, number, number][], string | null, number | null]>([
    ['nowhere without any', [], null, null],
    ['nowhere when all have ended', [[1, 1, 4]], null, null],
    ['nowhere when none has begun', [[1, 5, 9]], null, 0],
    ['to the end of the only one', [[1, 1, 8]], day(8), null],
    [
      'to the end of those that follow',
      [
        [1, 1, 8],
        [2, 8, 15],
        [3, 14, 20],
      ],
      day(20),
      2,
    ],
    [
      'to a gap',
      [
        [1, 1, 8],
        [2, 9, 15],
      ],
      day(8),
      null,
    ],
    [
      'not to a lower serial that would begin later',
      [
        [3, 1, 8],
        [2, 8, 15],
      ],
      day(8),
      null,
    ],
    [
      'only to the end of a higher one that has begun in its midst',
      [
        [1, 1, 20],
        [2, 6, 9],
      ],
      day(9),
      2,
    ],
  ])('%s', (_what, spans, until, next) => {
    expect(coverage(shelved(...spans), NOW)).toEqual({ until, next: next || null });
  });
});

describe('the retention of keys', () => {
  const at = (hours: number) => new Date(hours * HOUR_MS);
  const keyring = (keyId: string, endsAfter: number) => ({ keyId, keyring: { notAfter: at(endsAfter).toISOString() } });
  const keyrings = [keyring('a', 76), keyring('b', 176)];

  it('lasts through grace and backlog after the end of the last keyring that names the key', () => {
    expect(keptUntil('a', keyrings, null, 72 * HOUR_MS)).toEqual(at(172));
    expect(keptUntil('b', keyrings, at(900), 72 * HOUR_MS)).toEqual(at(272));
    expect(keptUntil('a', [...keyrings, keyring('a', 100), keyring('a', 50)], null, 72 * HOUR_MS)).toEqual(at(196));
  });

  it('of a key that no keyring names ends with its week, or never', () => {
    expect(keptUntil('c', keyrings, at(168), 0)).toEqual(at(192));
    expect(keptUntil('c', keyrings, null, 0)).toBeNull();
  });

  it('remembers a keyring as long as its key', () => {
    const keyIds = (hours: number) => retained(keyrings, 72 * HOUR_MS, at(hours)).map(({ keyId }) => keyId);
    expect(keyIds(171)).toEqual(['a', 'b']);
    expect(keyIds(172)).toEqual(['b']);
    expect(keyIds(272)).toEqual([]);
  });
});
