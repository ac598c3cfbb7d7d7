import { sodium } from '../crypto/sodium.ts';

const FIRST_MS = 1_000;
/** Someone may be waiting for help behind this letter. */
const LONGEST_MS = 600_000;

/**
 * When to knock at a door again that was shut: twice as long after each failure, up to ten minutes, each time half to
 * one and a half of that, so that several workers do not come together. Held in memory: a restart may knock at once.
 */
export class Backoff {
  readonly #now: () => number;
  #failures = 0;
  #until = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get waiting(): boolean {
    return this.#now() < this.#until;
  }

  failed(): void {
    const ms = Math.min(FIRST_MS * 2 ** Math.min(this.#failures, 30), LONGEST_MS);
    this.#failures += 1;
    this.#until = this.#now() + ms / 2 + sodium.randombytes_uniform(ms);
  }

  worked(): void {
    this.#failures = 0;
    this.#until = 0;
  }
}
