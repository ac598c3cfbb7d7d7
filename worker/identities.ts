import { constants } from 'node:fs';
import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeIdentity, identityToRecipient, parseIdentityFile } from '../crypto/age/identity.ts';
import { randomBytes } from '../crypto/bytes.ts';
import { textOf } from '../crypto/text-file.ts';
import { FileError, readPrivateFile } from '../runtime/files.ts';

const FILE_NAME = /^worker-([1-9][0-9]{0,9})\.txt$/;
/** Enough for UTF-16 too, as some editors save it. */
const MAX_FILE_BYTES = 8_192;

/** The worker's key of one keyring serial. */
export type WorkerIdentity = {
  readonly serial: number;
  readonly path: string;
  readonly identity: string;
  /** The 32 bytes behind `identity`; they also key the letter ids. */
  readonly secret: Uint8Array;
  readonly recipient: string;
};

export type UnusableIdentity = { readonly serial: number; readonly path: string; readonly problem: 'mode' | 'format' | 'unreadable' };

export type LoadedIdentities = { readonly identities: readonly WorkerIdentity[]; readonly unusable: readonly UnusableIdentity[] };

/** Reads the `worker-<serial>.txt` files. One that others can read, or that does not hold exactly one identity, is unusable. */
export async function loadIdentities(directory: string): Promise<LoadedIdentities> {
  const identities: WorkerIdentity[] = [];
  const unusable: UnusableIdentity[] = [];
  for (const name of await readdir(directory)) {
    const serial = Number(FILE_NAME.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(serial)) continue;
    const path = join(directory, name);
    const text = await readPrivate(path);
    if (text === 'mode' || text === 'unreadable') unusable.push({ serial, path, problem: text });
    else {
      const identity = parse(serial, path, text.content);
      if (identity) identities.push(identity);
      else unusable.push({ serial, path, problem: 'format' });
    }
  }
  return { identities, unusable };
}

async function readPrivate(path: string): Promise<{ content: string } | 'mode' | 'unreadable'> {
  try {
    return { content: textOf(await readPrivateFile(path, MAX_FILE_BYTES)) };
  } catch (error) {
    return error instanceof FileError && error.code === 'FILE_MODE' ? 'mode' : 'unreadable';
  }
}

function parse(serial: number, path: string, content: string): WorkerIdentity | null {
  try {
    const [identity, ...more] = parseIdentityFile(content);
    if (identity === undefined || more.length > 0) return null;
    return { serial, path, identity, secret: decodeIdentity(identity), recipient: identityToRecipient(identity) };
  } catch {
    return null;
  }
}

/**
 * Overwrites and removes an identity file. On media that do not overwrite in place (flash, copy on write) the old blocks may
 * survive for a while: SECURITY.md says so, and asks for an encrypted disk.
 */
export async function shred(path: string, directory: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    await file.write(randomBytes(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await unlink(path);
  const parent = await open(directory, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}
