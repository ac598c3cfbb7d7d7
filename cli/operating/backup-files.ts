// What a backup of the relay holds: configuration, and the keys by which it is known for years. docs/decisions/018-backup.md.
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { readUnlinkedFile } from '../../runtime/files.ts';
import { filesOfTar, SECRET_MODE, tarOf } from '../../runtime/tar.ts';
import { namesIn } from '../administering/store.ts';
import { CliError } from '../errors.ts';
import { INPUT_BYTES_MAX, readInput } from '../files.ts';

/** Of the tar before the files begin, and of the sealing around it: more than there is of either. */
const OVERHEAD_BYTES = 1024 * 1024;
const PATH_BYTES_MAX = 100;

export const VERSION_FILE = 'version';
export const KEYRINGS_FOLDER = 'keyrings';
/** A name of an operator's own choosing, such as that of a file with a mail password. */
const OWN_NAME = String.raw`[A-Za-z0-9][A-Za-z0-9._@-]*`;

/**
 * The folders of the state (docs/operations.md) that a backup looks into, and the names that it takes there. Nothing else is ever written,
 * and nothing else is ever read back: no key of a week, no keyring (it names keys of weeks), nothing that waits, no password of Redis.
 * `isWhole`: a file with another name is an error, since it would be missed.
 */
const HELD: readonly { readonly folder: string; readonly names: RegExp; readonly isWhole?: boolean }[] = [
  { folder: '', names: /^(?:version|site\.json)$/ },
  { folder: KEYRINGS_FOLDER, names: /^(?:root\.pub|backup\.recipient)$/ },
  { folder: 'worker/mail', names: new RegExp(`^${OWN_NAME}$`), isWhole: true },
  { folder: 'onion', names: /^address$/ },
  { folder: 'tor/onion', names: /^(?:hostname|hs_ed25519_(?:public|secret)_key)$/ },
  { folder: 'tor/onion/authorized_clients', names: new RegExp(String.raw`^${OWN_NAME}\.auth$`) },
];

/** Files of a backup by their paths in the state. */
export type BackupFiles = ReadonlyMap<string, Uint8Array>;

const pathOf = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** Reads what a backup of the state in `dir` holds. Throws BACKUP_FILE for what cannot be in one, INPUT_*. */
export async function collectFiles(dir: string): Promise<BackupFiles> {
  const files = new Map<string, Uint8Array>();
  for (const { folder, names, isWhole } of HELD) {
    for (const name of await namesIn(join(dir, folder))) {
      const path = pathOf(folder, name);
      if (names.test(name) && path.length <= PATH_BYTES_MAX) files.set(path, await readHeld(join(dir, path)));
      else if (isWhole === true) throw unfit(join(dir, path));
    }
  }
  if (!files.has(VERSION_FILE)) {
    throw new CliError('BACKUP_FILE', `${dir} is not the state of a relay: there is no ${VERSION_FILE}`, 'give it with --state DIR');
  }
  const total = [...files.values()].reduce((sum, bytes) => sum + bytes.length, OVERHEAD_BYTES);
  if (total > INPUT_BYTES_MAX) throw tooMuch(dir);
  return files;
}

/** A part that was taken over could have put a link to a key of a week in the place of a file of its own. */
async function readHeld(path: string): Promise<Uint8Array> {
  const isLink = (await lstat(path).catch(() => null))?.isSymbolicLink() === true;
  if (isLink)
    throw new CliError('BACKUP_FILE', `${path} cannot be in a backup: it is a link`, 'put the file itself there; nothing was written');
  // It could also do so from now on.
  return readInput(path, 'a file of the state', readUnlinkedFile);
}

/** The archive of a backup: standard tools open it. */
export const packFiles = (files: BackupFiles): Uint8Array => tarOf(files, SECRET_MODE);

/** The inverse of `packFiles`. Throws BACKUP_FORMAT for every other archive, and for a path that no backup holds. @param name the file's */
export function unpackFiles(archive: Uint8Array, name: string): BackupFiles {
  const files = filesOfTar(archive, SECRET_MODE);
  if (files === null) throw notABackup(name, 'it holds no archive that support-relay operator backup made');
  const strange = [...files.keys()].find((path) => !isHeld(path));
  if (strange !== undefined) throw notABackup(name, `${strange} is in it, which no backup holds`);
  if (!files.has(VERSION_FILE)) throw notABackup(name, 'it does not say by which version it was made');
  return files;
}

function isHeld(path: string): boolean {
  const cut = path.lastIndexOf('/');
  const [folder, name] = [path.slice(0, Math.max(0, cut)), path.slice(cut + 1)];
  return HELD.some((each) => each.folder === folder && each.names.test(name));
}

function notABackup(name: string, why: string): CliError {
  return new CliError('BACKUP_FORMAT', `${name} is not a backup: ${why}`, 'take another copy of it; nothing was written');
}

function unfit(path: string): CliError {
  const what = `${path} cannot be in a backup: its name has other characters than letters, digits and ._@-, or is too long`;
  return new CliError('BACKUP_FILE', what, 'rename it, and in the file that names it; nothing was written');
}

function tooMuch(dir: string): CliError {
  return new CliError('BACKUP_FILE', `the configuration in ${dir} is too large`, 'look in worker/mail for what does not belong there');
}
