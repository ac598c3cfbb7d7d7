// Reading files that somebody else put there: configuration, keyrings, keys, mail. A pipe or a device in their place would
// block a thread for good, an endless file would fill the memory.
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';

/** `FILE_KIND`: not a regular file. `FILE_TOO_LARGE`: longer than allowed. `FILE_MODE`: others may read it. */
export type FileProblem = 'FILE_KIND' | 'FILE_TOO_LARGE' | 'FILE_MODE';

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
 * The whole of a regular file of at most `mostBytes`. Follows symbolic links.
 * Throws FILE_KIND for anything but a regular file, FILE_TOO_LARGE for a longer one, and what the system says otherwise.
 */
export async function readRegularFile(path: string, mostBytes: number): Promise<Buffer> {
  // Opening is an act for some devices, and wakes whoever writes into a pipe: so look before, and again at what was opened.
  requireRegular(await stat(path), mostBytes);
  return readOpened(path, READ, mostBytes, () => undefined);
}

/**
 * A secret that its owner alone may read; no symbolic link.
 * Throws as `readRegularFile` does, and FILE_MODE where the group or others have any right to it.
 */
export async function readPrivateFile(path: string, mostBytes: number): Promise<Buffer> {
  return readOpened(path, READ | constants.O_NOFOLLOW, mostBytes, ({ mode }) => {
    if ((mode & OTHERS) !== 0) throw new FileError('FILE_MODE', 'expected a file that only its owner may read');
  });
}

/** `readRegularFile` for what is read before anything else runs. */
export function readRegularFileSync(path: string, mostBytes: number): Buffer {
  requireRegular(statSync(path), mostBytes);
  const file = openSync(path, READ);
  try {
    requireRegular(fstatSync(file), mostBytes);
    const content = new Content(mostBytes);
    while (!content.isWhole) content.add(readSync(file, content.chunk));
    return content.bytes();
  } finally {
    closeSync(file);
  }
}

async function readOpened(path: string, flags: number, mostBytes: number, check: (stats: Stats) => void): Promise<Buffer> {
  const file = await open(path, flags);
  try {
    const stats = await file.stat();
    requireRegular(stats, mostBytes);
    check(stats);
    const content = new Content(mostBytes);
    while (!content.isWhole) content.add((await file.read(content.chunk)).bytesRead);
    return content.bytes();
  } finally {
    await file.close();
  }
}

function requireRegular(stats: Stats, mostBytes: number): void {
  if (!stats.isFile()) throw new FileError('FILE_KIND', 'expected a regular file');
  if (stats.size > mostBytes) throw tooLarge(mostBytes);
}

function tooLarge(mostBytes: number): FileError {
  return new FileError('FILE_TOO_LARGE', `expected at most ${String(mostBytes)} bytes`);
}

/** What was read so far. The size that a file system states is no bound: a file may grow, and those of /proc state none. */
class Content {
  isWhole = false;
  chunk = Buffer.alloc(CHUNK_BYTES);
  readonly #mostBytes: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** @param count how many bytes of `chunk` were read; 0 at the end of the file */
  add(count: number): void {
    this.#length += count;
    if (this.#length > this.#mostBytes) throw tooLarge(this.#mostBytes);
    this.isWhole = count === 0;
    if (count === 0) return;
    this.#chunks.push(this.chunk.subarray(0, count));
    this.chunk = Buffer.alloc(CHUNK_BYTES);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks, this.#length);
  }
}
