import { MAGNITUDES, type Magnitude } from '../redis/state.ts';
import type { Sight } from './sight.ts';

const PERIOD_MS = 3 * 3_600_000;
/** A week. */
const PERIODS = 56;
export const HISTORY_DAYS = (PERIODS * PERIOD_MS) / (24 * 3_600_000);

/** The most that was seen in a period: counts as places in MAGNITUDES. */
export type Point = { readonly pool: number; readonly letters: number; readonly answers: number; readonly needs: number };

/** The last days, in memory alone and in coarse steps: a restart forgets them. */
export class History {
  readonly #points = new Map<number, Point>();

  add({ at, status, attention }: Sight): void {
    const period = Math.floor(at.getTime() / PERIOD_MS);
    const waiting = status?.inboxes.map((inbox) => inbox.waiting) ?? [];
    const before = this.#points.get(period) ?? { pool: 0, letters: 0, answers: 0, needs: 0 };
    this.#points.set(period, {
      pool: Math.max(before.pool, placeOf(status?.pool ?? null)),
      letters: Math.max(before.letters, ...waiting.map(placeOf)),
      answers: Math.max(before.answers, placeOf(status?.replies ?? null)),
      needs: Math.max(before.needs, attention.length),
    });
    for (const known of this.#points.keys()) if (known <= period - PERIODS || known > period) this.#points.delete(known);
  }

  /** The periods up to `at`, the oldest first; null: nothing is known of one. */
  upTo(at: Date): (Point | null)[] {
    const last = Math.floor(at.getTime() / PERIOD_MS);
    return Array.from({ length: PERIODS }, (_, index) => this.#points.get(last - PERIODS + 1 + index) ?? null);
  }
}

const placeOf = (count: Magnitude | null): number => (count === null ? 0 : MAGNITUDES.indexOf(count));
