import type { Shelved } from '../runtime/keyrings.ts';
import { asWord } from '../runtime/log.ts';
import type { Warning } from '../redis/state.ts';
import type { LoadedIdentities } from './identities.ts';
import type { InboxesOf } from './opening.ts';
import type { Outbox } from './outbox.ts';

/**
 * Why the mix must pause: a parcel taken now could be lost. Nothing is lost while it pauses: the pool fills and the door
 * closes.
 */
export type Obstacle =
  /** No keyring at all: a wrong directory or root key. Without keyrings nobody knows which keys should be there. */
  | { readonly reason: 'no-keyring' }
  | { readonly reason: 'key-missing'; readonly serial: number }
  | { readonly reason: 'key-mode' | 'key-format' | 'key-unreadable'; readonly serial: number; readonly file: string };

/** Why the letters of one team, or all replies, stay in the pool, while everything else goes on. */
export type Holdup =
  | { readonly reason: 'team-without-inbox'; readonly serial: number }
  | { readonly reason: 'outbox-full'; readonly inbox: string }
  /** Until some are removed, or a week of them is forgotten. */
  | { readonly reason: 'replies-full' };

/** `dead` only counts for the memory needed (memory.ts): dead letters never hold back others. */
export type Limits = { readonly outbox: number; readonly dead: number; readonly replies: number };

/** Operators are warned from this fraction of a limit on. */
const FILLING = 3 / 4;

type KeyObstacle = Extract<Obstacle, { serial: number }>;

export type KeyCheck = {
  /** A problem with the key of a keyring that has begun. */
  readonly problem: KeyObstacle | null;
  /** Problems with the keys of keyrings that have yet to begin, and with files that hold the key of none. */
  readonly warnings: Warning[];
  /** True when the key of an awaited keyring is missing or unusable. */
  readonly lacksKey: boolean;
};

/**
 * Checks the worker's keys. What is missing for a keyring that has not begun is only a warning: it must not stop the present week.
 * @param awaited keyrings whose parcels may be in the pool
 * @param coming keyrings that have yet to begin
 */
export function checkKeys(awaited: readonly Shelved[], coming: readonly Shelved[], loaded: LoadedIdentities, now: Date): KeyCheck {
  const hasBegun = ({ keyring }: Shelved): boolean => Date.parse(keyring.notBefore) <= now.getTime();
  const problemsOf = (keyrings: readonly Shelved[]): KeyObstacle[] => keyrings.flatMap((shelved) => keyObstacle(shelved, loaded) ?? []);
  const problem = problemsOf(awaited.filter(hasBegun))[0] ?? null;
  const ahead = problemsOf([...new Set([...awaited.filter((shelved) => !hasBegun(shelved)), ...coming])]);
  const named = new Set([problem, ...ahead].map((each) => each && 'file' in each && each.file));
  const others = loaded.unusable.map(({ problem: what, file }): Warning => ({ reason: 'key-file', problem: what, file: asWord(file) }));
  return {
    problem,
    warnings: [
      ...ahead.map(({ reason, ...rest }): Warning => ({ reason: 'next-key', problem: reason, ...rest })),
      ...others.filter((other) => 'file' in other && !named.has(other.file)),
    ],
    lacksKey: problemsOf(awaited).length > 0,
  };
}

/** The key of a keyring is found by its recipient. Where no file has it, one that cannot be read may. */
function keyObstacle({ serial, keyId }: Shelved, { identities, unusable }: LoadedIdentities): KeyObstacle | null {
  if (identities.some((identity) => identity.keyId === keyId)) return null;
  const file = unusable.find(({ key }) => key?.keyId === keyId) ?? unusable.find(({ key }) => key === null);
  return file ? { reason: `key-${file.problem}`, serial, file: asWord(file.file) } : { reason: 'key-missing', serial };
}

/** Coming keyrings without a team that the current one has: it may be on purpose, or nobody in it has sent keys. */
export function leavingTeams(current: Shelved | null, coming: readonly Shelved[]): Warning[] {
  const teams = current?.keyring.teams ?? [];
  const without = coming.filter(({ keyring }) => teams.some((team) => !keyring.teams.some(({ id }) => id === team.id)));
  return without.map(({ serial }) => ({ reason: 'team-leaves', serial }));
}

/** @param keyrings those whose parcels may be in the pool */
export function teamHoldups(keyrings: readonly Shelved[], inboxesOf: InboxesOf): Holdup[] {
  const without = keyrings.filter(({ keyring }) => keyring.teams.some(({ id }) => inboxesOf(id)?.length === 0));
  return without.map(({ serial }) => ({ reason: 'team-without-inbox', serial }));
}

/** Remaining room: for letters in each outbox, and for replies in all mailboxes together. */
export class Room {
  readonly full: readonly Holdup[];
  readonly filling: readonly Warning[];
  readonly #left: Map<string, number>;
  #repliesLeft: number;

  private constructor(left: Map<string, number>, repliesLeft: number, full: readonly Holdup[], filling: readonly Warning[]) {
    this.#left = left;
    this.#repliesLeft = repliesLeft;
    this.full = full;
    this.filling = filling;
  }

  /** @param replies number of replies that wait in the mailboxes */
  static async measure(outboxes: readonly Pick<Outbox, 'inbox' | 'depths'>[], replies: number, limits: Limits): Promise<Room> {
    const left = new Map<string, number>();
    const full: Holdup[] = [];
    const filling: Warning[] = [];
    for (const outbox of outboxes) {
      const { waiting } = await outbox.depths();
      const { inbox } = outbox;
      left.set(inbox, limits.outbox - waiting);
      if (waiting >= limits.outbox) full.push({ reason: 'outbox-full', inbox });
      else if (waiting >= FILLING * limits.outbox) filling.push({ reason: 'outbox-filling', inbox });
    }
    if (replies >= limits.replies) full.push({ reason: 'replies-full' });
    else if (replies >= FILLING * limits.replies) filling.push({ reason: 'replies-filling' });
    return new Room(left, limits.replies - replies, full, filling);
  }

  /** Reserves a place for a reply. Returns false when there is none. */
  reserveReply(): boolean {
    this.#repliesLeft -= 1;
    return this.#repliesLeft >= 0;
  }

  /** Reserves a place in each of these inboxes. Returns false, reserving none, when one is full or the list is empty. */
  reserve(inboxes: readonly string[]): boolean {
    const left = inboxes.map((inbox) => this.#left.get(inbox) ?? 0);
    if (inboxes.length === 0 || left.some((places) => places <= 0)) return false;
    for (const inbox of inboxes) this.#left.set(inbox, (this.#left.get(inbox) ?? 0) - 1);
    return true;
  }
}
