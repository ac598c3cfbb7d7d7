/*
 * When the worker's key of a serial may be shredded. Nothing accepted may be lost, and parcels accepted under a serial can be
 * opened only by its key. So the key is shredded only when all of the following hold:
 *
 * 1. It expired (worker/retention.ts) at least RELAYS_KNOW_MS ago: no relay accepts anything under it any more.
 * 2. A round that began after that swept the serial: it took all parcels of that serial out of the pool, and was not interrupted.
 * 3. In that round nothing that the key opens went, or may have gone, back into the pool. When a letter or reply finds no room, its
 *    serial is known. In three cases it is unknown, and no serial counts as swept: another worker may put back its batch, a reply or
 *    removal waits for a keyring to be valid, or an error of ours may have hidden a letter.
 *
 * A parcel that no key opens needs none of the keys here, and may go back. A single signer cannot fill the room for replies and so
 * keep a key alive (worker/signer-quota.ts), and replies of a revoked signer are dropped.
 *
 * An unusable key can sweep nothing. It is shredded when no accepted parcels are remembered under its serial: either there never
 * were any, or a worker on another machine had the key and finished.
 */
import type { Sweep } from './sweep.ts';

/** Relays reload their keyrings every 10 s: until then one may accept what this worker no longer expects. */
const RELAYS_KNOW_MS = 30_000;

/** Tracks which keys have expired, and decides when each may be shredded. */
export class Retirement {
  /** Serial -> when we first noticed that its key had expired. */
  readonly #dueSince = new Map<number, Date>();
  #lastSweep: Sweep | null = null;

  /** Serials of expired keys: the next round sweeps them. */
  get due(): ReadonlySet<number> {
    return new Set(this.#dueSince.keys());
  }

  /** Notes whether a key has expired. `keptUntil` comes from worker/retention.ts; null: not known yet. */
  updateDue(serial: number, keptUntil: Date | null, now: Date): void {
    if (!keptUntil || keptUntil > now) this.#dueSince.delete(serial);
    else if (!this.#dueSince.has(serial)) this.#dueSince.set(serial, now);
  }

  noteSweep(sweep: Sweep | null): void {
    this.#lastSweep = sweep ?? this.#lastSweep;
  }

  /** True when a key that this worker can use may be shredded. */
  mayShred(serial: number): boolean {
    const since = this.#dueSince.get(serial);
    const sweep = this.#lastSweep;
    if (!since || !sweep?.serials.has(serial)) return false;
    return sweep.startedAt.getTime() >= since.getTime() + RELAYS_KNOW_MS;
  }

  /**
   * True when a key that this worker cannot use may be shredded.
   * @param accepted true when parcels are remembered as accepted under its serial
   */
  mayShredUnusable(serial: number, accepted: boolean): boolean {
    return this.#dueSince.has(serial) && !accepted;
  }

  noteShredded(serial: number): void {
    this.#dueSince.delete(serial);
  }
}
