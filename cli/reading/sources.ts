import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { imapMessages, isImap, parseImapUrl, type ImapOptions } from '../net/imap.ts';
import { CliError } from '../errors.ts';
import { INPUT_BYTES_MAX, readInput, reason, tooLarge } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';

/** How many of the folders within a Maildir, which are not read, are named at most. */
const FOLDERS_NAMED_MAX = 10;

/** A file, a message or standard input, not read yet. */
export type Source = { name: string; read: () => Promise<Uint8Array> };

/** What a PATH stands for: standard input (`-`), a file, or every message of a Maildir or of a folder at a mail server. */
export async function* sourcesOf(path: string, io: Io, imap: ImapOptions = {}): AsyncGenerator<Source> {
  if (path === '-') yield { name: 'standard input', read: () => readStdin(io) };
  else if (isImap(path)) yield* imapMessages(parseImapUrl(path), imap, io);
  else if (await isDirectory(path)) yield* messagesOf(path, io);
  else yield fileSource(path);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new CliError('INPUT_MISSING', `cannot read ${path}: ${reason(error)}`, 'check the name');
  }
}

async function* messagesOf(maildir: string, io: Io): AsyncGenerator<Source> {
  const own = await namesIn(maildir);
  if (own === null) {
    throw new CliError(
      'INPUT_FORMAT',
      `${maildir} is a directory but no Maildir: it has neither new/ nor cur/`,
      'give the Maildir itself or single files',
    );
  }
  const folders = await foldersWithMessages(maildir);
  const more = folders.length > FOLDERS_NAMED_MAX ? ' …' : '';
  const named = `${folders.slice(0, FOLDERS_NAMED_MAX).map(visibleLine).join(', ')}${more}`;
  if (own.length === 0 && folders.length > 0) {
    throw new CliError(
      'INPUT_MISSING',
      `there is no message in ${maildir}, but there are in folders within it: ${named}`,
      'give those that requests come into',
    );
  }
  if (folders.length > 0) {
    io.err(
      `support-relay: folders within ${visibleLine(maildir)} were not read: ${named}; ` +
        'give those that requests come into as paths of their own\n',
    );
  }
  yield* own.map((path) => ({ name: path, read: () => readMessage(maildir, path) }));
}

/**
 * The messages in new/ and cur/; null when there is neither folder. Anything else in them, such as what a network drive puts
 * beside files, is left out.
 */
async function namesIn(maildir: string): Promise<string[] | null> {
  const all = await Promise.all(
    ['new', 'cur'].map(async (folder) => (await entriesOf(join(maildir, folder)))?.map((name) => join(maildir, folder, name)) ?? null),
  );
  const existing = all.filter((names) => names !== null);
  return existing.length === 0 ? null : existing.flat();
}

async function entriesOf(folder: string): Promise<string[] | null> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw new CliError('INPUT_MISSING', `cannot read ${folder}: ${reason(error)}`, 'check the permissions');
  }
}

/** The names of folders within it that are Maildirs and not empty, such as `.Requests` or `Requests`. */
async function foldersWithMessages(maildir: string): Promise<string[]> {
  const entries = await readdir(maildir, { withFileTypes: true }).catch(() => []);
  const folders: string[] = [];
  for (const entry of entries.filter((each) => each.isDirectory() && !['new', 'cur', 'tmp'].includes(each.name))) {
    const messages = await namesIn(join(maildir, entry.name)).catch(() => null);
    if (messages !== null && messages.length > 0) folders.push(entry.name);
  }
  return folders.sort();
}

/** A mail program may move the message from new/ to cur/ and mark it at the same time: its name up to the marks stays the same. */
async function readMessage(maildir: string, path: string): Promise<Uint8Array> {
  try {
    return await readInput(path, 'the file');
  } catch (error) {
    const again = error instanceof CliError && error.code === 'INPUT_MISSING' ? await movedTo(maildir, path) : null;
    if (again === null) throw error;
    return readInput(again, 'the file');
  }
}

async function movedTo(maildir: string, path: string): Promise<string | null> {
  const stem = (name: string): string => basename(name).replace(/[:;!]2,[A-Za-z,]*$/, '');
  const names = await namesIn(maildir).catch(() => null);
  return names?.find((name) => name !== path && stem(name) === stem(path)) ?? null;
}

function fileSource(path: string): Source {
  return { name: path, read: () => readInput(path, 'the file') };
}

async function readStdin(io: Io): Promise<Uint8Array> {
  const bytes = await io.readStdin(INPUT_BYTES_MAX);
  if (bytes === null) throw tooLarge('standard input');
  return bytes;
}
