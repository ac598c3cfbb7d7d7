import { beforeAll, describe, expect, it } from 'vitest';
import { ready } from '../../crypto/sodium.ts';
import { drawSlot } from '../../web/page/moments.ts';
import type { Slot } from '../../web/page/slots.ts';
import { LONGEST_MEANS, Slots, type SlotsOptions } from '../../web/page/slots.ts';

/** No test waits this long. */
const LONGEST_MS = 1_000_000;
const never = (): Promise<never> => new Promise(() => undefined);

/** Slots that pass as fast as possible; those in `decoys` have a decoy. After `most` slots nothing more is drawn. */
function passing(decoys: readonly number[], most = Infinity, otherwise: Partial<SlotsOptions> = {}) {
  const sent: string[] = [];
  let prepared = 0;
  let over: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  let current = 0;
  const slots = new Slots({
    draw: async (number): Promise<Slot> => {
      current = number;
      if (number <= most) return { ms: 0, decoy: decoys.includes(number) };
      over();
      throw new Error('no more');
    },
    prepare: async () => {
      prepared += 1;
    },
    decoy: async () => {
      sent.push(`decoy ${String(current)}`);
    },
    longestMs: LONGEST_MS,
    ...otherwise,
  });
  return { slots, sent, ended, prepared: () => prepared, current: () => current };
}

describe('slots', () => {
  it('send a decoy in those that have one, and nothing in the others', async () => {
    const { slots, sent, ended, prepared } = passing([1, 2, 5], 9);
    slots.start();
    await ended;
    expect(sent).toEqual(['decoy 1', 'decoy 2', 'decoy 5']);
    expect(prepared()).toBe(3);
  });

  it('give the next one to a request, in place of its decoy', async () => {
    const { slots, sent, ended } = passing([1, 2], 9);
    const outcome = slots.use(async () => {
      sent.push('request');
      return 'accepted';
    });
    expect(await outcome).toBe('accepted');
    await ended;
    expect(sent).toEqual(['request', 'decoy 2']);
  });

  it('serve a request even in a slot without a decoy', async () => {
    const { slots, sent } = passing([]);
    await slots.use(async () => {
      sent.push('request');
    });
    expect(sent).toEqual(['request']);
    slots.stop();
  });

  it('pass without a decoy that is not ready yet, which goes in a later slot', async () => {
    let made: () => void = () => undefined;
    const { slots, sent, ended, current } = passing([1], 9, {
      prepare: () =>
        new Promise<void>((resolve) => {
          made = resolve;
        }),
    });
    slots.start();
    await expect.poll(current, { interval: 1 }).toBeGreaterThan(3);
    expect(sent).toEqual([]);
    made();
    await ended;
    expect(sent).toHaveLength(1);
  });

  it('let a request overtake a decoy that is not ready yet, and take its place', async () => {
    const { slots, sent } = passing([1], 9, { prepare: never });
    await slots.use(async () => {
      sent.push('request');
    });
    expect(sent).toEqual(['request']);
    slots.stop();
  });

  it('try again to make a decoy that could not be made', async () => {
    let tries = 0;
    const { slots, sent, ended } = passing([1], 9, {
      prepare: async () => {
        tries += 1;
        if (tries < 3) throw new Error('no keyring');
      },
    });
    slots.start();
    await ended;
    expect(tries).toBe(3);
    expect(sent).toEqual(['decoy 3']);
  });

  it('do not wait for ever for a decoy on a stalled connection', async () => {
    let stalled = 0;
    const { slots, sent, current } = passing([1, 2, 3], Infinity, {
      longestMs: 0,
      decoy: () => {
        stalled += 1;
        return never();
      },
    });
    slots.start();
    await expect.poll(current, { interval: 1 }).toBeGreaterThan(5);
    await slots.use(async () => {
      sent.push('request');
    });
    expect(sent).toEqual(['request']);
    expect(stalled).toBe(3);
    slots.stop();
  });

  it('wait for a request, however long it takes', async () => {
    let answer: (outcome: string) => void = () => undefined;
    const { slots, current } = passing([], Infinity, { longestMs: 0 });
    let during = 0;
    const outcome = slots.use(() => {
      during = current();
      return new Promise<string>((resolve) => {
        answer = resolve;
      });
    });
    await expect.poll(() => during).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(current()).toBe(during);
    answer('accepted');
    expect(await outcome).toBe('accepted');
    slots.stop();
  });

  it('continue after a failed exchange, and report it to its caller', async () => {
    const { slots } = passing([]);
    await expect(slots.use(() => Promise.reject(new Error('no connection')))).rejects.toThrow('no connection');
    expect(await slots.use(async () => 'again')).toBe('again');
    slots.stop();
  });

  it('leave no request waiting when no more can be drawn', async () => {
    const { slots } = passing([], 0);
    await expect(slots.use(async () => 'never')).rejects.toThrow('no more');
    await expect(slots.use(async () => 'never')).rejects.toThrow('no more');
  });

  it('send nothing once they are stopped', async () => {
    const { slots, sent } = passing([1, 2, 3]);
    slots.start();
    slots.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent).toEqual([]);
  });
});

describe('a slot that is drawn', () => {
  beforeAll(() => ready);
  const DRAWS = 5_000;

  it('is exponentially distributed in time, and never later than three means', () => {
    const MEAN_MS = 20_000;
    const times = Array.from({ length: DRAWS }, () => drawSlot(1, MEAN_MS).ms / MEAN_MS);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(LONGEST_MEANS);
    // The share below each bound, for an exponential distribution cut off at three means.
    for (const bound of [0.25, 0.5, 1, 2]) {
      const expected = (1 - Math.exp(-bound)) / (1 - Math.exp(-LONGEST_MEANS));
      expect(times.filter((time) => time < bound).length / DRAWS).toBeCloseTo(expected, 1);
    }
  });

  it('has a decoy if it is the first, and the n-th has one with probability 1/n', () => {
    for (const number of [1, 2, 5, 20]) {
      const decoys = Array.from({ length: DRAWS }, () => drawSlot(number, 1).decoy).filter(Boolean).length;
      expect(decoys / DRAWS).toBeCloseTo(1 / number, 1);
    }
    expect(Array.from({ length: 100 }, () => drawSlot(1, 1).decoy)).not.toContain(false);
  });
});
