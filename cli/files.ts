import { lstat, mkdir, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { randomBytes, toHex } from '../crypto/bytes.ts';
import { textOf } from '../crypto/text-file.ts';
import { FileError, readRegularFile } from '../runtime/files.ts';
import { giveTo, ownerByFolder, type Owner } from '../runtime/ownership.ts';
import { SocksError } from '../runtime/socks.ts';
import { CliError } from './errors.ts';

/** The most that is read as a whole: a message with several letters, encoded twice, is well below it. */
export const INPUT_BYTES_MAX = 16 * 1024 * 1024;

/** More than any letter holds: a longer text is not read to its end. */
export const TEXT_BYTES_MAX = 1024 * 1024;

const PRIVATE = 0o600;
const PUBLIC = 0o644;

/**
 * Reads a file. Throws INPUT_MISSING when it cannot be read, INPUT_TOO_LARGE.
 * @param what the file is, for the message
 * @param read of runtime/files.ts: `readUnlinkedFile` where somebody else could put a link
 */
export async function readInput(path: string, what: string, read = readRegularFile): Promise<Uint8Array> {
  try {
    return new Uint8Array(await read(path, INPUT_BYTES_MAX));
  } catch (error) {
    if (error instanceof FileError && error.code === 'FILE_TOO_LARGE') throw tooLarge(path);
    if (error instanceof FileError) {
      throw new CliError('INPUT_MISSING', `cannot read ${what} ${path}: it is a directory, a pipe or a device`, 'give the name of a file');
    }
    throw new CliError('INPUT_MISSING', `cannot read ${what} ${path}: ${reason(error)}`, 'check the name and the permissions');
  }
}

/** Reads a text that people and their editors may have changed (crypto/text-file.ts). Throws as `readInput`, and INPUT_FORMAT. */
export async function readInputText(path: string, what: string): Promise<string> {
  const bytes = await readInput(path, what);
  try {
    return textOf(bytes);
  } catch {
    throw new CliError('INPUT_FORMAT', `${what} ${path} is not text in UTF-8`, 'check that this is the right file');
  }
}

export function tooLarge(name: string): CliError {
  return new CliError(
    'INPUT_TOO_LARGE',
    `${name} is larger than ${String(INPUT_BYTES_MAX / 1024 / 1024)} MiB`,
    'check that this is the right file',
  );
}

/** `owner`: whose it becomes, where that is not whoever writes it. */
export type NewFile = { path: string; content: string | Uint8Array; secret: boolean; owner?: Owner };

/**
 * Writes files that must not exist yet, all or none of them, and syncs them to the disk: a key that overwrites another is a
 * key lost. A secret is readable by its owner alone from the first moment, and a
 * folder that is made for files of which one is secret, too. If writing breaks off, no file has a byte before
 * those that come before it are on the disk; but the files are created in the order of their names and get one time, so that
 * neither shows in which order they came. Throws OUTPUT_EXISTS or OUTPUT_FAILED.
 */
export async function writeNewFiles(files: readonly NewFile[]): Promise<void> {
  const made = new Map<string, FileHandle>();
  let current = '';
  try {
    for (const file of [...files].sort((a, b) => a.path.localeCompare(b.path))) {
      current = file.path;
      const folder = await mkdir(dirname(file.path), { recursive: true, mode: files.some(({ secret }) => secret) ? 0o700 : 0o755 });
      const handle = await open(file.path, 'wx', file.secret ? PRIVATE : PUBLIC);
      made.set(file.path, handle);
      await giveTo(file.owner ?? null, handle);
      await syncFolders(dirname(resolve(file.path)), folder);
    }
    for (const { path, content } of files) {
      current = path;
      await made.get(path)?.writeFile(content);
      await made.get(path)?.sync();
    }
    const now = new Date();
    // Some systems let nobody set times: writing the files matters more than what their times show.
    for (const handle of made.values()) await handle.utimes(now, now).catch(() => undefined);
  } catch (error) {
    await Promise.all([...made.keys()].map((path) => unlink(path)));
    throw writeFailure(error, current);
  } finally {
    await Promise.all([...made.values()].map((handle) => handle.close()));
  }
}

/**
 * Writes a file in place of one that may be there: whoever reads it, also after a power cut, finds the old or the new one, whole, and one
 * that belongs to the owner of its folder already. Throws OUTPUT_FAILED. @param mode its rights, whatever the umask; else a public file's
 */
export async function putFile(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
  // By chance, since two programs may have one number, each in its own container.
  const half = `${path}.${toHex(randomBytes(8))}.tmp`;
  try {
    const handle = await open(half, 'wx', mode ?? PUBLIC);
    try {
      await giveTo(await ownerByFolder(dirname(resolve(path))), handle);
      if (mode !== undefined) await handle.chmod(mode);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(half, path);
  } catch (error) {
    await unlink(half).catch(() => undefined);
    throw writeFailure(error, path);
  }
  await syncFolders(dirname(resolve(path)), undefined);
}

/** Throws OUTPUT_EXISTS when one of the files exists: to be called before anybody is asked for anything. */
export async function insistOnNew(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw alreadyThere(path);
  }
}

/** Syncs folders, since a file outlasts a power cut only with its name in the folder. @param made the topmost of the new folders */
export async function syncFolders(folder: string, made: string | undefined): Promise<void> {
  // A system that does not let us open or sync folders takes care of that itself.
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
  if (made !== undefined && folder !== dirname(resolve(made))) await syncFolders(dirname(folder), made);
}

/** OUTPUT_EXISTS or OUTPUT_FAILED, by what the system says. */
export function writeFailure(error: unknown, path: string): CliError {
  if (codeOf(error) === 'EEXIST') return alreadyThere(path);
  return new CliError('OUTPUT_FAILED', `cannot write ${path}: ${reason(error)}`, 'check the directory and its permissions');
}

function alreadyThere(path: string): CliError {
  return new CliError(
    'OUTPUT_EXISTS',
    `${path} already exists`,
    `choose another place or move ${basename(path)} away first; nothing was written`,
  );
}

/** What went wrong according to the system, in words for people, without a path or a stack trace. */
export function reason(error: unknown): string {
  if (error instanceof SocksError) return error.message;
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'it does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case 'ENOTDIR':
      return 'a part of the path is not a directory';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full';
    case 'EPIPE':
      return 'nobody reads it any more';
    case 'EBADF':
      return 'it is closed';
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ETIMEDOUT':
      return 'no answer in time';
    default:
      return codeOf(error) ?? 'it failed';
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
