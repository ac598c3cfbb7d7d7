import { toHex } from '../crypto/bytes.ts';
import { Backoff, type Pace } from './backoff.ts';
import type { Refused } from './inboxes/inbox.ts';

/** A provider that refuses is asked about the same letter again after a minute, at last every hour. */
const PACE: Pace = { firstMs: 60_000, longestMs: 3_600_000 };

type Mark = {
  /** Of a letter that was refused by itself; what is about the inbox has the inbox's own backoff. */
  backoff: Backoff | null;
  /** When it was refused first in a way that may be given up; null: never yet. */
  since: number | null;
  reason: string;
};

/**
 * What an inbox did not take and still waits: only in memory, so that no time of a letter stands in Redis. A worker that is
 * started anew asks about each again, and counts from then.
 */
export class RefusedLetters {
  readonly #marks = new Map<string, Mark>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Why one of those that were refused by themselves waits, or null. */
  get reason(): string | null {
    return [...this.#marks.values()].findLast(({ backoff }) => backoff !== null)?.reason ?? null;
  }

  /** Forgets those that wait no more. */
  keep(ids: readonly Buffer[]): void {
    const waiting = new Set(ids.map(toHex));
    for (const id of this.#marks.keys()) if (!waiting.has(id)) this.#marks.delete(id);
  }

  knows(id: Buffer): boolean {
    return this.#marks.has(toHex(id));
  }

  isDue(id: Buffer): boolean {
    return this.#marks.get(toHex(id))?.backoff?.waiting !== true;
  }

  /** @returns false when the letter is to be given up */
  refused(id: Buffer, { about, reason, giveUpAfterMs }: Refused): boolean {
    const name = toHex(id);
    const mark = this.#marks.get(name) ?? { backoff: null, since: null, reason };
    if (Number.isFinite(giveUpAfterMs)) mark.since ??= this.#now();
    if (mark.since !== null && this.#now() - mark.since >= giveUpAfterMs) {
      this.#marks.delete(name);
      return false;
    }
    if (about === 'letter') (mark.backoff ??= new Backoff(this.#now, PACE)).failed();
    mark.reason = reason;
    this.#marks.set(name, mark);
    return true;
  }

  forget(id: Buffer): void {
    this.#marks.delete(toHex(id));
  }
}
