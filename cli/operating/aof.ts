// The append-only file of Redis, as far as its damage can be seen without Redis: commands in RESP, one after the other, in files that a
// manifest lists (Redis 7, aof.c). What is in them is not looked at.
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../errors.ts';
import { readInputText } from '../files.ts';

const FOLDER = 'appendonlydir';
const MANIFEST = 'appendonly.aof.manifest';
/** Redis 8 may add offsets to a line. */
const LISTED = /^file (appendonly\.aof\.\d{1,9}\.(base|incr)\.(rdb|aof)) seq (\d{1,9}) type ([bhi])(?: \w+offset \d+)*$/;

const WINDOW_BYTES = 1024 * 1024;
/** `*` or `$`, a number, CR, LF. */
const HEAD_BYTES_MAX = 14;
/** More than Redis takes from a client, proto-max-bulk-len and the arguments of a command. */
const NUMBER_MAX = 1024 * 1024 * 1024;
const NAME_BYTES_MAX = 32;
const RDB_MAGIC = 'REDIS';
/** Of an RDB file: the mark of its end, and a checksum. */
const RDB_END_BYTES = 9;
const RDB_END = 0xff;
const STAR = 0x2a;

/**
 * `size`: the file's bytes. `good`: those up to the end of its last whole command outside a transaction, or of its last whole transaction.
 * `behind`: whole commands after the first byte that begins none. All `size` bytes are good where nothing is wrong.
 */
export type AofCondition = { readonly path: string; readonly size: number; readonly good: number; readonly behind: number };

/**
 * Looks at all files that Redis would load from `data`. Only the end of the last one may be damaged, since only that was written to:
 * throws AOF_DAMAGED when another is, or the manifest is not as Redis writes it. Null where Redis has none yet.
 */
export async function lookAtAof(data: string): Promise<AofCondition | null> {
  const files = await listedFiles(join(data, FOLDER));
  const last = files.at(-1);
  if (last === undefined) return null;
  for (const path of files.slice(0, -1)) {
    const isWhole = path.endsWith('.rdb') ? await isWholeRdb(path) : await scanned(path).then(({ good, size }) => good === size);
    if (!isWhole) throw damaged(`${path} is damaged, and Redis had finished writing it`);
  }
  if (!last.endsWith('.rdb')) return scanned(last);
  if (!(await isWholeRdb(last))) throw damaged(`${last} is damaged, and Redis had finished writing it`);
  return null;
}

/** The files by their order in time. */
async function listedFiles(folder: string): Promise<string[]> {
  const path = join(folder, MANIFEST);
  const text = await readInputText(path, 'the manifest of the append-only file');
  const lines = text.split('\n').filter((line) => line !== '');
  const listed = lines.map((line) => LISTED.exec(line));
  if (lines.length === 0 || listed.includes(null)) throw damaged(`${path} is damaged, or of a Redis that is not known here`);
  const order = { h: 0, b: 1, i: 2 };
  return listed
    .map((match) => ({ name: match?.[1] ?? '', seq: Number(match?.[4]), type: (match?.[5] ?? 'h') as keyof typeof order }))
    .filter(({ type }) => type !== 'h')
    .sort((a, b) => order[a.type] - order[b.type] || a.seq - b.seq)
    .map(({ name }) => join(folder, name));
}

function damaged(what: string): CliError {
  return new CliError('AOF_DAMAGED', what, 'this cannot be cut: keep a copy of the whole folder, and ask somebody who knows Redis');
}

async function isWholeRdb(path: string): Promise<boolean> {
  return withFile(path, async (file) => {
    const [mark] = await file.bytes(Math.max(0, file.size - RDB_END_BYTES), 1);
    return mark === RDB_END && (await file.text(0, RDB_MAGIC.length)) === RDB_MAGIC;
  });
}

async function scanned(path: string): Promise<AofCondition> {
  return withFile(path, async (file) => {
    let [at, good] = [0, 0];
    let isInTransaction = false;
    for (;;) {
      const command = await commandAt(file, at);
      if (command === null) break;
      if (command.name === 'multi') isInTransaction = true;
      if (command.name === 'exec') isInTransaction = false;
      at = command.end;
      if (!isInTransaction) good = at;
    }
    return { path, size: file.size, good, behind: await wholeCommands(file, at + 1) };
  });
}

/** How many whole commands there are from `from` on, whatever is between them. */
async function wholeCommands(file: Window, from: number): Promise<number> {
  let [at, found] = [from, 0];
  while (at < file.size) {
    const bytes = await file.bytes(at, WINDOW_BYTES);
    const star = bytes.indexOf(STAR);
    if (star === -1) at += Math.max(1, bytes.length);
    else {
      const command = await commandAt(file, at + star);
      const isOne = command !== null && /^[a-z]+$/.test(command.name);
      if (isOne) found += 1;
      at = isOne ? command.end : at + star + 1;
    }
  }
  return found;
}

/** The command that begins at `at`, its name in small letters; null where none does, or it is not whole. */
async function commandAt(file: Window, at: number): Promise<{ name: string; end: number } | null> {
  const head = await numberAt(file, at, '*');
  if (head === null || head.value === 0) return null;
  let name = '';
  let next = head.end;
  for (let argument = 0; argument < head.value; argument += 1) {
    const length = await numberAt(file, next, '$');
    if (length === null) return null;
    const end = length.end + length.value;
    if ((await file.text(end, 2)) !== '\r\n') return null;
    if (argument === 0) name = (await file.text(length.end, Math.min(length.value, NAME_BYTES_MAX))).toLowerCase();
    next = end + 2;
  }
  return { name, end: next };
}

/** A line such as `*3` or `$25`. */
async function numberAt(file: Window, at: number, sign: '*' | '$'): Promise<{ value: number; end: number } | null> {
  const text = await file.text(at, HEAD_BYTES_MAX);
  const [line, digits] = /^[*$](\d{1,10})\r\n/.exec(text) ?? [];
  if (line === undefined || !line.startsWith(sign) || Number(digits) > NUMBER_MAX) return null;
  return { value: Number(digits), end: at + line.length };
}

async function withFile<T>(path: string, use: (file: Window) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r').catch(() => {
    throw damaged(`${path} is missing, or cannot be read`);
  });
  try {
    return await use(new Window(handle, (await handle.stat()).size));
  } finally {
    await handle.close();
  }
}

/** A file of any size, of which a part is in memory. */
class Window {
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #buffer = Buffer.alloc(WINDOW_BYTES);
  #from = 0;
  #filled = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  /** Up to `length` bytes from `at` on, fewer at the end of the file; valid until the next call. */
  async bytes(at: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.size - at));
    if (at < this.#from || at + wanted > this.#from + this.#filled) {
      this.#from = at;
      this.#filled = (await this.#handle.read(this.#buffer, 0, WINDOW_BYTES, at)).bytesRead;
    }
    return this.#buffer.subarray(at - this.#from, at - this.#from + Math.min(wanted, this.#filled));
  }

  async text(at: number, length: number): Promise<string> {
    return (await this.bytes(at, length)).toString('latin1');
  }
}
