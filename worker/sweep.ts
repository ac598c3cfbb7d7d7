// A round sweeps a serial when it takes all parcels of that serial out of the pool, whatever the flush probability.

/** The serials of which a round left nothing in the pool that had arrived before the round began. */
export type Sweep = { readonly startedAt: Date; readonly serials: ReadonlySet<number> };

/** Tracks, during one round, of which of the swept serials nothing is left in the pool. */
export class SweepTracker {
  /** The serials that this round sweeps: all of their parcels leave. */
  readonly serials: ReadonlySet<number>;
  readonly #startedAt: Date;
  readonly #remaining = new Set<number>();
  #unknownRemaining = false;

  constructor(startedAt: Date, serials: Iterable<number>) {
    this.#startedAt = startedAt;
    this.serials = new Set(serials);
  }

  /** Notes that a parcel which the key of this serial opens goes back into the pool. */
  noteRemaining(serial: number): void {
    this.#remaining.add(serial);
  }

  /** Notes that parcels of any serial may be left in the pool after this round. */
  noteUnknownRemaining(): void {
    this.#unknownRemaining = true;
  }

  /** What the round has swept so far; null: nothing. */
  completed(): Sweep | null {
    if (this.#unknownRemaining) return null;
    const serials = new Set([...this.serials].filter((serial) => !this.#remaining.has(serial)));
    return serials.size === 0 ? null : { startedAt: this.#startedAt, serials };
  }
}
