import { ALIVE_SECONDS } from '../redis/keys.ts';
import { minutesOf } from '../redis/state.ts';
import type { Attention } from './attention/attention.ts';

/** By how much two clocks differ. Up to five minutes are none: a part may answer late, and tells only minutes. */
const STEPS = [
  [5, 'none'],
  [60, 'minutes'],
  [24 * 60, 'hours'],
  [Infinity, 'days'],
] as const;

export type ClockOffset = (typeof STEPS)[number][1];
/** Null: nothing is known. */
export type ClockState = { readonly worker: ClockOffset | null; readonly relay: ClockOffset | null };

export const offsetOf = (minutes: number): ClockOffset => STEPS.find(([below]) => Math.abs(minutes) < below)?.[1] ?? 'days';

/** The lower bound of a step. */
export const OFFSET_SECONDS: Readonly<Record<ClockOffset, number>> = { none: 0, minutes: 300, hours: 3_600, days: 86_400 };

/**
 * @param leftMs PTTL of `worker:alive`, which the worker renewed when its clock showed `clockMinutes`
 * @param relays the relays' clocks, asked just now
 */
export function compareClocks(now: Date, leftMs: number, clockMinutes: number | null, relays: readonly number[]): ClockState {
  const isKnown = clockMinutes !== null && leftMs > 0 && leftMs <= ALIVE_SECONDS * 1000;
  const renewed = minutesOf(new Date(now.getTime() - ALIVE_SECONDS * 1000 + leftMs));
  const worst = Math.max(...relays.map((minutes) => Math.abs(minutes - minutesOf(now))));
  return { worker: isKnown ? offsetOf(clockMinutes - renewed) : null, relay: relays.length === 0 ? null : offsetOf(worst) };
}

export function ofClocks(clock: ClockState): Attention[] {
  return (['worker', 'relay'] as const).flatMap((part): Attention[] => {
    const offset = clock[part];
    if (offset === null || offset === 'none') return [];
    return [
      {
        code: 'CLOCKS_DIFFER',
        what: `the clock here and that of the ${part} differ by ${offset}`,
        advice: 'set the clocks by a time service that you trust, then restart what still differs: keyrings and answers live by the clock',
      },
    ];
  });
}
