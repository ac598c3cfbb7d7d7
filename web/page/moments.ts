// Draws when the next slot is and whether it has a decoy, independently each time, so that one says nothing about the next.
import { readUint32, randomBytes } from '../../crypto/bytes.ts';
import { LONGEST_MEANS, type Slot } from './slots.ts';

/** Uniform in [0, 1). */
function uniform(): number {
  return readUint32(randomBytes(4), 0) / 2 ** 32;
}

/**
 * The `number`-th slot of a visit, from 1: the time until it is exponentially distributed, truncated at three times `meanMs`; it has a
 * decoy with probability 1/`number`.
 */
export function drawSlot(number: number, meanMs: number): Slot {
  return { ms: -meanMs * Math.log(1 - uniform() * (1 - Math.exp(-LONGEST_MEANS))), decoy: uniform() * number < 1 };
}
