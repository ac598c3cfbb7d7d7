// What a stamp costs: next to nothing while few write, more while something floods. The price follows how full the pool is,
// and how many parcels were remembered of a keyring; docs/operations.md has the figures and bench/ measures them.
import { HIGHEST_DIFFICULTY } from '../crypto/wire.ts';

type Step = {
  /** The share of the pool's limit from which on this is asked. */
  readonly from: number;
  /** Bits above the base. */
  readonly bits: number;
  /** Not only at the end of a round: a pool that is half full says that there is a flood, not who came. */
  readonly atOnce: boolean;
};

/**
 * With these a client that makes 1.5 million hashes a second (two cores) fills four fifths of a pool of 20,000 in a round of
 * 300 seconds, however fast it sends, and is asked no more than seven bits above a base of ten: 26 seconds at Safer.
 */
const STEPS: readonly Step[] = [
  { from: 0, bits: 0, atOnce: false },
  { from: 1 / 4, bits: 4, atOnce: false },
  { from: 1 / 2, bits: 6, atOnce: true },
  { from: 3 / 4, bits: 7, atOnce: true },
  { from: 9 / 10, bits: 8, atOnce: true },
];

/** A step is left only well below where it begins, so that a pool about a bound does not say so by going to and fro. */
const LEFT_BELOW = 0.6;
/** How far a bound may lie from where it stands above, this round. */
const SPREAD = 0.05;
const U32 = 2 ** 32;

/** The price by the pool, in one round. */
export type Price = {
  readonly step: number;
  /** The largest share of the limit in this round. */
  readonly peak: number;
  /** Where the steps begin in this round. */
  readonly bounds: readonly number[];
};

/** One u32 for each step but the first. */
export const DRAWS = STEPS.length - 1;

/** The price before the first round, which finds a pool of this share. */
export function firstPrice(share: number, draws: Uint32Array): Price {
  return nextRound({ step: 0, peak: share, bounds: [] }, share, draws);
}

/**
 * A round has ended: up by what was seen in it, or down by one step.
 * @param draws `DRAWS` random numbers, which place the bounds anew: who keeps the pool just below a bound cannot know that it
 * does, and see somebody's single parcel by the price
 */
export function nextRound({ step, peak }: Price, share: number, draws: Uint32Array): Price {
  const reached = STEPS.findLastIndex(({ from }) => peak >= from);
  const isLeft = peak < (STEPS[step]?.from ?? 0) * LEFT_BELOW;
  const bounds = STEPS.map(({ from }, index) => from * (1 + SPREAD * (2 * ((draws[index - 1] ?? 0) / U32) - 1)));
  return { step: Math.max(reached, isLeft ? step - 1 : step), peak: share, bounds };
}

/** Within a round: up, where a step does not wait for its end. */
export function withinRound({ step, peak, bounds }: Price, share: number): Price {
  const reached = STEPS.findLastIndex(({ atOnce }, index) => atOnce && share >= (bounds[index] ?? 1));
  return { step: Math.max(step, reached), peak: Math.max(peak, share), bounds };
}

/** Of the parcels that may be remembered of a keyring this share may come at any time, the others as its time passes … */
const REMEMBERED_AT_ONCE = 0.1;
const REMEMBERED_IN_TIME = 0.85;
/** … and what is asked of a parcel rises with the share that has come of those that may have: past all of it, to the highest. */
const IDS_STEPS = [
  [1, 10],
  [0.9, 8],
  [3 / 4, 6],
  [1 / 2, 4],
] as const;

/**
 * Bits above the base by how many parcels were remembered: one client must not use up in a day what has to last for a week.
 * @param share of the limit
 * @param passed share of the keyring's time, 0 to 1
 */
export function bitsForRemembered(share: number, passed: number): number {
  const used = share / (REMEMBERED_AT_ONCE + REMEMBERED_IN_TIME * Math.min(Math.max(passed, 0), 1));
  return IDS_STEPS.find(([from]) => used >= from)?.[1] ?? 0;
}

/** Leading zero bits at a step above `base`, and at the bits for what was remembered, whichever asks for more. */
export function difficultyAt(base: number, step: number, rememberedBits = 0): number {
  const bits = Math.max(STEPS[step]?.bits ?? 0, rememberedBits);
  return Math.max(base, Math.min(base + bits, HIGHEST_DIFFICULTY));
}
