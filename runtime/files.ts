// Reading files that somebody else put there: configuration, keyrings, keys, mail. A pipe or a device in their place would block
// a thread for good, and an endless file would fill the memory. And shredding a key.
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { lstat, open, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * `FILE_KIND`: not a regular file. `FILE_LINK`: a symbolic link where none is followed. `FILE_TOO_LARGE`: longer than allowed.
 * `FILE_MODE`: others have rights to it.
 */
export type FileProblem = 'FILE_KIND' | 'FILE_LINK' | 'FILE_TOO_LARGE' | 'FILE_MODE';

export class FileError extends Error {
  readonly code: FileProblem;

  constructor(code: FileProblem, message: string) {
    super(message);
    this.name = 'FileError';
    this.code = code;
  }
}

const CHUNK_BYTES = 65_536;
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const OTHERS = 0o077;

/**
 * Reads a regular file of at most `maxBytes`. Follows symbolic links. Throws FILE_KIND for anything but a regular file,
 * FILE_TOO_LARGE for a longer one, and system errors as they are.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer> {
  // Merely opening some devices has effects, and opening a pipe wakes its writer: so check first, and check what was opened
  // again.
  requireRegular(await stat(path), maxBytes);
  return readOpened(path, READ, maxBytes, () => undefined);
}

/** Throws as `readRegularFile` does, and FILE_LINK for a symbolic link. */
export async function readUnlinkedFile(path: string, maxBytes: number): Promise<Buffer> {
  return readUnlinked(path, maxBytes, () => undefined);
}

/** Reads a secret that only its owner may read. Throws as `readUnlinkedFile` does, and FILE_MODE when others have any right to it. */
export async function readPrivateFile(path: string, maxBytes: number): Promise<Buffer> {
  return readUnlinked(path, maxBytes, ({ mode }) => {
    if ((mode & OTHERS) !== 0) throw new FileError('FILE_MODE', 'expected a file that only its owner may read');
  });
}

/**
 * Overwrites a key file with random bytes, removes it, and syncs file and folder. On media that do not overwrite in place (flash, copy on
 * write) the old blocks may survive for a while: SECURITY.md says so, and asks for an encrypted disk.
 */
export async function shred(path: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    await file.write(randomBytes(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await unlink(path);
  // A system that does not let us open or sync folders takes care of that itself.
  const folder = await open(dirname(resolve(path)), 'r').catch(() => null);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

/** `readRegularFile`, for what is read before anything else runs. */
export function readRegularFileSync(path: string, maxBytes: number): Buffer {
  requireRegular(statSync(path), maxBytes);
  const file = openSync(path, READ);
  try {
    requireRegular(fstatSync(file), maxBytes);
    const content = new Content(maxBytes);
    while (!content.isWhole) content.add(readSync(file, content.chunk));
    return content.bytes();
  } finally {
    closeSync(file);
  }
}

async function readUnlinked(path: string, maxBytes: number, check: (stats: Stats) => void): Promise<Buffer> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) throw new FileError('FILE_LINK', 'expected a file, not a link to one');
  requireRegular(stats, maxBytes);
  return readOpened(path, READ | constants.O_NOFOLLOW, maxBytes, check);
}

async function readOpened(path: string, flags: number, maxBytes: number, check: (stats: Stats) => void): Promise<Buffer> {
  const file = await open(path, flags);
  try {
    const stats = await file.stat();
    requireRegular(stats, maxBytes);
    check(stats);
    const content = new Content(maxBytes);
    while (!content.isWhole) content.add((await file.read(content.chunk)).bytesRead);
    return content.bytes();
  } finally {
    await file.close();
  }
}

function requireRegular(stats: Stats, maxBytes: number): void {
  if (!stats.isFile()) throw new FileError('FILE_KIND', 'expected a regular file');
  if (stats.size > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): FileError {
  return new FileError('FILE_TOO_LARGE', `expected at most ${String(maxBytes)} bytes`);
}

/** What was read so far. The size that a file system reports is no bound: a file may grow, and those in /proc report none. */
class Content {
  isWhole = false;
  chunk = Buffer.alloc(CHUNK_BYTES);
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @param count bytes of `chunk` that were read; 0 at the end of the file */
  add(count: number): void {
    this.#length += count;
    if (this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.isWhole = count === 0;
    if (count === 0) return;
    this.#chunks.push(this.chunk.subarray(0, count));
    this.chunk = Buffer.alloc(CHUNK_BYTES);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks, this.#length);
  }
}
