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

/** What a crash leaves in tmp/: `<letter id>.<random>`, never a name another program writes. */
const OWN_TMP_NAME = /^[0-9a-f]{32}\.[0-9a-f]{16}$/;
/**
 * A letter's file. What mail programs put behind the id: flags in cur/ (`:2,S`, elsewhere `;2,S` or `!2,S`), sizes (`,S=1:2,S`),
 * numbers (`,U=5`, also in new/). No two ids begin alike, so whatever follows, it is this letter.
 */
const LETTER_NAME = new RegExp(`^(?<id>[0-9a-f]{${String(2 * LETTER_ID_BYTES)}})(?![0-9a-f])`);
/** Where a letter waits for its reader, and where its reader's program puts it. */
const PARTS = ['new', 'cur'] as const;
/**
 * How long a listing of both folders is believed. What is repeated was delivered by a worker that died (which was longer ago), or
 * by this one (which remembers); only one that stalled for longer than its lease could still deliver the same letter meanwhile.
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

  async create(): Promise<void> {
    for (const part of ['tmp', ...PARTS]) await mkdir(join(this.#path, part), { recursive: true, mode: 0o700 });
    for (const name of await readdir(join(this.#path, 'tmp'))) {
      // What cannot be removed is in nobody's way.
      if (OWN_TMP_NAME.test(name)) await unlink(join(this.#path, 'tmp', name)).catch(() => undefined);
    }
  }

  async deliver(letter: Letter): Promise<void> {
    try {
      const name = toHex(letter.id);
      if (await this.#holds(name)) return;
      const mail = await composeMail(letter, NEUTRAL_ENVELOPE, new Date(), 'unix');
      // A tmp name of its own for each attempt: a second worker must not truncate a file this one is about to publish.
      const tmp = join(this.#path, 'tmp', `${name}.${toHex(randomBytes(8))}`);
      await writeDurably(tmp, mail);
      await publish(tmp, join(this.#path, 'new', name));
      await syncDirectory(join(this.#path, 'new'));
      this.#listing?.paths.set(name, join('new', name));
    } catch (error) {
      // A full or missing disk comes back: nothing a file system says is final. Something in the place of one file is about that one.
      throw new Refused(Number.POSITIVE_INFINITY, errorCode(error), errorCode(error) === 'EISDIR' ? 'letter' : 'inbox');
    }
  }

  /** A crash after delivery repeats it, and a reader may have moved the file to cur/ and put flags behind its name. */
  async #holds(name: string): Promise<boolean> {
    // Where it is as a rule, looked at even if the listing is not new any more.
    const usual = await this.#kindOf(join('new', name));
    const listed = (await this.#listed()).get(name);
    if (usual !== 'file' && listed === undefined) return false;
    // A folder or a pipe that has the name of a letter holds none. What went since it was listed had been delivered.
    if (usual !== 'file' && listed !== undefined && (await this.#kindOf(listed)) === 'other') return false;
    // Found is not yet durable: the crash may have come before the directory reached the disk.
    for (const part of PARTS) await syncDirectory(join(this.#path, part));
    return true;
  }

  /** Letters by their id: where each was. One folder of 50,000 takes longer to read than a letter to deliver. */
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

/** Removes what it could not publish: a disk that is full must not fill with what nobody reads. */
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
  async open(settings) {
    const inbox = new Maildir(settings.path);
    await inbox.create();
    return inbox;
  },
};
