import { toHex } from '../crypto/bytes.ts';
import { DROP_REASONS, type WorkerDrop } from '../redis/drops.ts';
import { LATE_ROUNDS } from '../redis/keys.ts';

/**
 * Minimum time, or three rounds if that is longer, for which a parcel is tried again that could not be opened. A relay may have
 * read a new keyring seconds before this worker, which then finds that its key is missing, and pauses. An error may be ours and
 * pass (memory).
 */
export const PATIENCE_MS = 60_000;
/** After that long another worker has decided. */
const FORGET_MS = 3_600_000;

/** Parcels that this worker put back into the pool to try them again, and since when. */
export class UndecidedParcels {
  readonly #patienceMs: number;
  /** Parcel id -> when it was put back first, in ms. */
  readonly #since = new Map<string, number>();

  constructor(roundSeconds: number) {
    this.#patienceMs = Math.max(PATIENCE_MS, LATE_ROUNDS * roundSeconds * 1000);
  }

  /** Parcels that another worker decided would be remembered for ever. */
  forgetOld(now: Date): void {
    for (const [name, since] of this.#since) if (now.getTime() - since > FORGET_MS) this.#since.delete(name);
  }

  /**
   * @param reason for which the parcel would be dropped; null: it would not be
   * @param lacksKey this worker has no usable key of a keyring that is to begin
   * @returns true when the parcel is to go back into the pool
   */
  triesAgain(id: Buffer, reason: WorkerDrop | null, lacksKey: boolean, now: Date): boolean {
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
