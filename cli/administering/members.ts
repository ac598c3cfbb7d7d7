// Who is in the folder: whose card has a recipient for a week, and whose a key of a keyring is.
import type { VerifiedCard } from '../../crypto/card.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { aliasKey } from '../../volunteer/conversations/alias.ts';
import { CliError } from '../errors.ts';
import type { Folder } from './folder.ts';
import type { CardRef, Volunteer } from './state.ts';
import { beginOf, endOf } from './weeks.ts';

export const WORKER = 'the worker';

export const membersOf = ({ state }: Pick<Folder, 'state'>): Volunteer[] =>
  state.volunteers.filter(({ standing }) => standing === 'member');

export function cardsOf({ cards }: Pick<Folder, 'cards'>, refs: readonly CardRef[]): VerifiedCard[] {
  return refs.flatMap(({ digest }) => cards.get(digest) ?? []);
}

/** The recipient of a week (its first moment, Unix time, ms) on the last of these cards that has it; null when none has. */
export function recipientOf(cards: readonly VerifiedCard[], week: number): string | null {
  return cards.flatMap(({ card }) => card.weeks).findLast((each) => beginOf(each) === week)?.recipient ?? null;
}

/** When the last of the cards ends (Unix time, ms); 0 when there is none. */
export function lastOf(cards: readonly VerifiedCard[]): number {
  return Math.max(0, ...cards.flatMap(({ card }) => card.weeks.map(endOf)));
}

/** What a keyring says for one week, but for its serial and dates. */
export type WeekContent = Pick<Keyring, 'worker' | 'answerTime' | 'release' | 'teams'>;
export type Week = {
  readonly content: Omit<WeekContent, 'worker'> & { worker: string | null };
  /** The names of the teams in which nobody has a recipient for this week; they are not in `content`. */
  readonly empty: readonly string[];
};

/** What the folder says now of a week (its first moment, Unix time, ms). */
export function folderWeek(folder: Folder, week: number): Week {
  const { state } = folder;
  const members = membersOf(folder).flatMap((volunteer) => {
    const recipient = recipientOf(cardsOf(folder, volunteer.cards), week);
    return recipient === null ? [] : [{ ...volunteer, recipient }];
  });
  const teams = state.teams.map(({ name, id, names, topics }) => {
    const own = members.filter(({ team }) => team === name);
    return {
      name,
      team: { id, names, topics, recipients: own.map(({ recipient }) => recipient), signers: own.map(({ signer }) => signer) },
    };
  });
  return {
    content: {
      worker: recipientOf(cardsOf(folder, state.worker.cards), week),
      ...(state.answerTime === undefined ? {} : { answerTime: state.answerTime }),
      ...(state.release === undefined ? {} : { release: state.release }),
      teams: teams.map(({ team }) => team).filter(({ recipients }) => recipients.length > 0),
    },
    empty: teams.filter(({ team }) => team.recipients.length === 0).map(({ name }) => name),
  };
}

/**
 * Equal when the keyrings of two weeks would say the same, in any order of who is in a team. Which release is the newest does not count:
 * nobody has to sign anew for that.
 */
export function contentKey({ worker, answerTime, teams }: WeekContent | Week['content']): string {
  return JSON.stringify([
    worker,
    Object.entries(answerTime ?? {}).toSorted(),
    teams.map(({ id, names, topics, recipients, signers }) => [
      id,
      Object.entries(names),
      topics.map((topic) => [topic.id, Object.entries(topic.names)]),
      recipients.toSorted(),
      signers.toSorted(),
    ]),
  ]);
}

/** Whose key it is, a recipient or a signer: an alias, or the worker's; null when it is on no card here. */
export function ownerOf(folder: Folder, key: string): string | null {
  const { volunteers, worker } = folder.state;
  const has = (refs: readonly CardRef[]): boolean =>
    cardsOf(folder, refs).some(({ card }) => card.weeks.some(({ recipient }) => recipient === key));
  if (has([...worker.cards, ...worker.revoked])) return WORKER;
  return volunteers.find(({ signer, cards }) => signer === key || has(cards))?.alias ?? null;
}

/** Who has this alias now, or had it last. Throws ALIAS_UNKNOWN. */
export function namedVolunteer({ state }: Pick<Folder, 'state'>, alias: string): Volunteer {
  const named = state.volunteers.filter((each) => aliasKey(each.alias) === aliasKey(alias));
  const found = named.find(({ standing }) => standing === 'member') ?? named.at(-1);
  if (found !== undefined) return found;
  const known = state.volunteers.map((each) => each.alias).join(', ');
  throw new CliError('ALIAS_UNKNOWN', `nobody here is called ${alias}`, known === '' ? 'there is nobody yet' : `there is ${known}`);
}
