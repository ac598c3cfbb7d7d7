// Sealed parcels on their way to a relay.
import type { Result } from '../../crypto/answer.ts';
import { CodedError } from '../../crypto/errors.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { CliError, EXIT } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { parcelsIn, type FoundParcel } from './parcels.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { momentsOf, type Moments } from './moments.ts';
import type { RelayAddress } from './relay-address.ts';
import { RelayAway, Visit } from './visit.ts';

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
  stamp: {
    text: 'not now: the relay keeps raising the proof-of-work difficulty',
    then: 'run this again later',
    exitCode: EXIT.unavailable,
  },
  full: { text: 'not now: the pool is full', then: 'run this again later', exitCode: EXIT.unavailable },
  away: { text: 'not now: the relay cannot store', then: 'run this again', exitCode: EXIT.unavailable },
  closed: { text: 'not now: the door is closed', then: 'run this again when it is open', exitCode: EXIT.unavailable },
};

export function meaningOf(result: Result): { text: string; exitCode: number } {
  const { text, then, exitCode } = MEANING[result];
  return { text: then === undefined ? text : `${text}; ${then}`, exitCode };
}

/** The parcels in a source. What cannot be read is a problem of its own: those after it are handed in all the same. */
export async function foundIn(source: string, read: () => Promise<Uint8Array>): Promise<FoundParcel[]> {
  try {
    const found = await parcelsIn(await read());
    if (found.length > 0) return found;
    return [
      {
        problem: new CliError(
          'INPUT_FORMAT',
          `there is no sealed parcel in ${source}`,
          'give the whole text, from its first character to its last',
        ),
      },
    ];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ problem: error }];
  }
}

const TRIES = 5;
const WAIT_SECONDS = [10, 60] as const;

/** What became of a parcel: in a word for programs, and in words. */
export type PostingOutcome = { readonly result: Result | 'unreachable' | 'stopped'; readonly text: string };

type Sealed = { readonly parcel: Uint8Array };
type Attempt = {
  result: PostingOutcome['result'];
  text: string;
  exitCode: number;
  retryAfterSeconds: number;
  mayHaveArrived: boolean;
  isStopped: boolean;
};
/** `atOnce`: without waiting for moments (moments.ts). */
export type Way = { readonly relay: RelayAddress; readonly atOnce: boolean };
type Posted<P> = { left: P[]; exitCode: number; mayHaveArrived: boolean };
type Tell<P> = (one: P, outcome: PostingOutcome) => Promise<void> | void;

/**
 * Sends parcels one after the other, each by a visit and at a moment of its own, and waits a little when the relay takes nothing
 * now; Ctrl-C stops it. @param needed each makes sense only when those before it were accepted
 * @returns those that were not taken, the exit code, and whether the relay may have one of them all the same
 */
export function postParcels<P extends Sealed>(parcels: readonly P[], way: Way, io: Io, tell: Tell<P>, needed = false): Promise<Posted<P>> {
  return io.stoppable(async (stop) => {
    const waiting = [...parcels];
    const refused: P[] = [];
    let [tries, mayHaveArrived] = [0, false];
    let attempts = new Attempts(way, io, stop);
    for (let next = waiting[0]; next !== undefined; [next] = waiting) {
      const outcome = await attempts.attempt(next.parcel);
      if (outcome.exitCode !== EXIT.unavailable) {
        attempts.end();
        await tell(next, outcome);
        if (outcome.exitCode !== EXIT.ok && needed) return { left: waiting, exitCode: outcome.exitCode, mayHaveArrived };
        if (outcome.exitCode !== EXIT.ok) refused.push(next);
        waiting.shift();
        [tries, mayHaveArrived] = [0, false];
        attempts = new Attempts(way, io, stop);
        continue;
      }
      tries += 1;
      mayHaveArrived ||= outcome.mayHaveArrived;
      if (tries >= TRIES || stop.aborted || outcome.isStopped || !(await waitFor(outcome, io))) {
        attempts.end();
        for (const one of waiting) await tell(one, outcome);
        return { left: [...waiting, ...refused], exitCode: EXIT.unavailable, mayHaveArrived };
      }
    }
    return { left: refused, exitCode: refused.length > 0 ? EXIT.input : EXIT.ok, mayHaveArrived: false };
  });
}

/** Tries of one parcel. They are one visit, as the page is open all the while; where the connection was lost it is loaded anew. */
class Attempts {
  readonly #way: Way;
  readonly #moments: Moments;
  readonly #stop: AbortSignal;
  #open: { visit: Visit; difficulty: number } | null = null;

  constructor(way: Way, io: Io, stop: AbortSignal) {
    this.#way = way;
    this.#moments = momentsOf(io, way.atOnce);
    this.#stop = stop;
  }

  async attempt(parcel: Uint8Array): Promise<Attempt> {
    try {
      this.#open ??= await this.#enter();
      if (this.#open === null) return attemptOf('closed', 0);
      if (!(await this.#moments()))
        return {
          result: 'stopped',
          text: 'not sent: stopped',
          exitCode: EXIT.unavailable,
          retryAfterSeconds: 0,
          mayHaveArrived: false,
          isStopped: true,
        };
      const { visit, difficulty } = this.#open;
      const answer = await visit.handInStamped(parcel, difficulty);
      // The same parcel as it is would be sent again and again, and be as cheap each time.
      const isStopped = answer.result === 'stamp' && answer.difficulty > HIGHEST_DIFFICULTY;
      return { ...attemptOf(answer.result, answer.retryAfterSeconds), isStopped };
    } catch (error) {
      const isAway = error instanceof RelayAway || (error instanceof CodedError && error.code === 'ANSWER_FORMAT');
      if (!isAway) throw error;
      this.end();
      const mayHaveArrived = error instanceof CodedError || error.mayHaveArrived;
      return {
        result: 'unreachable',
        text: `not now: ${error.message}`,
        exitCode: EXIT.unavailable,
        retryAfterSeconds: 0,
        mayHaveArrived,
        isStopped: false,
      };
    }
  }

  end(): void {
    this.#open?.visit.leave();
    this.#open = null;
  }

  async #enter(): Promise<{ visit: Visit; difficulty: number } | null> {
    const visit = new Visit(this.#way.relay, { stop: this.#stop });
    const difficulty = await visit.open();
    if (difficulty !== null) return { visit, difficulty };
    visit.leave();
    return null;
  }
}

function attemptOf(result: Result, retryAfterSeconds: number): Attempt {
  const { text, exitCode } = MEANING[result];
  return { result, text, exitCode, retryAfterSeconds, mayHaveArrived: result === 'away', isStopped: false };
}

async function waitFor({ text, retryAfterSeconds }: Attempt, io: Io): Promise<boolean> {
  const seconds = Math.min(Math.max(retryAfterSeconds, WAIT_SECONDS[0]), WAIT_SECONDS[1]);
  io.err(`${visibleLine(text)}; trying again in ${String(seconds)} seconds (Ctrl-C stops)\n`);
  return io.pause(seconds * 1000, 'again');
}
