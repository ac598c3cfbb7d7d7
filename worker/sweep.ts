/*
 * When the worker's key of a serial may be shredded. Nothing accepted may be lost, and what was accepted under a serial is opened by
 * its key alone. So the key is shredded only when all of this holds:
 *
 * 1. Its time is over (worker/retention.ts), and has been for RELAYS_KNOW_MS: no relay accepts anything under it any more.
 * 2. A round that began after that swept the serial: it took everything out of the pool that came under it, and was not broken off.
 * 3. In that round nothing that the key opens went back into the pool, or may have. A letter or reply that finds no room goes back
 *    under a serial that is known. Another worker may put back what it has in hand, a reply may wait for a keyring to be valid, and
 *    an error of ours may have hidden a letter: then nobody knows under which serial, and none counts as swept.
 *
 * What no key opens needs none of those that are here, and may go back. No signer alone can fill the room for replies and so keep a key
 * (worker/signer-quota.ts); replies of one that is revoked are dropped.
 *
 * A key that cannot be used can sweep nothing. It is shredded when nothing is remembered as accepted under its serial: then
 * nothing was, or a worker on another machine had the key and was done.
 */

/** Relays read their keyrings every 10 s: until then one may accept what this worker no longer expects. */
const RELAYS_KNOW_MS = 30_000;

/** A round that left nothing in the pool that came under these serials before it began. */
export type Sweep = { readonly startedAt: Date; readonly serials: ReadonlySet<number> };

/** Follows one round: which of the serials that it sweeps it leaves nothing behind of. */
export class SweepTracker {
  /** Under these nothing is left to chance. */
  readonly serials: ReadonlySet<number>;
  readonly #startedAt: Date;
  readonly #wentBack = new Set<number>();
  #unknownWentBack = false;

  constructor(startedAt: Date, serials: Iterable<number>) {
    this.#startedAt = startedAt;
    this.serials = new Set(serials);
  }

  /** A parcel that the key of this serial opens goes back into the pool. */
  wentBack(serial: number): void {
    this.#wentBack.add(serial);
  }

  /** Something may be in the pool after this round that was there before it, under any serial. */
  mayHaveLeftAny(): void {
    this.#unknownWentBack = true;
  }

  /** What the round swept so far; null: nothing. */
  completed(): Sweep | null {
    if (this.#unknownWentBack) return null;
    const serials = new Set([...this.serials].filter((serial) => !this.#wentBack.has(serial)));
    return serials.size === 0 ? null : { startedAt: this.#startedAt, serials };
  }
}

/** Keeps in mind which keys are to be shredded, and decides when each may be. */
export class Retirement {
  /** Serial -> when its time was first seen to be over. */
  readonly #dueSince = new Map<number, Date>();
  #lastSweep: Sweep | null = null;

  /** Serials of keys whose time is over: the next round sweeps them. */
  get due(): ReadonlySet<number> {
    return new Set(this.#dueSince.keys());
  }

  /** @param keptUntil of the key (worker/retention.ts); null: nobody can say yet */
  look(serial: number, keptUntil: Date | null, now: Date): void {
    if (!keptUntil || keptUntil > now) this.#dueSince.delete(serial);
    else if (!this.#dueSince.has(serial)) this.#dueSince.set(serial, now);
  }

  noteSweep(sweep: Sweep | null): void {
    this.#lastSweep = sweep ?? this.#lastSweep;
  }

  /** A key that this worker can use. */
  mayShred(serial: number): boolean {
    const since = this.#dueSince.get(serial);
    const sweep = this.#lastSweep;
    if (!since || !sweep?.serials.has(serial)) return false;
    return sweep.startedAt.getTime() >= since.getTime() + RELAYS_KNOW_MS;
  }

  /** @param accepted parcels are remembered as accepted under its serial */
  mayShredUnusable(serial: number, accepted: boolean): boolean {
    return this.#dueSince.has(serial) && !accepted;
  }

  shredded(serial: number): void {
    this.#dueSince.delete(serial);
  }
}
