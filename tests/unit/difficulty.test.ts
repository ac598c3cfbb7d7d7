import { expect, it } from 'vitest';
import { HIGHEST_DIFFICULTY } from '../../crypto/stamp.ts';
import { difficultyAt, nextStep } from '../../server/difficulty.ts';

const walk = (shares: readonly number[]): number[] => {
  let step = 0;
  return shares.map((share) => (step = nextStep(step, share)));
};

it('rises with the pool in four coarse steps, all at once when it fills at once', () => {
  expect(walk([0, 0.24, 0.25, 0.5, 0.75, 0.9, 1])).toEqual([0, 0, 1, 2, 3, 4, 4]);
  expect(walk([0, 1])).toEqual([0, 4]);
});

it('falls only well below where it rose, so that a pool about a bound does not make it go to and fro', () => {
  expect(walk([0.25, 0.24, 0.26, 0.16, 0.14, 0.24])).toEqual([1, 1, 1, 1, 0, 0]);
  expect(walk([1, 0.6, 0.5, 0.4, 0.2, 0.1])).toEqual([4, 4, 3, 2, 1, 0]);
});

it('is two bits a step above the base, and never more than a phone can do', () => {
  expect([0, 1, 2, 3, 4].map((step) => difficultyAt(10, step))).toEqual([10, 12, 14, 16, 18]);
  expect([0, 1, 2, 3, 4].map((step) => difficultyAt(16, step))).toEqual([16, 18, 20, 20, 20]);
  for (let base = 0; base <= HIGHEST_DIFFICULTY; base += 1) expect(difficultyAt(base, 4)).toBeLessThanOrEqual(HIGHEST_DIFFICULTY);
});
