import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { imapMessages, isImap, parseImapUrl, type ImapOptions } from '../actions/imap.ts';
import { CliError } from '../errors.ts';
import { INPUT_BYTES_MAX, readInput, reason, tooLarge } from '../files.ts';
import type { Io } from '../io.ts';

/** A file, a message or standard input, not read yet. */
export type Source = { name: string; read: () => Promise<Uint8Array> };

/** What a PATH stands for: `-`, a file, every message of a Maildir, or of a folder at a mail server. */
export async function* sourcesOf(path: string, io: Io, imap: ImapOptions = {}): AsyncGenerator<Source> {
  if (path === '-') yield { name: 'standard input', read: () => readStdin(io) };
  else if (isImap(path)) yield* imapMessages(parseImapUrl(path), imap, io);
  else yield* (await isDirectory(path)) ? await messagesOf(path) : [fileSource(path)];
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new CliError('INPUT_MISSING', `cannot read ${path}: ${reason(error)}`, 'check the name');
  }
}

async function messagesOf(maildir: string): Promise<Source[]> {
  const folders = (await Promise.all(['new', 'cur'].map((folder) => namesIn(join(maildir, folder))))).filter((names) => names !== null);
  if (folders.length === 0) {
    throw new CliError('INPUT_FORMAT', `${maildir} is a directory but no Maildir: it has neither new/ nor cur/`, 'give the Maildir itself or single files');
  }
  return folders.flat().map(fileSource);
}

async function namesIn(folder: string): Promise<string[] | null> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => !name.startsWith('.'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new CliError('INPUT_MISSING', `cannot read ${folder}: ${reason(error)}`, 'check the permissions');
  }
}

function fileSource(path: string): Source {
  return { name: path, read: () => readInput(path, 'the file') };
}

async function readStdin(io: Io): Promise<Uint8Array> {
  const bytes = await io.readStdin(INPUT_BYTES_MAX);
  if (bytes === null) throw tooLarge('standard input');
  return bytes;
}
