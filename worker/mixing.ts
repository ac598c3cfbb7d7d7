import { randomBytes, shuffled, toHex } from '../crypto/bytes.ts';

/** From this depth on everything leaves in one round: a flood must drain, and its parcels hide nobody anyway. */
export const DEEP_POOL = 4_000;

/** The probability with which each of `depth` parcels leaves: `flushProbability` for few, rising linearly to 1. */
export function probabilityAt(flushProbability: number, depth: number): number {
  return flushProbability + (1 - flushProbability) * Math.min(1, depth / DEEP_POOL);
}

/** Selects each item independently with `probability`, in random order (a binomial mix). */
export function selectEach<T>(items: readonly T[], probability: number): T[] {
  const draws = new DataView(randomBytes(items.length * 4).buffer);
  return shuffled(items.filter((_, index) => draws.getUint32(index * 4) < probability * 2 ** 32));
}

/** Which parcels of the pool a round opens, and which of those leave. */
export type Selection = {
  /** In random order. */
  readonly toOpen: readonly Buffer[];
  /** @param keyId of the key that opened the parcel; null: none did, so there is nobody to hide and it leaves */
  readonly leaves: (id: Buffer, keyId: string | null) => boolean;
};

/**
 * Selects the parcels that leave by chance, and all parcels of the keys being swept. Which key opens a parcel shows only when it is
 * opened, so if any key is swept, all parcels are opened and the others go back.
 */
export function selectLeaving(pool: readonly Buffer[], flushProbability: number, swept: ReadonlySet<string>): Selection {
  const leaving = selectEach(pool, probabilityAt(flushProbability, pool.length));
  const names = new Set(leaving.map(toHex));
  return {
    toOpen: swept.size > 0 ? shuffled(pool) : leaving,
    leaves: (id, keyId) => keyId === null || swept.has(keyId) || names.has(toHex(id)),
  };
}
