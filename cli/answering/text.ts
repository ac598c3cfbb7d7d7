import { CliError } from '../errors.ts';
import { readInput, TEXT_BYTES_MAX } from '../files.ts';
import type { Io } from '../terminal/io.ts';

/**
 * A volunteer's text: from a file, typed at the terminal, or, where it is needed, from standard input. Line ends at its very
 * end are left out. Throws INPUT_EMPTY when it is needed and there is none, INPUT_TOO_LARGE, INPUT_FORMAT when it is not UTF-8.
 */
export async function readText(io: Io, file: string | undefined, isNeeded: boolean): Promise<string> {
  if (file === undefined && !isNeeded) {
    return io.stdinIsTerminal ? (await io.ask('A few words for the team (empty: none): ')).trim() : '';
  }
  const given = file === undefined && io.stdinIsTerminal ? await typed(io) : decoded(await bytesOf(io, file));
  const text = given.replaceAll('\r\n', '\n').replace(/\n+$/, '');
  if (text.trim() === '') throw new CliError('INPUT_EMPTY', 'there is no text', 'write it, pipe it in, or give --file');
  return text;
}

function typed(io: Io): Promise<string> {
  io.err('Write the answer, up to about 3,700 Cyrillic letters. Ctrl-D on an empty line ends it; Ctrl-C stops.\n');
  return io.askText();
}

async function bytesOf(io: Io, file: string | undefined): Promise<Uint8Array> {
  const bytes = file === undefined ? await io.readStdin(TEXT_BYTES_MAX) : await readInput(file, 'the text');
  if (bytes === null || bytes.length > TEXT_BYTES_MAX) {
    throw new CliError('INPUT_TOO_LARGE', 'the text is longer than 1 MiB', 'shorten it to about 3,700 Cyrillic letters');
  }
  return bytes;
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CliError('INPUT_FORMAT', 'the text is not in UTF-8', 'save it as UTF-8');
  }
}
