import { toHex } from '../crypto/bytes.ts';
import { Backoff, type Pace } from './backoff.ts';
import type { Refused } from './inboxes/inbox.ts';

/** The first retry of a refused letter comes after a minute, later ones up to an hour apart. */
const PACE: Pace = { firstMs: 60_000, longestMs: 3_600_000 };

type PastRefusal = {
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
  readonly #byId = new Map<string, PastRefusal>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The reason of one letter whose refusal was about the letter itself, or null. */
  get reason(): string | null {
    return [...this.#byId.values()].findLast(({ backoff }) => backoff !== null)?.reason ?? null;
  }

  /** Forgets all letters but those in `ids`, which still wait. */
  keepOnly(ids: readonly Buffer[]): void {
    const waiting = new Set(ids.map(toHex));
    for (const id of this.#byId.keys()) if (!waiting.has(id)) this.#byId.delete(id);
  }

  knows(id: Buffer): boolean {
    return this.#byId.has(toHex(id));
  }

  isDue(id: Buffer): boolean {
    return this.#byId.get(toHex(id))?.backoff?.isWaiting !== true;
  }

  /** Notes a refusal. Returns false when the letter is to be given up. */
  noteRefusal(id: Buffer, { about, reason, giveUpAfterMs }: Refused): boolean {
    const name = toHex(id);
    const past = this.#byId.get(name) ?? { backoff: null, since: null, reason };
    if (Number.isFinite(giveUpAfterMs)) past.since ??= this.#now();
    if (past.since !== null && this.#now() - past.since >= giveUpAfterMs) {
      this.#byId.delete(name);
      return false;
    }
    if (about === 'letter') (past.backoff ??= new Backoff(this.#now, PACE)).noteFailure();
    past.reason = reason;
    this.#byId.set(name, past);
    return true;
  }

  forget(id: Buffer): void {
    this.#byId.delete(toHex(id));
  }
}
