// The stamp: hashcash without a round trip. docs/protocol.md, § Stamp.
import { blake2b, concat, leadingZeroBits, uint32 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { COUNTER_BYTES, COUNTER_OFFSET, parseParcel, type Parcel } from './parcel.ts';
import { finish, type Steps } from './steps.ts';
import { MAX_DIFFICULTY } from './wire.ts';

const STAMP_HASH_BYTES = 32;
const STEP_TRIES = 256;

/** The number of leading zero bits of BLAKE2b-256(id ‖ serial ‖ nonce), over 32 + 4 + 8 bytes. */
export function stampBits({ id, serial, nonce }: Pick<Parcel, 'id' | 'serial' | 'nonce'>): number {
  return leadingZeroBits(blake2b(STAMP_HASH_BYTES, concat(id, uint32(serial), nonce)));
}

/**
 * A copy of the parcel (24,576 bytes) with the lowest counter that gives at least `difficulty` leading zero bits; one that has
 * enough already keeps its counter. A parcel that was changed on its way is never stamped. A step is a few hundred tries, and
 * yields the number of tries so far.
 * Throws STAMP_CHEAP unless the difficulty is 0 to 24; PARCEL_SIZE, PARCEL_VERSION, PARCEL_SEALED and PARCEL_CHECK as
 * `parseParcel` does.
 */
export function* stampSteps(parcel: Uint8Array, difficulty: number): Steps<Uint8Array> {
  if (!Number.isInteger(difficulty) || difficulty < 0 || difficulty > MAX_DIFFICULTY) {
    throw new CodedError('STAMP_CHEAP', `a difficulty of ${String(difficulty)} bits, expected 0 to ${String(MAX_DIFFICULTY)}`);
  }
  const stamped = parcel.slice();
  const parsed = parseParcel(stamped);
  const counter = new DataView(stamped.buffer, stamped.byteOffset + COUNTER_OFFSET, COUNTER_BYTES);
  for (let tries = 1; stampBits(parsed) < difficulty; tries += 1) {
    counter.setUint32(0, tries - 1);
    if (tries % STEP_TRIES === 0) yield tries;
  }
  return stamped;
}

/** `stampSteps` without pauses. */
export function stampParcel(parcel: Uint8Array, difficulty: number): Uint8Array {
  return finish(stampSteps(parcel, difficulty));
}
