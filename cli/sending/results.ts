// What a relay's result (docs/protocol.md, § Exchange) means to whoever sends a parcel.
import type { Result } from '../../crypto/answer.ts';
import { EXIT } from '../errors.ts';

/** What became of a parcel: taken, refused for good, or not taken now, so that the same parcel may be at another time. */
export type Verdict = 'accepted' | 'refused' | 'not-now';

export const EXIT_OF_VERDICT: Readonly<Record<Verdict, number>> = { accepted: EXIT.ok, refused: EXIT.input, 'not-now': EXIT.unavailable };

/** `text`: what the relay said; `then`: what to do about it. */
type Meaning = { readonly verdict: Verdict; readonly text: string; readonly then?: string };

const MEANINGS: Readonly<Record<Result, Meaning>> = {
  accepted: { verdict: 'accepted', text: 'accepted, or accepted before' },
  version: { verdict: 'refused', text: 'refused: of another version of the protocol' },
  sealed: { verdict: 'refused', text: 'refused: damaged' },
  damaged: { verdict: 'refused', text: 'refused: this was changed on its way', then: 'ask for it again' },
  serial: {
    verdict: 'refused',
    text: 'refused: sealed under a keyring that is no longer, or not yet, in use',
    then: 'try once more in an hour, and if it is still refused write it again with the newest keyring',
  },
  stamp: { verdict: 'not-now', text: 'not now: the relay keeps raising the proof-of-work difficulty', then: 'run this again later' },
  full: { verdict: 'not-now', text: 'not now: the pool is full', then: 'run this again later' },
  away: { verdict: 'not-now', text: 'not now: the relay cannot store', then: 'run this again' },
  closed: { verdict: 'not-now', text: 'not now: the door is closed', then: 'run this again when it is open' },
};

export function meaningOf(result: Result): Meaning {
  return MEANINGS[result];
}

/** What the relay said, and what to do about it, as one line. */
export function adviceFor(result: Result): string {
  const { text, then } = MEANINGS[result];
  return then === undefined ? text : `${text}; ${then}`;
}
