import { sodium } from '../crypto/sodium.ts';

const FIRST_MS = 1_000;
/** Not longer, because somebody may be waiting for help. */
const LONGEST_MS = 600_000;

export type Pace = { readonly firstMs: number; readonly longestMs: number };

/**
 * Exponential backoff: the wait doubles with each failure, up to ten minutes unless told otherwise. Jitter of 50 % either way keeps
 * several workers from retrying in step. Kept in memory only: a restarted worker retries at once.
 */
export class Backoff {
  readonly #now: () => number;
  #failures = 0;
  #until = 0;

  readonly #pace: Pace;

  /** @param now monotonic clock, in milliseconds */
  constructor(now: () => number = () => performance.now(), pace: Pace = { firstMs: FIRST_MS, longestMs: LONGEST_MS }) {
    this.#now = now;
    this.#pace = pace;
  }

  get isWaiting(): boolean {
    return this.#now() < this.#until;
  }

  noteFailure(): void {
    const { firstMs, longestMs } = this.#pace;
    const ms = Math.min(firstMs * 2 ** Math.min(this.#failures, 30), longestMs);
    this.#failures += 1;
    this.#until = this.#now() + ms / 2 + sodium.randombytes_uniform(ms);
  }

  reset(): void {
    this.#failures = 0;
    this.#until = 0;
  }
}
