// When the next slot is, and whether it has a decoy: drawn anew each time, so that one says nothing about the next.
import { readUint32, randomBytes } from '../../crypto/bytes.ts';
import { LONGEST_MEANS, type Slot } from './slots.ts';

/** Uniform in [0, 1). */
function uniform(): number {
  return readUint32(randomBytes(4), 0) / 2 ** 32;
}

/**
 * The `number`-th slot of a visit, counted from 1: exponentially distributed, cut off at three times `meanMs`, and with a
 * decoy in one of `number` cases.
 */
export function drawSlot(number: number, meanMs: number): Slot {
  return { ms: -meanMs * Math.log(1 - uniform() * (1 - Math.exp(-LONGEST_MEANS))), decoy: uniform() * number < 1 };
}
