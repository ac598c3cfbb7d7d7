import { sodium } from '../crypto/sodium.ts';

const FIRST_MS = 1_000;
/** Someone may be waiting for help behind this letter. */
const LONGEST_MS = 600_000;

export type Pace = { readonly firstMs: number; readonly longestMs: number };

/**
 * When to knock at a door again that was shut: twice as long after each failure, up to ten minutes unless told otherwise, each
 * time half to one and a half of that, so that several workers do not come together. Held in memory: a restart may knock at once.
 */
export class Backoff {
  readonly #now: () => number;
  #failures = 0;
  #until = 0;

  readonly #pace: Pace;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now(), pace: Pace = { firstMs: FIRST_MS, longestMs: LONGEST_MS }) {
    this.#now = now;
    this.#pace = pace;
  }

  get waiting(): boolean {
    return this.#now() < this.#until;
  }

  failed(): void {
    const { firstMs, longestMs } = this.#pace;
    const ms = Math.min(firstMs * 2 ** Math.min(this.#failures, 30), longestMs);
    this.#failures += 1;
    this.#until = this.#now() + ms / 2 + sodium.randombytes_uniform(ms);
  }

  worked(): void {
    this.#failures = 0;
    this.#until = 0;
  }
}
