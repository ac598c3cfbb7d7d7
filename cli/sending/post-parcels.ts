// Sends sealed parcels to a relay, and tries again when it takes nothing for a while.
import type { Result } from '../../crypto/answer.ts';
import { CodedError } from '../../crypto/errors.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import type { ServedKeyring } from '../keys/newer-keyring.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { momentsOf, type Moments } from './moments.ts';
import type { RelayAddress } from './relay-address.ts';
import { meaningOf, type Verdict } from './results.ts';
import { RelayAway, Visit } from './visit.ts';

const TRIES = 5;
const WAIT_SECONDS = { least: 10, most: 60 } as const;

/** `atOnce`: without waiting for moments (moments.ts). */
export type Route = { readonly relay: RelayAddress; readonly atOnce: boolean };

/** What became of a parcel: as a code for programs, and as text for people. */
export type PostingOutcome = { readonly result: Result | 'unreachable' | 'stopped'; readonly text: string };

/** One try of one parcel. `given-up`: not taken, and trying again now is of no use. */
type Attempt = PostingOutcome &
  (
    | { readonly kind: 'accepted' | 'refused' | 'given-up' }
    | { readonly kind: 'retry'; readonly afterSeconds: number; readonly mayHaveArrived: boolean }
  );

type OnKeyring = (served: ServedKeyring) => Promise<void>;
type Sealed = { readonly parcel: Uint8Array };

export type PostingOptions<P> = {
  readonly route: Route;
  readonly io: Io;
  /** Called for each parcel as soon as it is clear what became of it. */
  readonly tell: (parcel: P, outcome: PostingOutcome) => Promise<void> | void;
  /** Each parcel makes sense only when those before it were accepted: the first that is refused holds back the rest. */
  readonly isSequence?: boolean;
  /** Called with the keyring that the relay serves, once for each visit, before the parcel is handed in. */
  readonly onKeyring?: OnKeyring | undefined;
};

/** `left`: the parcels that were not taken. `mayHaveArrived`: the relay may have the first of them all the same. */
export type Posted<P> = { readonly verdict: Verdict; readonly left: readonly P[]; readonly mayHaveArrived: boolean };

/**
 * Sends parcels one after the other, each in a visit and at a moment of its own, and waits a little when the relay takes
 * nothing now. Ctrl-C stops it.
 */
export function postParcels<P extends Sealed>(parcels: readonly P[], options: PostingOptions<P>): Promise<Posted<P>> {
  const { route, io, tell, isSequence = false, onKeyring } = options;
  return io.stoppable(async (stop) => {
    const refused: P[] = [];
    for (const [index, each] of parcels.entries()) {
      const { attempt, mayHaveArrived } = await tryRepeatedly(each.parcel, new Attempts(route, io, stop, onKeyring), io, stop);
      switch (attempt.kind) {
        case 'accepted':
          await tell(each, attempt);
          break;
        case 'refused':
          await tell(each, attempt);
          if (isSequence) return { verdict: 'refused', left: parcels.slice(index), mayHaveArrived };
          refused.push(each);
          break;
        default: {
          const unsent = parcels.slice(index);
          for (const one of unsent) await tell(one, attempt);
          return { verdict: 'not-now', left: [...unsent, ...refused], mayHaveArrived };
        }
      }
    }
    return { verdict: refused.length > 0 ? 'refused' : 'accepted', left: refused, mayHaveArrived: false };
  });
}

/**
 * Tries a parcel until the relay takes or refuses it, or we give up. @returns the last attempt, and
 * whether any may have arrived
 */
async function tryRepeatedly(
  parcel: Uint8Array,
  attempts: Attempts,
  io: Io,
  stop: AbortSignal,
): Promise<{ attempt: Attempt; mayHaveArrived: boolean }> {
  let mayHaveArrived = false;
  try {
    for (let tries = 1; ; tries += 1) {
      const attempt = await attempts.attempt(parcel);
      if (attempt.kind !== 'retry') return { attempt, mayHaveArrived };
      mayHaveArrived ||= attempt.mayHaveArrived;
      const isLast = tries >= TRIES || stop.aborted;
      if (isLast || !(await waitToRetry(attempt.text, attempt.afterSeconds, io))) return { attempt, mayHaveArrived };
    }
  } finally {
    attempts.end();
  }
}

/** @returns false when the person wants to stop */
async function waitToRetry(why: string, afterSeconds: number, io: Io): Promise<boolean> {
  const seconds = Math.min(Math.max(afterSeconds, WAIT_SECONDS.least), WAIT_SECONDS.most);
  io.err(`${visibleLine(why)}; trying again in ${String(seconds)} seconds (Ctrl-C stops)\n`);
  return io.pause(seconds * 1000, 'again');
}

/** Attempts at one parcel. They are one visit, as the page stays open; where the connection was lost it is loaded anew. */
class Attempts {
  readonly #route: Route;
  readonly #moments: Moments;
  readonly #stop: AbortSignal;
  readonly #onKeyring: OnKeyring | undefined;
  #entered: { visit: Visit; difficulty: number } | null = null;

  constructor(route: Route, io: Io, stop: AbortSignal, onKeyring?: OnKeyring) {
    this.#route = route;
    this.#moments = momentsOf(io, route.atOnce);
    this.#stop = stop;
    this.#onKeyring = onKeyring;
  }

  async attempt(parcel: Uint8Array): Promise<Attempt> {
    try {
      this.#entered ??= await this.#enter();
      if (this.#entered === null) return attemptOf('closed', 0);
      if (!(await this.#moments())) return { kind: 'given-up', result: 'stopped', text: 'not sent: stopped' };
      const { visit, difficulty } = this.#entered;
      const response = await visit.handInStamped(parcel, difficulty);
      // More work than we do for any relay: another attempt would end in the same way.
      if (response.result === 'stamp' && response.difficulty > HIGHEST_DIFFICULTY) {
        return { kind: 'given-up', result: 'stamp', text: meaningOf('stamp').text };
      }
      return attemptOf(response.result, response.retryAfterSeconds);
    } catch (error) {
      const isAway = error instanceof RelayAway || (error instanceof CodedError && error.code === 'ANSWER_FORMAT');
      if (!isAway) throw error;
      this.end();
      const mayHaveArrived = error instanceof CodedError || error.mayHaveArrived;
      return { kind: 'retry', result: 'unreachable', text: `not now: ${error.message}`, afterSeconds: 0, mayHaveArrived };
    }
  }

  end(): void {
    this.#entered?.visit.leave();
    this.#entered = null;
  }

  async #enter(): Promise<{ visit: Visit; difficulty: number } | null> {
    const visit = new Visit(this.#route.relay, { stop: this.#stop });
    const { difficulty, keyring } = await visit.enter();
    if (keyring !== null) await this.#onKeyring?.(keyring);
    if (difficulty !== null) return { visit, difficulty };
    visit.leave();
    return null;
  }
}

function attemptOf(result: Result, afterSeconds: number): Attempt {
  const { verdict, text } = meaningOf(result);
  if (verdict !== 'not-now') return { kind: verdict, result, text };
  return { kind: 'retry', result, text, afterSeconds, mayHaveArrived: result === 'away' };
}
