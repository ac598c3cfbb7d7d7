import { lstat, mkdir, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { LETTER_ID_BYTES } from '../../crypto/letter.ts';
import { absolutePath } from '../../runtime/env.ts';
import { errorCode } from '../../runtime/log.ts';
import { inboxFields, Refused, type Inbox, type InboxKind, type Letter } from './inbox.ts';
import { composeMail, NEUTRAL_ENVELOPE, startOfDay } from './message.ts';

const schema = z.strictObject({ ...inboxFields, kind: z.literal('maildir'), path: absolutePath });

/** A file that a crash left in tmp/: `<letter id>.<random>`, which no other program writes. */
const OWN_TMP_NAME = /^[0-9a-f]{32}\.[0-9a-f]{16}$/;
/**
 * A letter's file. Mail programs append to the id: flags in cur/ (`:2,S`, elsewhere `;2,S` or `!2,S`), sizes (`,S=1:2,S`), numbers
 * (`,U=5`, also in new/). All ids have the same length, so whatever follows the id, the file is this letter.
 */
const LETTER_NAME = new RegExp(`^(?<id>[0-9a-f]{${String(2 * LETTER_ID_BYTES)}})(?![0-9a-f])`);
/** Where a new letter waits, and where the reader's mail program moves it. */
/** Errors that concern one letter's file: a folder in its place, or an id that none of ours has. */
const OF_ONE_LETTER: ReadonlySet<string> = new Set(['EISDIR', 'ENAMETOOLONG']);
const PARTS = ['new', 'cur'] as const;
/**
 * How long a listing of both folders is trusted. A repeated letter was delivered either by a worker that died (longer ago than
 * this) or by this one (which remembers). Only a worker that stalled for longer than its lease could deliver it in between.
 */
const LISTING_MS = 1_000;

type Listing = { readonly at: number; readonly paths: Map<string, string> };

/** A Maildir (maildir(5)): a letter is a file that appears whole or not at all. */
class Maildir implements Inbox {
  readonly #path: string;
  #listing: Listing | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  async prepare(): Promise<void> {
    for (const part of ['tmp', ...PARTS]) await mkdir(join(this.#path, part), { recursive: true, mode: 0o700 });
    for (const name of await readdir(join(this.#path, 'tmp'))) {
      // A file that cannot be removed does no harm.
      if (OWN_TMP_NAME.test(name)) await unlink(join(this.#path, 'tmp', name)).catch(() => undefined);
    }
  }

  async deliver(letter: Letter): Promise<void> {
    try {
      const name = toHex(letter.id);
      if (await this.#holds(name)) return;
      const mail = await composeMail(letter, NEUTRAL_ENVELOPE, new Date(), 'unix');
      // Each attempt has its own tmp name: a second worker must not truncate a file that this one is about to publish.
      const tmp = join(this.#path, 'tmp', `${name}.${toHex(randomBytes(8))}`);
      await writeDurably(tmp, mail);
      await publish(tmp, join(this.#path, 'new', name));
      await syncDirectory(join(this.#path, 'new'));
      this.#listing?.paths.set(name, join('new', name));
    } catch (error) {
      // A full or missing disk may come back, so no file system error is final.
      const code = errorCode(error);
      throw new Refused(Number.POSITIVE_INFINITY, code, OF_ONE_LETTER.has(code) ? 'letter' : 'inbox');
    }
  }

  /** A crash after a delivery repeats it; by then a reader may have moved the file to cur/ and appended flags to its name. */
  async #holds(name: string): Promise<boolean> {
    // Its usual place, checked even while an older listing is trusted.
    const usual = await this.#kindOf(join('new', name));
    const listed = (await this.#listed()).get(name);
    if (usual !== 'file' && listed === undefined) return false;
    // A folder or pipe with the name of a letter is not one. A file that is gone since the listing had been delivered.
    if (usual !== 'file' && listed !== undefined && (await this.#kindOf(listed)) === 'other') return false;
    // The file may not be durable yet: the crash may have come before the directory reached the disk.
    for (const part of PARTS) await syncDirectory(join(this.#path, part));
    return true;
  }

  /** Letter id -> path. Cached, because reading a folder of 50,000 letters takes longer than delivering one. */
  async #listed(): Promise<ReadonlyMap<string, string>> {
    const now = performance.now();
    if (this.#listing !== null && now - this.#listing.at < LISTING_MS) return this.#listing.paths;
    const paths = new Map<string, string>();
    for (const part of PARTS) {
      for (const file of await readdir(join(this.#path, part))) {
        const id = LETTER_NAME.exec(file)?.groups?.['id'];
        if (id !== undefined) paths.set(id, join(part, file));
      }
    }
    this.#listing = { at: now, paths };
    return paths;
  }

  async #kindOf(path: string): Promise<'file' | 'other' | 'none'> {
    try {
      return (await lstat(join(this.#path, path))).isFile() ? 'file' : 'other';
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      return 'none';
    }
  }
}

/** Moves a file into place, or removes it on failure: a full disk must not fill up with files that nobody reads. */
async function publish(tmp: string, path: string): Promise<void> {
  try {
    await rename(tmp, path);
  } catch (error) {
    await unlink(tmp).catch(() => undefined);
    throw error;
  }
}

async function writeDurably(path: string, content: Uint8Array): Promise<void> {
  const file: FileHandle = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    const day = startOfDay(new Date());
    await file.utimes(day, day);
    await file.sync();
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export const maildir: InboxKind<typeof schema> = {
  schema,
  async createInbox(settings) {
    const inbox = new Maildir(settings.path);
    await inbox.prepare();
    return inbox;
  },
};
