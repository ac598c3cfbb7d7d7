import type { Housekeeping } from './housekeeping.ts';
import type { Mix } from './mix.ts';
import type { MixReport } from './mix-report.ts';
import type { Duty } from './rounds.ts';

/** A round of the mix, what housekeeping learns from it, and the report. */
export function mixDuty(mix: Mix, report: MixReport, housekeeping: Pick<Housekeeping, 'due' | 'noteSweep'>, roundSeconds: number): Duty {
  return async (stopping) => {
    const round = await mix.round(housekeeping.due, stopping);
    // Before anything is written, which may fail: where Redis' memory is full, shredding a key makes room.
    housekeeping.noteSweep(round.sweep);
    await report.tell(round);
    if (!round.obstacle && !stopping()) await report.renewAlive(roundSeconds);
  };
}
