// Cards as files: reading them, having them confirmed by voice, and writing them into the folder.
import { join } from 'node:path';
import { CARD_WORDS, cardWords, verifyCard, type VerifiedCard } from '../../crypto/card.ts';
import { ready } from '../../crypto/sodium.ts';
import { readLanguages } from '../../runtime/locales.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { readInputText } from '../files.ts';
import { wordListFor } from '../keys/random-words.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';
import type { Placement } from './cards.ts';
import { insistOnYes } from './consent.ts';
import { CARDS, commit, type Folder } from './folder.ts';
import { store } from './store.ts';
import { beginOf, endOf } from './weeks.ts';

/** A card, and the text to keep of it. */
export type CardFile = { readonly text: string; readonly card: VerifiedCard };
export type CardConfirmation = { readonly yes: boolean; readonly words: string | undefined; readonly language: string };

/** Throws INPUT_*, CARD_*, MINISIGN_*. */
export async function readCard(path: string): Promise<CardFile> {
  await ready;
  const text = await readInputText(path, 'the card');
  return { text, card: verifyCard(text) };
}

/**
 * Shows whose card it is and its eight words, and has somebody say that the holder reads the same. Throws CARD_WORDS when `words` are not
 * those of the card in any language, NOT_CONFIRMED, CONFIRMATION_UNASKABLE.
 */
export async function confirmCard({ whose, team }: Placement, { card }: CardFile, how: CardConfirmation, io: Io): Promise<void> {
  const { weeks } = card.card;
  const [first, last] = [weeks[0], weeks.at(-1)];
  const days = `${dayOf(first === undefined ? 0 : beginOf(first))} to ${dayOf(last === undefined ? 0 : endOf(last) - 1)}`;
  const who = `${visibleLine(whose)}${team === null ? '' : ` (team ${team})`}`;
  io.err(`The card of ${who}, for ${String(weeks.length)} weeks, from ${days}. Its words:\n`);
  io.err(`\n    ${cardWords(card, wordListFor(how.language)).join(' ')}\n\n`);
  if (how.words === undefined) {
    await insistOnYes(`Does ${visibleLine(whose)} read the same ${String(CARD_WORDS)} words to you, by voice?`, how.yes, io);
    return;
  }
  const given = how.words.normalize('NFC').trim().toLowerCase().split(/\s+/).join(' ');
  if (readLanguages().some(({ language }) => cardWords(card, wordListFor(language)).join(' ') === given)) return;
  throw new CliError(
    'CARD_WORDS',
    `these are not the words of the card of ${whose}`,
    'somebody may have exchanged it: ask for it again; nothing was added',
  );
}

/** Writes the card into the folder, then the state that `change` makes. Does nothing when the card is there. */
export async function keepCard(folder: Folder, { ref, change }: Placement, { text, card }: CardFile): Promise<Folder> {
  if (change === null) return folder;
  await store(join(folder.dir, CARDS, ref.file), text);
  const state = await commit(folder, change);
  return { ...folder, state, cards: new Map([...folder.cards, [ref.digest, card]]) };
}
