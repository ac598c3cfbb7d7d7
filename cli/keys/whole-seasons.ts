// Whether making keys broke off. A season's card is created first and written last, so one that is not whole tells of a season that was
// not finished, and that nobody was told of.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyCard } from '../../crypto/card.ts';
import { CodedError } from '../../crypto/errors.ts';
import { cardFileName, weekFileName, weekOfCard, type WeekEnding } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { readInputText } from '../files.ts';

type Cards = { readonly whole: readonly number[]; readonly broken: readonly number[] };

/** The first moments (Unix time, ms) of the seasons that the folder has a card of. */
async function cardsIn(folder: string): Promise<Cards> {
  const names = await readdir(folder).catch((): string[] => []);
  const begins = names.flatMap((name) => weekOfCard(name) ?? []);
  const broken: number[] = [];
  for (const begin of begins) if (!(await isWhole(join(folder, cardFileName(begin))))) broken.push(begin);
  return { whole: begins.filter((begin) => !broken.includes(begin)), broken };
}

async function isWhole(card: string): Promise<boolean> {
  try {
    verifyCard(await readInputText(card, 'the card'));
    return true;
  } catch (error) {
    if (error instanceof CodedError || error instanceof CliError) return false;
    throw error;
  }
}

/** The broken card of the first season, whose storage identity or signer may be missing; null when the keys before it are whole. */
const firstBroken = ({ whole, broken }: Cards, weeks: readonly number[]): number | null =>
  broken.find((begin) => whole.length === 0 && weeks.every((week) => week >= begin)) ?? null;

/** Throws KEYS_HALF when making the folder broke off, so that nothing in it is of use. @param weeks those that it has a file for */
export async function insistOnWholeKeys(folder: string, weeks: readonly number[]): Promise<void> {
  if (firstBroken(await cardsIn(folder), weeks) === null) return;
  throw new CliError(
    'KEYS_HALF',
    `making the keys in ${folder} broke off, and its card is not whole`,
    'unless the administrator has that card, delete the folder (root.pub and keyrings can be put there again) and run ' +
      'support-relay volunteer keys once more',
  );
}

/** Throws KEYS_HALF when making any season broke off: the next would follow on weeks that nobody was told of. */
export async function insistOnWholeSeasons(folder: string, weeks: readonly number[]): Promise<void> {
  await insistOnWholeKeys(folder, weeks);
  await insistOnWholeCards(folder, weeks, 'age');
}

/** Throws KEYS_HALF when a season's card is not whole. `weeks`: those that the folder has a file for, with this ending. */
export async function insistOnWholeCards(folder: string, weeks: readonly number[], ending: WeekEnding): Promise<void> {
  const [begin] = (await cardsIn(folder)).broken;
  if (begin === undefined) return;
  const left = weeks.filter((week) => week >= begin).map((week) => weekFileName(week, ending));
  throw new CliError(
    'KEYS_HALF',
    `making a season broke off: the card ${join(folder, cardFileName(begin))} is not whole`,
    `unless the administrator has that card, delete it${left.length === 0 ? '' : ` and ${left.join(', ')}`}, and run this once more`,
  );
}
