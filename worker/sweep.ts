// A round sweeps a key of the worker when it takes all parcels that the key opens out of the pool, whatever the flush probability.

/** The keys for which a round left nothing in the pool that had arrived before the round began, by id. */
export type Sweep = { readonly startedAt: Date; readonly keyIds: ReadonlySet<string> };

/** Tracks, during one round, for which of the swept keys nothing is left in the pool. */
export class SweepTracker {
  /** The keys that this round sweeps: all of their parcels leave. */
  readonly keyIds: ReadonlySet<string>;
  readonly #startedAt: Date;
  readonly #remaining = new Set<string>();
  #unknownRemaining = false;

  constructor(startedAt: Date, keyIds: Iterable<string>) {
    this.#startedAt = startedAt;
    this.keyIds = new Set(keyIds);
  }

  /** Notes that a parcel which this key opens goes back into the pool. */
  noteRemaining(keyId: string): void {
    this.#remaining.add(keyId);
  }

  /** Notes that parcels of any key may be left in the pool after this round. */
  noteUnknownRemaining(): void {
    this.#unknownRemaining = true;
  }

  /** What the round has swept so far; null: nothing. */
  completed(): Sweep | null {
    if (this.#unknownRemaining) return null;
    const keyIds = new Set([...this.keyIds].filter((keyId) => !this.#remaining.has(keyId)));
    return keyIds.size === 0 ? null : { startedAt: this.#startedAt, keyIds };
  }
}
