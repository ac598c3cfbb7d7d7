import { lstat, mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { textOf } from '../crypto/text-file.ts';
import { FileError, readRegularFile } from '../runtime/files.ts';
import { CliError } from './errors.ts';

/** Nothing the tool reads whole is larger: a message with several letters, twice encoded, is well below it. */
export const INPUT_BYTES_MAX = 16 * 1024 * 1024;

const PRIVATE = 0o600;
const PUBLIC = 0o644;

export async function readInput(path: string, what: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readRegularFile(path, INPUT_BYTES_MAX));
  } catch (error) {
    if (error instanceof FileError && error.code === 'FILE_TOO_LARGE') throw tooLarge(path);
    if (error instanceof FileError) {
      throw new CliError('INPUT_MISSING', `cannot read ${what} ${path}: it is a directory, a pipe or a device`, 'give the name of a file');
    }
    throw new CliError('INPUT_MISSING', `cannot read ${what} ${path}: ${reason(error)}`, 'check the name and the permissions');
  }
}

/** A text that people and their editors may have touched (crypto/text-file.ts). */
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

export type NewFile = { path: string; content: string | Uint8Array; secret: boolean };

/**
 * Writes files that must not exist yet, all or none of them, and to the disk: a key that overwrites another is a key lost.
 * A secret is readable by its owner alone from the first moment. Whatever breaks off, no file has a byte before those that
 * come before it are on the disk; they are made in the order of their names and have one time, which say nothing of that.
 */
export async function writeNewFiles(files: readonly NewFile[]): Promise<void> {
  const made = new Map<string, FileHandle>();
  let current = '';
  try {
    for (const file of [...files].sort((a, b) => a.path.localeCompare(b.path))) {
      current = file.path;
      const folder = await mkdir(dirname(file.path), { recursive: true, mode: file.secret ? 0o700 : 0o755 });
      made.set(file.path, await open(file.path, 'wx', file.secret ? PRIVATE : PUBLIC));
      await syncFolders(dirname(resolve(file.path)), folder);
    }
    for (const { path, content } of files) {
      current = path;
      await made.get(path)?.writeFile(content);
      await made.get(path)?.sync();
    }
    const now = new Date();
    // Where a system lets nobody set times, the files are more than what their times tell.
    for (const handle of made.values()) await handle.utimes(now, now).catch(() => undefined);
  } catch (error) {
    await Promise.all([...made.keys()].map((path) => unlink(path)));
    throw writeFailure(error, current);
  } finally {
    await Promise.all([...made.values()].map((handle) => handle.close()));
  }
}

/** Before anybody is asked for anything: what is there already is not written over. Throws OUTPUT_EXISTS when something is. */
export async function insistOnNew(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw alreadyThere(path);
  }
}

/** A file is there after a power cut only when its name in the folder is, too; `made`: the first of the folders that are new. */
async function syncFolders(folder: string, made: string | undefined): Promise<void> {
  // Where a system does not open folders, or not sync them, it sees to that itself.
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
  if (made !== undefined && folder !== dirname(resolve(made))) await syncFolders(dirname(folder), made);
}

function writeFailure(error: unknown, path: string): CliError {
  if (codeOf(error) === 'EEXIST') {
    return alreadyThere(path);
  }
  return new CliError('OUTPUT_FAILED', `cannot write ${path}: ${reason(error)}`, 'check the directory and its permissions');
}

function alreadyThere(path: string): CliError {
  return new CliError(
    'OUTPUT_EXISTS',
    `${path} already exists`,
    `choose another place or move ${basename(path)} away first; nothing was written`,
  );
}

/** The system's word for what went wrong, without a path or a stack. */
export function reason(error: unknown): string {
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
