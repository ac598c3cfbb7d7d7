// Sealed parcels on their way to a relay.
import type { Result } from '../../crypto/answer.ts';
import { CodedError } from '../../crypto/errors.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { CliError, EXIT } from '../errors.ts';
import type { Io } from '../io.ts';
import { parcelsIn, type Found } from '../parcels.ts';
import { visibleLine } from '../terminal.ts';
import { askDifficulty, handInStamped, RelayAway, type RelayAddress } from './hand-in.ts';

/** What the relay said, in words, what to do then, and whether the same parcel may be taken at another time. */
const MEANING: Record<Result, { text: string; then?: string; exitCode: number }> = {
  accepted: { text: 'accepted, or accepted before', exitCode: EXIT.ok },
  version: { text: 'refused: of another version of the protocol', exitCode: EXIT.input },
  sealed: { text: 'refused: damaged', exitCode: EXIT.input },
  damaged: { text: 'refused: this was changed on its way', then: 'ask for it again', exitCode: EXIT.input },
  serial: {
    text: 'refused: sealed under a keyring that is no longer, or not yet, in use',
    then: 'try once more in an hour, and if it is still refused write it again with the newest keyring',
    exitCode: EXIT.input,
  },
  stamp: { text: 'not now: the relay asks for an ever dearer stamp', then: 'run this again later', exitCode: EXIT.unavailable },
  full: { text: 'not now: the pool is full', then: 'run this again later', exitCode: EXIT.unavailable },
  away: { text: 'not now: the relay cannot store', then: 'run this again', exitCode: EXIT.unavailable },
  closed: { text: 'not now: the door is closed', then: 'run this again when it is open', exitCode: EXIT.unavailable },
};

export function meaningOf(result: Result): { text: string; exitCode: number } {
  const { text, then, exitCode } = MEANING[result];
  return { text: then === undefined ? text : `${text}; ${then}`, exitCode };
}

/** The parcels in a source. What cannot be read is a problem of its own: those after it are handed in all the same. */
export async function foundIn(source: string, read: () => Promise<Uint8Array>): Promise<Found[]> {
  try {
    const found = parcelsIn(await read());
    if (found.length > 0) return found;
    return [{ problem: new CliError('INPUT_FORMAT', `there is no sealed parcel in ${source}`, 'give the whole text, from its first character to its last') }];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ problem: error }];
  }
}

const TRIES = 5;
const WAIT_SECONDS = [10, 60] as const;

type Sealed = { readonly parcel: Uint8Array };
type Attempt = { text: string; exitCode: number; retryAfterSeconds: number; mayHaveArrived: boolean };
type Posted<P> = { left: P[]; exitCode: number; mayHaveArrived: boolean };
/** What became of a parcel, in words. */
type Tell<P> = (one: P, text: string, isAccepted: boolean) => Promise<void> | void;

/**
 * Sends parcels one after the other, each over a connection of its own, and waits a little when the relay takes nothing now;
 * Ctrl-C stops it. @param needed each makes sense only when those before it were accepted
 * @returns those that were not taken, the exit code, and whether the relay may have one of them all the same
 */
export function postParcels<P extends Sealed>(parcels: readonly P[], address: RelayAddress, io: Io, tell: Tell<P>, needed = false): Promise<Posted<P>> {
  return io.stoppable(async (stop) => {
    const attempt = attempts(address, stop);
    const waiting = [...parcels];
    const refused: P[] = [];
    let [tries, mayHaveArrived] = [0, false];
    for (let next = waiting[0]; next !== undefined; [next] = waiting) {
      const outcome = await attempt(next.parcel);
      if (outcome.exitCode !== EXIT.unavailable) {
        await tell(next, outcome.text, outcome.exitCode === EXIT.ok);
        if (outcome.exitCode !== EXIT.ok && needed) return { left: waiting, exitCode: outcome.exitCode, mayHaveArrived };
        if (outcome.exitCode !== EXIT.ok) refused.push(next);
        waiting.shift();
        [tries, mayHaveArrived] = [0, false];
        continue;
      }
      tries += 1;
      mayHaveArrived ||= outcome.mayHaveArrived;
      if (tries >= TRIES || stop.aborted || !(await waitFor(outcome, io))) {
        for (const one of waiting) await tell(one, outcome.text, false);
        return { left: [...waiting, ...refused], exitCode: EXIT.unavailable, mayHaveArrived };
      }
    }
    return { left: refused, exitCode: refused.length > 0 ? EXIT.input : EXIT.ok, mayHaveArrived: false };
  });
}

/** Asks once how dear a stamp is. */
function attempts(address: RelayAddress, stop: AbortSignal): (parcel: Uint8Array) => Promise<Attempt> {
  let difficulty: number | null = null;
  return async (parcel) => {
    try {
      difficulty ??= await askDifficulty(address, { stop });
      const { result, retryAfterSeconds } = await handInStamped(stampParcel(parcel, difficulty), address, { stop });
      return { text: MEANING[result].text, exitCode: MEANING[result].exitCode, retryAfterSeconds, mayHaveArrived: result === 'away' };
    } catch (error) {
      const isAway = error instanceof RelayAway || (error instanceof CodedError && error.code === 'ANSWER_FORMAT');
      if (!isAway) throw error;
      const mayHaveArrived = error instanceof CodedError || error.mayHaveArrived;
      return { text: `not now: ${error.message}`, exitCode: EXIT.unavailable, retryAfterSeconds: 0, mayHaveArrived };
    }
  };
}

async function waitFor({ text, retryAfterSeconds }: Attempt, io: Io): Promise<boolean> {
  const seconds = Math.min(Math.max(retryAfterSeconds, WAIT_SECONDS[0]), WAIT_SECONDS[1]);
  io.err(`${visibleLine(text)}; trying again in ${String(seconds)} seconds (Ctrl-C stops)\n`);
  return io.pause(seconds * 1000);
}
