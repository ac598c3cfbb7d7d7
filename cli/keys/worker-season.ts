// The worker's folder of identities on the relay's machine: a plain file for each week, which the worker alone may read.
import { execFile } from 'node:child_process';
import { chown, mkdir, readdir, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cardWords, verifyCard } from '../../crypto/card.ts';
import { ready } from '../../crypto/sodium.ts';
import { cardFileName, makeWorkerSeason, weekOfCard, weekOfFile } from '../../volunteer/keys/season.ts';
import { UsageError } from '../errors.ts';
import { ownerByFolder, type Owner } from '../../runtime/ownership.ts';
import { insistOnNew, reason, syncFolders, writeFailure, writeNewFiles } from '../files.ts';
import { wordListFor } from './random-words.ts';

export type NewWorkerSeason = { readonly card: string; readonly words: string[]; readonly files: string[] };

/** The first moments (Unix time, ms) of the weeks that a worker's folder has a file for, in their order. */
export async function workerWeeksIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.flatMap((name) => weekOfFile(name, 'txt') ?? []).sort((a, b) => a - b);
}

/** Before the names of files of keys that others have replaced. The worker still opens with them what was sealed to them. */
const FORMER = 'former-';

/**
 * Gives the week files and cards of a worker's folder other names, so that keys for the same weeks can be made beside them. Returns the new
 * names. Throws OUTPUT_FAILED; doing it again goes on where it broke off. @param from the first moment of the first week that is meant
 */
export async function setFormerKeysAside(folder: string, from = 0): Promise<string[]> {
  const names = (await readdir(folder).catch((): string[] => [])).toSorted();
  const taken = new Set(names);
  const aside: string[] = [];
  const meant = (momentOf: (name: string) => number | null): string[] => names.filter((name) => (momentOf(name) ?? -Infinity) >= from);
  // A card last: as long as it is there, this is not over.
  for (const name of [...meant((each) => weekOfFile(each, 'txt')), ...meant(weekOfCard)]) {
    let former = `${FORMER}${name}`;
    while (taken.has(former)) former = `${FORMER}${former}`;
    await rename(join(folder, name), join(folder, former)).catch((error: unknown) => {
      throw writeFailure(error, join(folder, former));
    });
    taken.add(former);
    aside.push(former);
  }
  await syncFolders(resolve(folder), undefined);
  return aside;
}

/**
 * Makes a season's week files, readable by their owner alone, and the card beside them. Nothing is overwritten. Throws OUTPUT_EXISTS
 * when a week has its file already, OUTPUT_FAILED. @param owner null: whoever runs this
 */
export async function createWorkerSeason(
  folder: string,
  { from, count }: { readonly from: number; readonly count: number },
  owner: Owner | null,
  language: string,
): Promise<NewWorkerSeason> {
  await ready;
  const season = makeWorkerSeason(from, count);
  const card = join(folder, cardFileName(from));
  const weeks = season.weeks.map(({ name, bytes }) => ({ path: join(folder, name), content: bytes, secret: true }));
  await insistOnNew([...weeks.map(({ path }) => path), card]);
  await ownFolder(folder, owner);
  const given = owner === null ? {} : { owner };
  await writeNewFiles([...weeks, { path: card, content: season.card, secret: false }].map((file) => ({ ...file, ...given })));
  return { card, words: cardWords(verifyCard(season.card), wordListFor(language)), files: season.weeks.map(({ name }) => name) };
}

/** A new folder belongs to the worker, too; one that is there keeps its owner. */
async function ownFolder(folder: string, owner: Owner | null): Promise<void> {
  try {
    const isNew = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
    if (isNew && owner !== null) await chown(folder, owner.uid, owner.gid);
  } catch (error) {
    throw writeFailure(error, folder);
  }
}

/**
 * Whose the files become: the user that is asked for; otherwise, where root runs this, whoever owns the folder, since root's files would
 * be closed to the worker. Null: whoever runs this. Throws USAGE when there is no such user.
 */
export async function ownerAsked(asked: string | undefined, folder: string, command: string): Promise<Owner | null> {
  return asked === undefined ? ownerByFolder(folder) : userNamed(asked, command);
}

/** By its name, as the system knows it, or as UID:GID for a container's user. */
async function userNamed(name: string, command: string): Promise<Owner> {
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(name) ?? [];
  if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  if (/^[A-Za-z_][\w.-]*$/.test(name)) {
    try {
      const [user, group] = await Promise.all(['-u', '-g'].map((which) => promisify(execFile)('id', [which, name])));
      return { uid: Number(user?.stdout), gid: Number(group?.stdout) };
    } catch (error) {
      const isUnknown = error instanceof Error && 'code' in error && typeof error.code === 'number';
      if (!isUnknown) throw new UsageError(`--owner cannot be looked up: ${reason(error)}; give it as UID:GID`, command);
    }
  }
  throw new UsageError(`--owner: there is no user "${name}" here; give a name, or UID:GID`, command);
}
