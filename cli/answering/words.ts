import { CliError } from '../errors.ts';
import { readInput } from '../files.ts';
import type { Io } from '../terminal/io.ts';

/** More than any letter holds; what is longer is not read to its end. */
const TEXT_BYTES_MAX = 1024 * 1024;

/** A volunteer's words: of a file, typed, or where they are needed on standard input; line ends at the very end are left out. */
export async function readAnswer(io: Io, file: string | undefined, needed: boolean): Promise<string> {
  if (file === undefined && !needed) return io.stdinIsTerminal ? (await io.ask('A few words for the team (empty: none): ')).trim() : '';
  const text = (file === undefined && io.stdinIsTerminal ? await typed(io) : decoded(await bytesOf(io, file)))
    .replaceAll('\r\n', '\n')
    .replace(/\n+$/, '');
  if (text.trim() === '') throw new CliError('INPUT_EMPTY', 'there is no text', 'write it, pipe it in, or give --file');
  return text;
}

function typed(io: Io): Promise<string> {
  io.err('Write the answer, up to some 3,700 Cyrillic letters. Ctrl-D on an empty line ends it; Ctrl-C stops.\n');
  return io.askText();
}

async function bytesOf(io: Io, file: string | undefined): Promise<Uint8Array> {
  const bytes = file === undefined ? await io.readStdin(TEXT_BYTES_MAX) : await readInput(file, 'the text');
  if (bytes === null || bytes.length > TEXT_BYTES_MAX)
    throw new CliError('INPUT_TOO_LARGE', 'the text is longer than 1 MiB', 'shorten it to some 3,700 Cyrillic letters');
  return bytes;
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CliError('INPUT_FORMAT', 'the text is not in UTF-8', 'save it as UTF-8');
  }
}
