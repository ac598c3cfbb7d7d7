import type { Housekeeping } from './housekeeping.ts';
import type { Mix } from './mix.ts';
import type { MixReport } from './mix-report.ts';
import type { Duty } from './rounds.ts';

/** Runs a round of the mix, passes its sweep to housekeeping, and reports it. */
export function mixDuty(mix: Mix, report: MixReport, housekeeping: Pick<Housekeeping, 'due' | 'noteSweep'>, roundSeconds: number): Duty {
  return async (stopping) => {
    const round = await mix.round(housekeeping.due, stopping);
    // First, because writing the report may fail: if Redis' memory is full, shredding a key makes room.
    housekeeping.noteSweep(round.sweep);
    await report.publish(round);
    if (!round.obstacle && !stopping()) await report.renewAlive(roundSeconds);
  };
}
