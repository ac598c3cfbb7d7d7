import { describe, expect, it } from 'vitest';
import type { WorkerDrop } from '../../redis/drops.ts';
import { PATIENCE_MS, UndecidedParcels } from '../../worker/undecided.ts';

const at = (ms: number): Date => new Date(ms);
const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

describe('a parcel that would be dropped', () => {
  const tried = (undecided: UndecidedParcels, reason: WorkerDrop | null, ms: number, lacksKey = false): boolean =>
    undecided.shouldRetry(one, reason, lacksKey, at(ms));

  it.each([
    [1, PATIENCE_MS],
    [300, 900_000],
  ] as const)('is tried again in rounds of %d s for %d ms', (roundSeconds, patienceMs) => {
    for (const reason of ['unopenable', 'error'] as const) {
      const undecided = new UndecidedParcels(roundSeconds);
      expect([0, patienceMs - 1, patienceMs].map((ms) => tried(undecided, reason, ms))).toEqual([true, true, false]);
      // It was decided; if it comes again, its time starts over.
      expect(tried(undecided, reason, patienceMs + 1)).toBe(true);
    }
  });

  it('is not tried again for any other reason, nor when there is none', () => {
    const undecided = new UndecidedParcels(1);
    const reasons = ['decoy', 'damaged', 'format', 'team', 'signer-full', null] as const;
    expect(reasons.map((reason) => tried(undecided, reason, 0))).not.toContain(true);
  });

  it('is tried as long as a key that may open it is missing, and only if a key could', () => {
    const undecided = new UndecidedParcels(1);
    expect([0, PATIENCE_MS, 10 * PATIENCE_MS].map((ms) => tried(undecided, 'unopenable', ms, true))).toEqual([true, true, true]);
    expect(tried(undecided, 'unopenable', 10 * PATIENCE_MS, false)).toBe(false);
    expect([0, PATIENCE_MS].map((ms) => tried(undecided, 'error', ms, true))).toEqual([true, false]);
  });

  it('has a time of its own', () => {
    const undecided = new UndecidedParcels(1);
    tried(undecided, 'error', 0);
    expect(undecided.shouldRetry(two, 'error', false, at(PATIENCE_MS))).toBe(true);
    expect(tried(undecided, 'error', PATIENCE_MS)).toBe(false);
  });

  it('is forgotten an hour later, when another worker has decided', () => {
    const undecided = new UndecidedParcels(1);
    tried(undecided, 'error', 0);
    undecided.forgetOld(at(3_600_000));
    expect(undecided.shouldRetry(one, 'unopenable', false, at(3_600_000))).toBe(false);
    tried(undecided, 'error', 0);
    undecided.forgetOld(at(3_600_001));
    expect(tried(undecided, 'error', 3_600_001)).toBe(true);
  });
});
