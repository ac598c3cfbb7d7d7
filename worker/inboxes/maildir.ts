import { mkdir, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { absolutePath } from '../../service/env.ts';
import { errorCode } from '../../service/log.ts';
import { inboxFields, Refused, type Inbox, type InboxKind, type Letter } from './inbox.ts';
import { composeMail, NEUTRAL_ENVELOPE, startOfDay } from './message.ts';

const schema = z.strictObject({
  ...inboxFields,
  kind: z.literal('maildir'),
  path: absolutePath,
});

/** What a crash leaves in tmp/: `<letter id>.<random>`, never a name another program writes. */
const OWN_TMP_NAME = /^[0-9a-f]{32}\.[0-9a-f]{16}$/;

/** A Maildir (maildir(5)): a letter is a file that appears whole or not at all. */
class Maildir implements Inbox {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async create(): Promise<void> {
    for (const part of ['tmp', 'new', 'cur']) await mkdir(join(this.#path, part), { recursive: true, mode: 0o700 });
    for (const name of await readdir(join(this.#path, 'tmp'))) {
      if (OWN_TMP_NAME.test(name)) await unlink(join(this.#path, 'tmp', name));
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
      await rename(tmp, join(this.#path, 'new', name));
      await syncDirectory(join(this.#path, 'new'));
    } catch (error) {
      // A full or missing disk comes back: nothing a file system says is final.
      throw new Refused(Number.POSITIVE_INFINITY, errorCode(error), errorCode(error) === 'EISDIR' ? 'letter' : 'inbox');
    }
  }

  /** A crash after delivery repeats it, and a reader may have moved the file to cur/ and put flags behind its name. */
  async #holds(name: string): Promise<boolean> {
    for (const part of ['new', 'cur']) {
      const there = await readdir(join(this.#path, part));
      if (there.some((file) => file === name || (file.startsWith(name) && ':;!'.includes(file.charAt(name.length))))) {
        // Found is not yet durable: the crash may have come before the directory reached the disk.
        await syncDirectory(join(this.#path, part));
        return true;
      }
    }
    return false;
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
