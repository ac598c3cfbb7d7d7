import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ready } from '../../crypto/sodium.ts';
import { accepts } from '../../server/statics.ts';
import { fullness } from '../../server/door.ts';
import { aclFile } from '../../redis/acl.ts';
import { ALIVE_SECONDS, keys, rememberedId, workerState } from '../../redis/keys.ts';
import { bucketOf } from '../../redis/mailboxes.ts';

beforeAll(() => ready);

describe('names in Redis', () => {
  it('never collide', () => {
    const names = [
      keys.pool,
      keys.claims,
      keys.inboxes,
      keys.dropped,
      keys.alive,
      keys.seen('1f'),
      keys.arrived('1f'),
      keys.opened('1f'),
      keys.claim('1'),
      keys.lease('1'),
      keys.outbox('1'),
      keys.dead('1'),
      keys.replies(1),
      keys.repliesBlank,
      keys.state,
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  it('an id is remembered by its first 16 bytes, and nothing else passes for an id', () => {
    expect(rememberedId(Uint8Array.from({ length: 32 }, (_, i) => i))).toEqual(Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'));
    expect(() => rememberedId(new Uint8Array(16))).toThrow(RangeError);
  });
});

it('the places of a mailbox share nothing with each other, or with those of another week or mailbox', () => {
  const differing = (a: Buffer, b: Buffer) =>
    a.reduce((sum, byte, i) => sum + (byte ^ (b[i] ?? 0)).toString(2).replaceAll('0', '').length, 0);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(10_000), (mailbox, week) => {
      const almost = mailbox.with(31, (mailbox[31] ?? 0) ^ 1);
      const places = [bucketOf(mailbox, week), bucketOf(mailbox, week + 1), bucketOf(almost, week)].flatMap(({ fields }) => fields);
      expect(new Set(places.map(({ length }) => length))).toEqual(new Set([16]));
      // Two random places differ in about half of their 128 bits; in at most 20 or at least 108 once in 10^15 pairs.
      const distances = places.flatMap((place, i) => places.slice(i + 1).map((other) => differing(place, other)));
      expect(Math.min(...distances)).toBeGreaterThan(20);
      expect(Math.max(...distances)).toBeLessThan(108);
    }),
    { numRuns: 20 },
  );
});

describe('the state of the worker', () => {
  it.each([
    [ALIVE_SECONDS, 300, 'working'],
    [ALIVE_SECONDS - 899, 300, 'working'],
    [ALIVE_SECONDS - 900, 300, 'late'],
    [1, 300, 'late'],
    [0, 300, 'gone'],
    [-2 / 1000, 0, 'gone'],
    [ALIVE_SECONDS, NaN, 'gone'],
    [ALIVE_SECONDS - 4, 1, 'late'],
    [ALIVE_SECONDS + 1, 300, 'gone'],
  ] as const)('%d s left of an hour, rounds of %d s: %s', (leftSeconds, roundSeconds, state) => {
    expect(workerState(leftSeconds * 1000, roundSeconds)).toBe(state);
  });
});

it('the ACL file holds no password', () => {
  const text = aclFile({ relay: 'hunter2', worker: 'hunter3', operator: 'hunter4' });
  expect(text).not.toContain('hunter');
  expect(text.split('\n').map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
    'user default off',
    'user relay on',
    'user worker on',
    'user operator on',
    '',
  ]);
});

it.each([
  [0, 'empty'],
  [0.001, 'low'],
  [0.33, 'low'],
  [0.34, 'half'],
  [0.66, 'half'],
  [0.67, 'high'],
  [0.999, 'high'],
  [1, 'full'],
  [2, 'full'],
] as const)('a pool filled to %d is %s', (share, step) => {
  expect(fullness(share)).toBe(step);
});

it.each([
  ['gzip', true],
  ['br, gzip;q=0.5', true],
  ['GZIP', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000', false],
  ['gzip;q=0.001', true],
  ['gzipped', false],
  ['*', false],
  ['', false],
] as const)('Accept-Encoding "%s" takes gzip: %s', (header, taken) => {
  expect(accepts(header, 'gzip')).toBe(taken);
});
