// When a week's key goes, by a clock that runs, jumps ahead or is set back.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyNotices } from '../../cli/keys/notices.ts';
import { keepLonger, memoryFrom, NO_MEMORY, planShredding, type ShredMemory, type ShredPlan } from '../../cli/keys/shredding.ts';
import { WEEK_MS } from '../../crypto/card.ts';
import { keyringWith, signer } from '../support/conversation-keys.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BEGIN = Date.parse('2026-11-30T00:00:00Z');
const WEEKS = Array.from({ length: 13 }, (_, at) => BEGIN + at * WEEK_MS);
/** The end of the first week, and four weeks. */
const DUE = BEGIN + 5 * WEEK_MS;

const until = (timeMs: number) => [
  { keyring: { ...keyringWith(signer), notAfter: `${new Date(timeMs).toISOString().slice(0, 19)}Z` }, digest: 'ab'.repeat(32) },
];
const SEASON = until(BEGIN + 13 * WEEK_MS);
const at = (now: number, memory: ShredMemory = NO_MEMORY, weeks = WEEKS, keyrings = SEASON): ShredPlan =>
  planShredding(memory, weeks, keyrings, now, 4);

describe('a clock that runs', () => {
  test('nothing is due before the retention is over; the next one is named', () => {
    expect(at(DUE - 1)).toMatchObject({ shred: [], announce: [], next: { week: BEGIN, at: DUE }, held: null });
  });

  test('the first listing announces, one a day later shreds', () => {
    const first = at(DUE + HOUR / 2);
    expect(first).toMatchObject({ shred: [], announce: [{ week: BEGIN, at: DUE + HOUR + DAY }], next: { week: WEEKS[1] } });
    const soon = at(DUE + HOUR + DAY - 1, first.memory);
    expect([soon.shred, soon.announce]).toEqual([[], first.announce]);
    const later = at(DUE + HOUR + DAY, soon.memory);
    expect([later.shred, later.announce, later.memory.announced]).toEqual([[BEGIN], [], {}]);
  });

  test('whoever was away for long sees each week announced before it goes', () => {
    const back = at(DUE + 3 * WEEK_MS);
    expect([back.shred, back.announce.map(({ week }) => week)]).toEqual([[], WEEKS.slice(0, 4)]);
    expect(at(DUE + 3 * WEEK_MS + DAY, back.memory).shred).toEqual(WEEKS.slice(0, 4));
  });

  test('a longer retention takes an announcement back', () => {
    const { memory } = at(DUE);
    const longer = planShredding(memory, WEEKS, SEASON, DUE + 2 * DAY, 8);
    expect([longer.shred, longer.memory.announced]).toEqual([[], {}]);
  });

  test('remembers nothing finer than an hour', () => {
    const { memory } = at(DUE + 17 * 60_000 + 3_021);
    expect(memory).toMatchObject({ listed: '2027-01-04T00:00:00Z', announced: { '2026-11-30': '2027-01-04T01:00:00Z' } });
    expect(memoryFrom(JSON.stringify(memory))).toEqual(memory);
  });
});

describe('a clock that jumps', () => {
  test('ahead of all keyrings shreds nothing, however often', () => {
    let memory = NO_MEMORY;
    for (let listing = 0; listing < 5; listing += 1) {
      const plan = at(BEGIN + 100 * WEEK_MS + listing * 2 * DAY, memory);
      expect([plan.shred, plan.announce, plan.held]).toEqual([[], [], 'keyring']);
      ({ memory } = plan);
    }
    expect(at(BEGIN + HOUR, memory).shred).toEqual([]);
  });

  test('ahead, and back again before the second listing, shreds nothing', () => {
    const ahead = at(DUE + HOUR);
    const back = at(BEGIN + 2 * DAY, ahead.memory);
    expect([back.shred, back.announce, back.memory.announced]).toEqual([[], [], {}]);
    expect(at(DUE + HOUR, back.memory).shred).toEqual([]);
  });

  test('back over what is due announces it anew', () => {
    const announced = at(DUE + 10 * DAY);
    const back = at(DUE + 5 * DAY, announced.memory);
    expect([back.shred, back.held, back.memory.announced]).toEqual([[], 'clock', {}]);
    const again = at(DUE + 5 * DAY, back.memory);
    expect([again.shred, again.announce.map(({ week }) => week)]).toEqual([[], [BEGIN]]);
  });

  test('without any keyring nothing goes', () => {
    const { memory } = at(DUE, NO_MEMORY, WEEKS, []);
    expect(at(DUE + 2 * DAY, memory, WEEKS, [])).toMatchObject({ shred: [], held: 'keyring' });
  });

  const law = fc.property(fc.array(fc.integer({ min: 0, max: 20 * 7 * 24 }), { minLength: 1, maxLength: 30 }), (hours) => {
    let memory = NO_MEMORY;
    let weeks = WEEKS;
    const seen: { now: number; announce: readonly number[] }[] = [];
    for (const hour of hours) {
      const now = BEGIN + hour * HOUR;
      const plan = at(now, memory, weeks);
      for (const week of plan.shred) {
        expect(now).toBeGreaterThanOrEqual(week + 5 * WEEK_MS + DAY);
        expect(seen.some((before) => before.announce.includes(week) && before.now <= now - DAY)).toBe(true);
      }
      seen.push({ now, announce: plan.announce.map(({ week }) => week) });
      weeks = weeks.filter((week) => !plan.shred.includes(week));
      ({ memory } = plan);
    }
  });
  test('law: whatever the clock does, a key goes only after its time, and a day after a listing that announced it', () => {
    fc.assert(law);
  });
});

describe('keeping a week once more', () => {
  test('takes it out of what is due, for four weeks from today', () => {
    const now = DUE + 3 * WEEK_MS;
    const { memory } = at(now);
    const kept = keepLonger(memory, BEGIN, now);
    expect(kept?.until).toBe(now + 4 * WEEK_MS);
    const next = at(now + 2 * DAY, kept?.memory);
    expect(next.shred).toEqual(WEEKS.slice(1, 4));
    expect(keepLonger(next.memory, BEGIN, now)).toBeNull();
    const announced = at(now + 4 * WEEK_MS, next.memory, [BEGIN]);
    expect(announced.announce.map(({ week }) => week)).toEqual([BEGIN]);
    expect(at(now + 4 * WEEK_MS + DAY, announced.memory, [BEGIN]).shred).toEqual([BEGIN]);
  });

  test('is forgotten with the week', () => {
    const kept = keepLonger(NO_MEMORY, BEGIN, BEGIN);
    expect(at(DUE, kept?.memory, WEEKS.slice(1)).memory.kept).toEqual({});
  });
});

test.each(['', '{}', '{"version":2}', '{"version":1,"listed":null,"announced":{"x":"y"},"kept":{}}', '[1'])('%s is no memory', (text) => {
  expect(memoryFrom(text)).toBeNull();
});

test('a newer release is mentioned, as the keyring that counts names it', () => {
  const [known] = SEASON;
  if (known === undefined) throw new Error('signed');
  const naming = (version: string) => [{ ...known, keyring: { ...known.keyring, release: { version, digest: 'cd'.repeat(32) } } }];
  const weeks = [{ begin: BEGIN + 12 * WEEK_MS, identity: '', recipient: '' }];
  expect(keyNotices(weeks, naming('1.3.0'), new Date(BEGIN), '1.2.0')).toEqual([
    'There is a newer release of this program, 1.3.0; this is 1.2.0. Ask the administrator for it.',
  ]);
  expect(keyNotices(weeks, naming('1.2.0'), new Date(BEGIN), '1.2.0')).toEqual([]);
});
