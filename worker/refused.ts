import { toHex } from '../crypto/bytes.ts';
import { Backoff, type Pace } from './backoff.ts';
import type { Refused } from './inboxes/inbox.ts';

/** The first retry of a refused letter comes after a minute, later ones up to an hour apart. */
const PACE: Pace = { firstMs: 60_000, longestMs: 3_600_000 };

type Mark = {
  /** Set when the refusal is about this letter; refusals about the inbox use the inbox's own backoff. */
  backoff: Backoff | null;
  /** When it was first refused in a way that is given up some time; null: never. */
  since: number | null;
  reason: string;
};

/**
 * Letters that an inbox refused and that still wait. Kept in memory only, so that Redis holds no times of letters. A restarted
 * worker tries each again and counts from then.
 */
export class RefusedLetters {
  readonly #marks = new Map<string, Mark>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The reason of one letter whose refusal was about the letter itself, or null. */
  get reason(): string | null {
    return [...this.#marks.values()].findLast(({ backoff }) => backoff !== null)?.reason ?? null;
  }

  /** Forgets all letters but those in `ids`, which still wait. */
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

  /** Notes a refusal. Returns false when the letter is to be given up. */
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
