// Taking a card into the folder: whose it is, and whether it fits what is there.
import { checkRecipient } from '../../crypto/age/age.ts';
import { toHex } from '../../crypto/bytes.ts';
import { WEEK_MS, weekStart, type VerifiedCard } from '../../crypto/card.ts';
import { LETTER_RECIPIENTS } from '../../crypto/letter.ts';
import { aliasFrom, aliasKey, isAlias } from '../../volunteer/conversations/alias.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { CliError, UsageError, type CliErrorCode } from '../errors.ts';
import type { Folder } from './folder.ts';
import { cardsOf, lastOf, membersOf, ownerOf, recipientOf, WORKER } from './members.ts';
import type { CardRef, FolderState, Volunteer } from './state.ts';
import { insistOnTeam } from './teams.ts';
import { beginOf, endOf } from './weeks.ts';

export type CardWish = {
  readonly alias: string | undefined;
  readonly team: string | undefined;
  readonly worker: boolean;
  readonly newSigner: boolean;
};

/** `change`: null when the card is in the folder already. `whose`: an alias, or the worker. */
export type Placement = { whose: string; team: string | null; ref: CardRef; change: Partial<FolderState> | null };

const refuse = (code: CliErrorCode, what: string, advice: string): CliError => new CliError(code, what, `${advice}; nothing was added`);

/** What the state names a card. */
export function refOf({ card, digest }: VerifiedCard): CardRef {
  const hex = toHex(digest);
  const [first] = card.weeks;
  return { file: `season-${dayOf(first === undefined ? 0 : beginOf(first))}-${hex.slice(0, 16)}.card`, digest: hex };
}

/**
 * Where a card belongs. Throws CARD_HOLDER, CARD_ENDED, CARD_SIGNER, CARD_OVERLAP, CARD_GAP, CARD_TAKEN, SIGNER_REVOKED, TEAM_UNKNOWN,
 * TEAM_FULL, RECIPIENT_FORMAT, and USAGE when the alias or the team is missing. `now`: Unix time, ms.
 */
export function placeCard(folder: Folder, card: VerifiedCard, wish: CardWish, now: number): Placement {
  const { weeks, holder } = card.card;
  for (const { recipient } of weeks) checkRecipient(recipient);
  if (holder === 'volunteer' && wish.worker)
    throw refuse('CARD_HOLDER', "it is a volunteer's card, not the worker's", 'ask for the right one');
  if (holder === 'worker' && (wish.alias !== undefined || wish.team !== undefined)) {
    throw refuse('CARD_HOLDER', "it is the worker's card, not a volunteer's", 'give it without --alias and --team');
  }
  const last = weeks.at(-1);
  if (last !== undefined && endOf(last) <= now) {
    throw refuse('CARD_ENDED', `the card ended on ${dayOf(endOf(last))}`, 'ask for the card of this season');
  }
  return holder === 'worker' ? placeWorker(folder, card, now) : placeVolunteer(folder, card, wish, now);
}

/** The state with the worker's former cards revoked, and this one in their place. Throws as `placeCard`; CARD_GAP without this week. */
export function replaceWorker(folder: Folder, card: VerifiedCard, now: number): Placement {
  if (card.card.holder !== 'worker') throw refuse('CARD_HOLDER', "it is a volunteer's card, not the worker's", 'ask for the right one');
  for (const { recipient } of card.card.weeks) checkRecipient(recipient);
  const ref = refOf(card);
  const { cards, revoked } = folder.state.worker;
  if (revoked.some(({ digest }) => digest === ref.digest)) {
    throw refuse('SIGNER_REVOKED', 'this card of the worker was revoked', 'have another made by support-relay worker keys');
  }
  if (cards.some(({ digest }) => digest === ref.digest)) return { whose: WORKER, team: null, ref, change: null };
  insistOnNobodyElse(folder, card);
  if (recipientOf([card], weekStart(now)) === null) {
    throw refuse('CARD_GAP', 'the card has no key for this week', 'have one made that begins now: support-relay worker keys');
  }
  return { whose: WORKER, team: null, ref, change: { worker: { cards: [ref], revoked: [...revoked, ...cards] } } };
}

function placeWorker(folder: Folder, card: VerifiedCard, now: number): Placement {
  const ref = refOf(card);
  const { cards, revoked } = folder.state.worker;
  if (cards.some(({ digest }) => digest === ref.digest)) return { whose: WORKER, team: null, ref, change: null };
  insistOnNobodyElse(folder, card);
  insistOnNext(cardsOf(folder, cards), card, WORKER, now);
  return { whose: WORKER, team: null, ref, change: { worker: { cards: [...cards, ref], revoked } } };
}

