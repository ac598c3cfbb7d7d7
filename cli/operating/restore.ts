// Putting the files of a backup back into a state.
import { join } from 'node:path';
import { equal } from '../../crypto/bytes.ts';
import { STATE_VERSION } from '../../redis/version.ts';
import { exists, store } from '../administering/store.ts';
import { CliError } from '../errors.ts';
import { readInput } from '../files.ts';
import { VERSION_FILE, type BackupFiles } from './backup-files.ts';

/** Paths in the state. */
export type Restored = { readonly written: readonly string[]; readonly same: readonly string[] };

const NAMED_MAX = 5;

/**
 * Writes the files of a backup into the state `dir`, readable by their owner alone. Each is there whole or not at all, and what says that
 * this is a state comes last; what broke off is finished by doing it again. Throws BACKUP_VERSION for a backup of newer programs,
 * OUTPUT_EXISTS when another file is in a place and `isReplacing` is false: then nothing was written.
 */
export async function restoreFiles(dir: string, files: BackupFiles, isReplacing: boolean): Promise<Restored> {
  insistOnVersion(files);
  const same: string[] = [];
  const others: string[] = [];
  for (const [path, content] of files) {
    if (!(await exists(join(dir, path)))) continue;
    const isSame = equal(await readInput(join(dir, path), 'a file of the state'), content);
    (isSame ? same : others).push(path);
  }
  if (others.length > 0 && !isReplacing) throw wouldReplace(dir, others);
  const written = [...files.keys()]
    .filter((path) => !same.includes(path))
    .sort((a, b) => Number(a === VERSION_FILE) - Number(b === VERSION_FILE));
  for (const path of written) await store(join(dir, path), files.get(path) ?? '', true);
  return { written, same };
}

function insistOnVersion(files: BackupFiles): void {
  const text = Buffer.from(files.get(VERSION_FILE) ?? [])
    .toString('latin1')
    .trim();
  if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= STATE_VERSION) return;
  throw new CliError(
    'BACKUP_VERSION',
    `the backup is of version ${text} of the state, these programs know up to ${String(STATE_VERSION)}`,
    'install the version of the programs that made it, or a newer one; nothing was written',
  );
}

function wouldReplace(dir: string, paths: readonly string[]): CliError {
  const named = paths.slice(0, NAMED_MAX).join(', ') + (paths.length > NAMED_MAX ? ` and ${String(paths.length - NAMED_MAX)} more` : '');
  const advice = 'restore into an empty folder, or replace them with --replace; nothing was written';
  return new CliError('OUTPUT_EXISTS', `${dir} has other files where the backup has its own: ${named}`, advice);
}
