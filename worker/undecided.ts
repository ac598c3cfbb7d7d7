import { toHex } from '../crypto/bytes.ts';
import { DROP_REASONS, type WorkerDrop } from '../redis/drops.ts';
import { LATE_ROUNDS } from '../redis/keys.ts';

/**
 * Minimum time (or three rounds, if longer) to keep retrying a parcel that could not be opened. A relay may have loaded a new
 * keyring seconds before this worker, which then notices that its key is missing, and pauses. An error may be our own and
 * transient, such as out of memory.
 */
export const PATIENCE_MS = 60_000;
/** By then another worker must have decided. */
const FORGET_MS = 3_600_000;

/** Parcels that this worker put back into the pool to retry, and since when. */
export class UndecidedParcels {
  readonly #patienceMs: number;
  /** Parcel id (hex) -> when it was first put back, in ms since the epoch. */
  readonly #since = new Map<string, number>();

  constructor(roundSeconds: number) {
    this.#patienceMs = Math.max(PATIENCE_MS, LATE_ROUNDS * roundSeconds * 1000);
  }

  /** Without this, parcels that another worker decided would be remembered for ever. */
  forgetOld(now: Date): void {
    for (const [name, since] of this.#since) if (now.getTime() - since > FORGET_MS) this.#since.delete(name);
  }

  /**
   * Decides whether to retry a parcel, and notes since when it has been retried.
   * @param reason why the parcel would be dropped; null: it would not be
   * @param lacksKey true when this worker lacks a usable key of some keyring
   * @returns true when the parcel is to go back into the pool
   */
  shouldRetry(id: Buffer, reason: WorkerDrop | null, lacksKey: boolean, now: Date): boolean {
    const name = toHex(id);
    const since = this.#since.get(name) ?? now.getTime();
    const retry = reason && DROP_REASONS[reason].retry;
    const inTime = now.getTime() - since < this.#patienceMs;
    const again = retry !== null && (inTime || (lacksKey && retry === 'while a key is missing'));
    if (again) this.#since.set(name, since);
    else this.#since.delete(name);
    return again;
  }
}
