// What is asked of a stamp rises with the pool: nearly free when few write, dear when something floods.
import { HIGHEST_DIFFICULTY } from '../crypto/stamp.ts';

const BITS_PER_STEP = 2;
/** A step up at each of these shares of the pool's limit … */
const UP = [1 / 4, 1 / 2, 3 / 4, 9 / 10] as const;
/** … and down again only well below it, so that a pool that hovers about a bound does not say so by going to and fro. */
const DOWN = UP.map((share) => share * 0.6);

/** The step after `step` when this share of the pool's limit is taken: 0 (the base) to 4. */
export function nextStep(step: number, share: number): number {
  const up = UP.filter((bound) => share >= bound).length;
  const down = DOWN.filter((bound) => share >= bound).length;
  return Math.min(Math.max(step, up), down);
}

/** Leading zero bits at a step above `base`. */
export function difficultyAt(base: number, step: number): number {
  return Math.max(base, Math.min(base + step * BITS_PER_STEP, HIGHEST_DIFFICULTY));
}
