// Tends the week files of a folder of keys at a listing: says which key goes and when, and shreds those whose time has come.
import { join } from 'node:path';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { shred } from '../../runtime/files.ts';
import { dayOf, weekFileName } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { putFile, readInputText, writeFailure } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { weeksIn } from './key-folder.ts';
import { oddness } from './keyring-folder.ts';
import { memoryFrom, NO_MEMORY, planShredding, type ShredMemory, type ShredPlan } from './shredding.ts';

const MEMORY = 'shredding.json';
const MEMORY_BYTES_MAX = 65_536;
const NAMED_MAX = 10;

/** What the folder remembers of listings. Nothing where it remembers nothing that can be read: then everything is announced anew. */
export async function readMemory(folder: string): Promise<ShredMemory> {
  const path = join(folder, MEMORY);
  if ((await oddness(path, MEMORY_BYTES_MAX)) !== null) return NO_MEMORY;
  return memoryFrom(await readInputText(path, 'the memory of listings').catch(() => '')) ?? NO_MEMORY;
}

export const writeMemory = (folder: string, memory: ShredMemory): Promise<void> =>
  putFile(join(folder, MEMORY), `${JSON.stringify(memory)}\n`);

export type Listing = {
  readonly folder: string;
  readonly keyrings: readonly VerifiedKeyring[];
  readonly keepWeeks: number;
  /** The ids of the listed conversations that hold a letter which only this week's key opens. */
  readonly readWith: (week: number) => readonly string[];
};

/** Throws OUTPUT_FAILED when a file cannot be shredded, once all others are, or cannot be written. */
export async function tendWeekFiles({ folder, keyrings, keepWeeks, readWith }: Listing, io: Pick<Io, 'err' | 'now'>): Promise<void> {
  const weeks = await weeksIn(folder);
  const now = io.now().getTime();
  const memory = await readMemory(folder);
  const plan = planShredding(memory, weeks, keyrings, now, keepWeeks);
  const failures: CliError[] = [];
  const announced = { ...plan.memory.announced };
  for (const week of plan.shred) {
    const failure = await shredWeek(folder, week);
    if (failure === null) {
      io.err(`Shredded: the key of the week from ${dayOf(week)}. What was sealed to it does not open any more.\n`);
      continue;
    }
    failures.push(failure);
    // It stays announced, so that it goes as soon as that is mended.
    const said = memory.announced[dayOf(week)];
    if (said !== undefined) announced[dayOf(week)] = said;
  }
  await writeMemory(folder, { ...plan.memory, announced });
  for (const line of linesOf(plan, memory, readWith, now, folder)) io.err(`${line}\n`);
  if (failures[0] !== undefined) throw failures[0];
}

/** Why the file cannot be shredded; null when it is, or when another command did that meanwhile. */
async function shredWeek(folder: string, week: number): Promise<CliError | null> {
  const path = join(folder, weekFileName(week));
  try {
    await shred(path);
    return null;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? null : writeFailure(error, path);
  }
}

function linesOf(plan: ShredPlan, memory: ShredMemory, readWith: Listing['readWith'], now: number, folder: string): string[] {
  const today = `this computer's clock says ${momentShown(now)}`;
  const lines = plan.announce.map(({ week, at }) => {
    const ids = readWith(week);
    const named = `${ids.slice(0, NAMED_MAX).join(', ')}${ids.length > NAMED_MAX ? ` and ${String(ids.length - NAMED_MAX)} more` : ''}`;
    const lost =
      ids.length === 0 ? 'it opens nothing of what is listed here' : `letters of these conversations open with nothing else: ${named}`;
    const longer = memory.kept[dayOf(week)] === undefined ? `; to keep it once more: support-relay volunteer keep ${dayOf(week)}` : '';
    return `The key of the week from ${dayOf(week)} goes with the first listing after ${momentShown(at)} (${today}): ${lost}${longer}`;
  });
  if (plan.held === 'clock') lines.push(`No key was shredded: ${today}, and the last listing was later. If that is right, list again.`);
  if (plan.held === 'keyring') {
    lines.push(`No key was shredded: ${today}, and no keyring in ${visibleLine(folder)} is for today or later.`);
  }
  if (plan.next !== null)
    lines.push(`The next key to go is that of the week from ${dayOf(plan.next.week)}, from ${dayOf(plan.next.at)} on.`);
  return lines;
}

/** To the minute, in UTC. */
const momentShown = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** The first moment of a week that has a file. Throws KEYS_UNKNOWN for another. */
export async function weekNamed(folder: string, first: string): Promise<number> {
  const weeks = await weeksIn(folder);
  const week = weeks.find((each) => dayOf(each) === first);
  if (week !== undefined) return week;
  const there = weeks.length === 0 ? 'there is none' : `there are ${weeks.map(dayOf).join(', ')}`;
  throw new CliError('KEYS_UNKNOWN', `${folder} has no key of a week from ${first}`, `give the first day of one that it has: ${there}`);
}
