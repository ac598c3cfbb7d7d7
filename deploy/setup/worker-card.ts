// The worker's keys of a season, which are made here and never leave, and their card for the administrator.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readInputText } from '../../cli/files.ts';
import { KEYRING_FILE } from '../../cli/keys/keyring-files.ts';
import { wordListFor } from '../../cli/keys/random-words.ts';
import { daysOf, seasonBegin, SEASON_WEEKS } from '../../cli/keys/season-dates.ts';
import { createWorkerSeason, setFormerKeysAside, workerWeeksIn } from '../../cli/keys/worker-season.ts';
import { cardWords, verifyCard, weekStart } from '../../crypto/card.ts';
import { ownerByFolder } from '../../runtime/ownership.ts';
import { dayOf, weekOfCard, weekOfFile } from '../../volunteer/keys/season.ts';
import type { Say } from '../state/folders.ts';
import type { Layout } from '../state/layout.ts';

export type WorkerCard = {
  readonly file: string;
  readonly words: readonly string[];
  /** The worker's recipients of its weeks. */
  readonly recipients: readonly string[];
};

type Here = { readonly now: () => Date; readonly language: string };

/** Makes the keys of a season, beginning with this week, where there are none for this week or a later one. */
export async function ensureWorkerSeason(layout: Layout, { now: clock, language }: Here, say: Say): Promise<void> {
  const now = clock();
  await clearBrokenOff(layout.identities);
  await clearAhead(layout, now, say);
  const weeks = await workerWeeksIn(layout.identities);
  if ((weeks.at(-1) ?? 0) >= weekStart(now.getTime())) return;
  const from = seasonBegin(undefined, weeks, now, 'setup');
  const [first, last] = daysOf(from, SEASON_WEEKS);
  say(`making the worker's keys for ${String(SEASON_WEEKS)} weeks, from ${first} to ${last}`);
  await createWorkerSeason(layout.identities, { from, count: SEASON_WEEKS }, await ownerByFolder(layout.identities), language);
}

/**
 * Where the making of a season broke off, its card, which is written last, is still empty: nobody has signed these keys, and they can be
 * made anew. Those that are whole are only put aside, in case it is the disk that has lost the card.
 */
async function clearBrokenOff(folder: string): Promise<void> {
  const names = await readdir(folder);
  const isEmpty = async (name: string): Promise<boolean> => (await stat(join(folder, name))).size === 0;
  const card = newestCard(names);
  if (card === undefined || !(await isEmpty(card))) return;
  const from = weekOfCard(card) ?? 0;
  const weeks = names.filter((name) => (weekOfFile(name, 'txt') ?? -Infinity) >= from);
  for (const week of weeks) if (await isEmpty(week)) await rm(join(folder, week));
  await setFormerKeysAside(folder, from);
}

/** The clock went ahead when these were made. Without a keyring nobody has signed them; they are put aside and not lost, all the same. */
async function clearAhead({ identities, keyrings }: Layout, now: Date, say: Say): Promise<void> {
  const present = weekStart(now.getTime());
  const [first] = await workerWeeksIn(identities);
  const isSigned = (await readdir(keyrings)).some((name) => KEYRING_FILE.test(name));
  if (first === undefined || first <= present || isSigned) return;
  say(`the worker's keys begin only on ${dayOf(first)}, and today is ${dayOf(now.getTime())}: putting them aside`);
  await setFormerKeysAside(identities, present);
}

const newestCard = (names: readonly string[]): string | undefined =>
  names
    .filter((name) => weekOfCard(name) !== null)
    .toSorted()
    .at(-1);

/** The card of the newest season; null where the keys were made otherwise. Throws CARD_FORMAT when it is damaged. */
export async function workerCard(layout: Layout, language: string): Promise<WorkerCard | null> {
  const newest = newestCard(await readdir(layout.identities));
  if (newest === undefined) return null;
  const file = join(layout.identities, newest);
  const verified = verifyCard(await readInputText(file, "the worker's card"));
  return { file, words: cardWords(verified, wordListFor(language)), recipients: verified.card.weeks.map(({ recipient }) => recipient) };
}