function placeVolunteer(folder: Folder, card: VerifiedCard, wish: CardWish, now: number): Placement {
  const { volunteers } = folder.state;
  const ref = refOf(card);
  const known = volunteers.find(({ signer }) => signer === card.signer);
  if (known?.standing === 'revoked') {
    throw refuse('SIGNER_REVOKED', `the signer of this card was revoked with ${known.alias}`, 'have new keys made in a new folder');
  }
  const alias = aliasOf(wish, known);
  const team = wish.team ?? known?.team;
  if (team === undefined) throw new UsageError(`--team is missing: ${alias} is new`, 'admin add');
  insistOnTeam(folder, team);
  const isThere = known?.cards.some(({ digest }) => digest === ref.digest) === true;
  if (isThere && known?.standing === 'member' && known.team === team) return { whose: alias, team, ref, change: null };
  const others = volunteers.filter((each) => each !== known);
  const same = others.filter((each) => aliasKey(each.alias) === aliasKey(alias) && (known === undefined || each.standing === 'member'));
  if (same.length > 0 && !wish.newSigner) {
    throw refuse(
      'CARD_SIGNER',
      `the card is signed by another signer than ${alias}'s`,
      `if ${alias} has new keys, and says so by voice, give --new-signer`,
    );
  }
  if (!isThere) {
    insistOnNobodyElse(folder, card);
    if (known?.standing === 'member') insistOnNext(cardsOf(folder, known.cards), card, alias, now);
  }
  insistOnRoom(folder, card, { team, signer: card.signer, replaced: same.map(({ signer }) => signer) });
  const cards = isThere ? (known?.cards ?? []) : [...(known?.cards ?? []), ref];
  const entry: Volunteer = { alias, team, signer: card.signer, standing: 'member', cards };
  const rest = volunteers.map((each) =>
    same.includes(each) && each.standing === 'member' ? { ...each, standing: 'removed' as const } : each,
  );
  const list = known === undefined ? [...rest, entry] : rest.map((each) => (each.signer === card.signer ? entry : each));
  return { whose: alias, team, ref, change: { volunteers: list } };
}

/** Throws USAGE without an alias, ALIAS_FORMAT, CARD_TAKEN when the signer is known under another one. */
function aliasOf(wish: CardWish, known: Volunteer | undefined): string {
  if (wish.alias === undefined) {
    if (known !== undefined) return known.alias;
    throw new UsageError('--alias is missing: no card by this signer is in the folder', 'admin add');
  }
  const alias = aliasFrom(wish.alias);
  if (!isAlias(alias)) throw new CliError('ALIAS_FORMAT', 'an alias has 1 to 40 characters that are shown, on one line', 'choose another');
  if (known === undefined || aliasKey(known.alias) === aliasKey(alias)) return known?.alias ?? alias;
  throw refuse('CARD_TAKEN', `the signer of this card is known as ${known.alias}, not as ${alias}`, `take --alias "${known.alias}"`);
}

/** Throws CARD_TAKEN when a recipient of the card is on another, also on one that was revoked. */
function insistOnNobodyElse(folder: Folder, card: VerifiedCard): void {
  const owner = card.card.weeks.map(({ recipient }) => ownerOf(folder, recipient)).find((each) => each !== null);
  if (owner === undefined || owner === null) return;
  throw refuse(
    'CARD_TAKEN',
    `a recipient of this card is on a card of ${owner} already`,
    'have a new card made: each recipient is for one week of one person',
  );
}

/** Throws CARD_OVERLAP when a week is on the former cards too, CARD_GAP when one that is not over lies between. */
function insistOnNext(former: readonly VerifiedCard[], card: VerifiedCard, whose: string, now: number): void {
  const last = lastOf(former);
  const [first] = card.card.weeks;
  const begin = first === undefined ? 0 : beginOf(first);
  const needed = Math.max(last, weekStart(now));
  const next = `have one made from ${dayOf(needed)} on, with --from ${dayOf(needed)}`;
  if (former.length === 0) return;
  if (begin < last)
    throw refuse('CARD_OVERLAP', `the card begins on ${dayOf(begin)}, and ${whose} has keys until ${dayOf(last - 1)}`, next);
  if (begin > needed) {
    throw refuse(
      'CARD_GAP',
      `the card begins on ${dayOf(begin)}, and ${whose} has no key from ${dayOf(needed)} to ${dayOf(begin - WEEK_MS)}`,
      next,
    );
  }
}

/** Throws TEAM_FULL when in some week the team would have more recipients than a letter. */
function insistOnRoom(folder: Folder, { card }: VerifiedCard, who: { team: string; signer: string; replaced: readonly string[] }): void {
  const others = membersOf(folder)
    .filter(({ team, signer }) => team === who.team && signer !== who.signer && !who.replaced.includes(signer))
    .map(({ cards }) => cardsOf(folder, cards));
  const full = card.weeks
    .map(beginOf)
    .find((week) => others.filter((cards) => recipientOf(cards, week) !== null).length >= LETTER_RECIPIENTS);
  if (full === undefined) return;
  const what = `team ${who.team} has ${String(LETTER_RECIPIENTS)} volunteers in the week from ${dayOf(full)} already`;
  throw refuse('TEAM_FULL', what, 'a letter has no more recipients: make a second team with the same topics, or remove somebody');
}
