// Writing into the administrator's folder, which may be a stick that is pulled at any moment.
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError } from '../errors.ts';
import { reason, syncFolders } from '../files.ts';

/** The end of the name of a file that is being written. Whoever finds one knows that a command broke off. */
export const UNFINISHED = '.part';
/** Files that nothing vouches for are moved here, never deleted. */
export const ASIDE = 'aside';

const PRIVATE = 0o600;
const PUBLIC = 0o644;

/**
 * Makes or replaces a file: it is written beside its place, synced, and renamed. Whoever reads it, after a power cut too, finds the old
 * content or the new, never a part of it. A secret is readable by its owner alone. Throws OUTPUT_FAILED.
 */
export async function store(path: string, content: string | Uint8Array, secret = false): Promise<void> {
  const unfinished = `${path}${UNFINISHED}`;
  try {
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(unfinished, { force: true });
    const handle = await open(unfinished, 'wx', secret ? PRIVATE : PUBLIC);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
    await syncFolders(dirname(resolve(path)), made);
  } catch (error) {
    throw new CliError(
      'OUTPUT_FAILED',
      `cannot write ${path}: ${reason(error)}`,
      'check the stick, its room and its permissions, run it again',
    );
  }
}

/** The names of the files in a folder; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch((): string[] => [])).sort();
}

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Moves a file into `aside/` of the folder, under a name that is free there. Returns where it lies then. Throws OUTPUT_FAILED. */
export async function setAside(dir: string, path: string): Promise<string> {
  try {
    await mkdir(join(dir, ASIDE), { recursive: true, mode: 0o700 });
    for (let number = 1; ; number += 1) {
      const place = join(dir, ASIDE, `${basename(path)}${number === 1 ? '' : `-${String(number)}`}`);
      if (await exists(place)) continue;
      await rename(path, place);
      await syncFolders(dirname(resolve(path)), undefined);
      return place;
    }
  } catch (error) {
    throw new CliError('OUTPUT_FAILED', `cannot move ${path} aside: ${reason(error)}`, 'check the stick and its permissions, run it again');
  }
}
