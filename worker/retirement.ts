/*
 * When a key of the worker may be shredded. Nothing accepted may be lost, and parcels sealed to a key can be opened by it alone. So a key
 * is shredded only when all of the following hold:
 *
 * 1. It expired (worker/retention.ts) at least RELAYS_KNOW_MS ago: no relay accepts anything for it any more.
 * 2. A round that began after that swept the key: it took all parcels that the key opens out of the pool, and was not interrupted.
 * 3. In that round nothing that the key opens went, or may have gone, back into the pool. When a letter or reply finds no room, its
 *    key is known. In three cases it is unknown, and no key counts as swept: another worker may put back its batch, a reply or
 *    removal waits for a keyring to be valid, or an error of ours may have hidden a letter.
 *
 * Whether it expired is asked of a clock that does not jump (worker/deletion-clock.ts).
 *
 * A parcel that no key opens needs none of the keys here, and may go back. A single signer cannot fill the room for replies and so
 * keep a key alive (worker/signer-quota.ts), and replies of a revoked signer are dropped.
 *
 * An unusable key can sweep nothing. It is shredded when no accepted parcels are remembered for it: either there never
 * were any, or a worker on another machine had the key and finished.
 */
import type { Sweep } from './sweep.ts';

/** Relays reload their keyrings every 10 s: until then one may accept what this worker no longer expects. */
const RELAYS_KNOW_MS = 30_000;

/** Tracks which keys have expired, and decides when each may be shredded. Keys are named by their id (runtime/key-id.ts). */
export class Retirement {
  /** Key id -> when we first noticed that the key had expired. */
  readonly #dueSince = new Map<string, Date>();
  #lastSweep: Sweep | null = null;

  /** Expired keys: the next round sweeps them. */
  get due(): ReadonlySet<string> {
    return new Set(this.#dueSince.keys());
  }

  /** Notes whether a key has expired. */
  updateDue(keyId: string, expired: boolean, now: Date): void {
    if (!expired) this.#dueSince.delete(keyId);
    else if (!this.#dueSince.has(keyId)) this.#dueSince.set(keyId, now);
  }

  noteSweep(sweep: Sweep | null): void {
    this.#lastSweep = sweep ?? this.#lastSweep;
  }

  /** True when a key that this worker can use may be shredded. */
  mayShred(keyId: string): boolean {
    const since = this.#dueSince.get(keyId);
    const sweep = this.#lastSweep;
    if (!since || !sweep?.keyIds.has(keyId)) return false;
    return sweep.startedAt.getTime() >= since.getTime() + RELAYS_KNOW_MS;
  }

  /**
   * True when a key that this worker cannot use may be shredded.
   * @param accepted true when parcels are remembered as accepted for it
   */
  mayShredUnusable(keyId: string, accepted: boolean): boolean {
    return this.#dueSince.has(keyId) && !accepted;
  }

  noteShredded(keyId: string): void {
    this.#dueSince.delete(keyId);
  }
}
