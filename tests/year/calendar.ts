// The simulated clock of the year, which relay, worker, commands and test share.
import { vi } from 'vitest';
import { WEEK_MS } from '../../crypto/card.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** The Monday of week 1. */
const YEAR_BEGIN = Date.parse('2026-11-30T00:00:00Z');
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
export type Day = (typeof DAYS)[number];

/** @param hour 0 to 23, UTC. @returns Unix time, ms */
export function time(week: number, day: Day, hour: number): number {
  return YEAR_BEGIN + (week - 1) * WEEK_MS + DAYS.indexOf(day) * DAY_MS + hour * HOUR_MS;
}

export const weekOf = (timeMs: number): number => Math.floor((timeMs - YEAR_BEGIN) / WEEK_MS) + 1;
export const hourOf = (timeMs: number): number => Math.floor((timeMs % DAY_MS) / HOUR_MS);
export const dayOf = (timeMs: number): Day => DAYS[Math.floor(((timeMs - YEAR_BEGIN) % WEEK_MS) / DAY_MS)] ?? 'Mon';

/** The file of a volunteer's or the worker's key has this day in its name. */
export const firstDayOf = (week: number): string => new Date(time(week, 'Mon', 0)).toISOString().slice(0, 10);

/** All `Date`s of this process show this time until the next call. */
export function setClock(timeMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: timeMs });
}
