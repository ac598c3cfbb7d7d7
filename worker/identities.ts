import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeIdentity, identityToRecipient, parseIdentityFile } from '../crypto/age/identity.ts';
import { WEEK_MS } from '../crypto/card.ts';
import { textOf } from '../crypto/text-file.ts';
import { FileError, readPrivateFile, readRegularFile } from '../runtime/files.ts';
import { keyId } from '../runtime/key-id.ts';

const FILE_NAME = /\.txt$/;
/** As `worker keys` names them: by the Monday on which the week begins, and with `former-` once others have replaced them. */
const WEEK_FILE = /^(?:former-)*week-(\d{4}-\d\d-\d\d)\.txt$/;
/** Enough for UTF-16 too, as some editors save it. */
const MAX_FILE_BYTES = 8_192;

/** A key of the worker, and the files in which it is: found by its recipient, whatever they are called. */
export type WorkerIdentity = {
  /** Of the recipient (runtime/key-id.ts). */
  readonly keyId: string;
  readonly files: readonly string[];
  /** The end of its week by the name of a file; null: the names do not say. */
  readonly weekEnd: Date | null;
  readonly identity: string;
  /** The 32 bytes behind `identity`; they also key the letter ids. */
  readonly secret: Uint8Array;
};

export type UnusableFile = {
  readonly file: string;
  readonly problem: 'mode' | 'format' | 'unreadable';
  /** Its key, where the file can be read although it is unusable. */
  readonly key: WorkerIdentity | null;
};

export type LoadedIdentities = { readonly identities: readonly WorkerIdentity[]; readonly unusable: readonly UnusableFile[] };

/** Reads all `*.txt` files of a folder. One that others can read, or that does not hold exactly one identity, is unusable. */
export async function loadIdentities(directory: string): Promise<LoadedIdentities> {
  const identities = new Map<string, WorkerIdentity>();
  const unusable: UnusableFile[] = [];
  for (const file of (await readdir(directory)).filter((name) => FILE_NAME.test(name)).sort()) {
    const { problem, content } = await readPrivate(join(directory, file));
    const key = content === null ? null : parse(file, content);
    if (problem !== null) unusable.push({ file, problem, key });
    else if (key === null) unusable.push({ file, problem: 'format', key });
    else identities.set(key.keyId, merged(key, identities.get(key.keyId)));
  }
  return { identities: [...identities.values()], unusable };
}

type Read = { readonly problem: 'mode' | 'unreadable' | null; readonly content: string | null };

async function readPrivate(path: string): Promise<Read> {
  try {
    return { problem: null, content: textOf(await readPrivateFile(path, MAX_FILE_BYTES)) };
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== 'FILE_MODE') return { problem: 'unreadable', content: null };
    const bytes = await readRegularFile(path, MAX_FILE_BYTES).catch(() => null);
    return { problem: 'mode', content: bytes && textOf(bytes, 'lenient') };
  }
}

function parse(file: string, content: string): WorkerIdentity | null {
  try {
    const [identity, ...more] = parseIdentityFile(content);
    if (identity === undefined || more.length > 0) return null;
    const recipient = identityToRecipient(identity);
    return { keyId: keyId(recipient), files: [file], weekEnd: weekEndOf(file), identity, secret: decodeIdentity(identity) };
  } catch {
    return null;
  }
}

function weekEndOf(file: string): Date | null {
  const beginMs = Date.parse(`${WEEK_FILE.exec(file)?.[1] ?? ''}T00:00:00Z`);
  return Number.isNaN(beginMs) ? null : new Date(beginMs + WEEK_MS);
}

/** One key that lies in two files: of two weeks that they name the later counts. */
function merged(key: WorkerIdentity, other: WorkerIdentity | undefined): WorkerIdentity {
  if (other === undefined) return key;
  const ends = [other.weekEnd, key.weekEnd].flatMap((end) => end?.getTime() ?? []);
  return { ...key, files: [...other.files, ...key.files], weekEnd: ends.length === 0 ? null : new Date(Math.max(...ends)) };
}
