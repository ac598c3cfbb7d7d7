// Cost of a stamp: cheap under normal load, expensive during a flood. It depends on how full the pool is, and on how many parcels
// are remembered under a keyring. docs/operations.md has the figures, and bench/ measures them.
import { HIGHEST_DIFFICULTY } from '../crypto/wire.ts';

type Tier = {
  /** Fraction of the pool's limit at which this tier begins. */
  readonly from: number;
  /** Bits above the base. */
  readonly bits: number;
  /** Applies within a round, not only at its end: a pool that is half full reveals a flood, not a single sender. */
  readonly atOnce: boolean;
};

/**
 * Chosen so that a client with 1.5 million hashes a second (two cores) fills at most four fifths of a pool of 20,000 in a round of
 * 300 seconds, however fast it sends, and meets at most seven bits above a base of ten: 26 seconds at Safer.
 */
const TIERS: readonly Tier[] = [
  { from: 0, bits: 0, atOnce: false },
  { from: 1 / 4, bits: 4, atOnce: false },
  { from: 1 / 2, bits: 6, atOnce: true },
  { from: 3 / 4, bits: 7, atOnce: true },
  { from: 9 / 10, bits: 8, atOnce: true },
];

/** Hysteresis: a tier ends well below where it begins, so that a pool near a bound does not reveal itself by flapping. */
const LEFT_BELOW = 0.6;
/** How far a round's bounds may deviate from the table above, as a fraction. */
const SPREAD = 0.05;
const U32 = 2 ** 32;

/** The cost that follows from the pool, within one round. */
export type Price = {
  readonly tier: number;
  /** Highest fraction of the limit in this round. */
  readonly peak: number;
  /** Where the tiers begin in this round. */
  readonly bounds: readonly number[];
};

/** One u32 for each tier but the first. */
export const DRAWS = TIERS.length - 1;

/** The cost before the first round, for a pool that is already this full. */
export function firstPrice(fraction: number, draws: Uint32Array): Price {
  return nextRound({ tier: 0, peak: fraction, bounds: [] }, fraction, draws);
}

/**
 * Ends a round: up to the tier that its peak reached, or down by one tier.
 * @param draws `DRAWS` random numbers that shift the bounds, so that nobody can hold the pool just below a bound and recognise
 * another person's parcel by the rise in cost
 */
export function nextRound({ tier, peak }: Price, fraction: number, draws: Uint32Array): Price {
  const reached = TIERS.findLastIndex(({ from }) => peak >= from);
  const isLeft = peak < (TIERS[tier]?.from ?? 0) * LEFT_BELOW;
  const bounds = TIERS.map(({ from }, index) => from * (1 + SPREAD * (2 * ((draws[index - 1] ?? 0) / U32) - 1)));
  return { tier: Math.max(reached, isLeft ? tier - 1 : tier), peak: fraction, bounds };
}

/** Within a round: goes up where a tier applies at once. */
export function withinRound({ tier, peak, bounds }: Price, fraction: number): Price {
  const reached = TIERS.findLastIndex(({ atOnce }, index) => atOnce && fraction >= (bounds[index] ?? 1));
  return { tier: Math.max(tier, reached), peak: Math.max(peak, fraction), bounds };
}

/** Of the parcels that a keyring may have, this fraction may come at any time, and the rest in proportion to the time passed. */
const REMEMBERED_AT_ONCE = 0.1;
const REMEMBERED_OVER_TIME = 0.85;
/** Bits above the base by the fraction used of what may have come so far; beyond all of it, the maximum. */
const REMEMBERED_TIERS = [
  [1, 10],
  [0.9, 8],
  [3 / 4, 6],
  [1 / 2, 4],
] as const;

/**
 * Bits above the base by how many parcels are remembered: one client must not use up in a day what has to last for a week.
 * @param fraction of the limit that is used up
 * @param passed fraction of the keyring's lifetime that has passed, 0 to 1
 */
export function bitsForRemembered(fraction: number, passed: number): number {
  const used = fraction / (REMEMBERED_AT_ONCE + REMEMBERED_OVER_TIME * Math.min(Math.max(passed, 0), 1));
  return REMEMBERED_TIERS.find(([from]) => used >= from)?.[1] ?? 0;
}

/** Leading zero bits required: `base` plus the bits of the tier or of the remembered parcels, whichever is more. */
export function difficultyAt(base: number, tier: number, rememberedBits = 0): number {
  const bits = Math.max(TIERS[tier]?.bits ?? 0, rememberedBits);
  return Math.max(base, Math.min(base + bits, HIGHEST_DIFFICULTY));
}
