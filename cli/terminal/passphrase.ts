import { passphraseFrom } from '../../crypto/passphrase-forms.ts';
import { CliError } from '../errors.ts';
import { readInputText } from '../files.ts';
import type { Io } from './io.ts';
import { randomWords } from '../keys/random-words.ts';
import { visibleLine } from './terminal.ts';

const CHARACTERS_MIN = 12;
const DIFFERENT_MIN = 5;

/** The first line of a passphrase file, for scripts. */
export async function readPassphraseFile(path: string): Promise<string> {
  const [line = ''] = (await readInputText(path, 'the passphrase file')).split('\n');
  if (line === '') throw new CliError('PASSPHRASE_EMPTY', `the first line of ${path} is empty`, 'put the passphrase on the first line');
  return line;
}

/** An existing passphrase: read from `file` when that is given, otherwise asked once. @param what the key file that it opens */
export async function existingPassphrase(io: Io, what: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return readPassphraseFile(file);
  insistOnTerminal(io, what);
  return io.askSecret(`Passphrase of ${visibleLine(what)} (nothing is shown while you type): `);
}

/**
 * A new passphrase: read from `file` when that is given, otherwise asked twice, or made of six words when nothing is typed.
 * Throws PASSPHRASE_WEAK when it is short or repeats a few characters, PASSPHRASE_DIFFERS when it is typed differently the second
 * time, PASSPHRASE_UNASKABLE when nobody can be asked.
 */
export async function newPassphrase(io: Io, what: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return strongEnough(await readPassphraseFile(file));
  insistOnTerminal(io, what);
  const typed = await io.askSecret(
    `New passphrase for ${visibleLine(what)} (nothing is shown while you type; Enter alone: six random words are made for you): `,
  );
  if (typed === '') return sixWordsFor(what, io);
  const first = strongEnough(typed);
  const second = passphraseFrom(await io.askSecret('The same passphrase again: '));
  if (first !== second) throw new CliError('PASSPHRASE_DIFFERS', 'the two passphrases differ', 'start again; nothing was written');
  return first;
}

/** Shows six random words, and has them typed. */
async function sixWordsFor(what: string, io: Io): Promise<string> {
  const words = await randomWords(io.language);
  io.err(
    `\n    ${words}\n\nThis is the passphrase of ${visibleLine(what)}. ` +
      'Write it on paper, keep that away from this computer, and clear the screen afterwards.\n',
  );
  const typed = passphraseFrom(await io.askSecret('Type the six words once, with single spaces (nothing is shown): '));
  if (typed.trim().replace(/\s+/g, ' ') !== words) {
    throw new CliError('PASSPHRASE_DIFFERS', 'these are not the six words', 'start again, with new words; nothing was written');
  }
  return words;
}

/** A weaker passphrase can be guessed once the file is stolen, whatever each guess costs. Throws PASSPHRASE_WEAK. */
function strongEnough(typed: string): string {
  const passphrase = passphraseFrom(typed);
  const length = [...passphrase].length;
  const different = new Set(passphrase).size;
  if (length >= CHARACTERS_MIN && different >= DIFFERENT_MIN) return passphrase;
  const what =
    length < CHARACTERS_MIN
      ? `the passphrase has ${String(length)} characters, it needs ${String(CHARACTERS_MIN)}`
      : 'the passphrase repeats a few characters';
  throw new CliError('PASSPHRASE_WEAK', what, 'take six random words: Enter alone makes some; nothing was written');
}

export function wrongPassphrase(path: string): CliError {
  return new CliError(
    'PASSPHRASE_WRONG',
    `the passphrase does not open ${path}`,
    'try again; capital letters and the keyboard language matter',
  );
}

function insistOnTerminal(io: Io, what: string): void {
  if (io.stdinIsTerminal) return;
  throw new CliError(
    'PASSPHRASE_UNASKABLE',
    `the passphrase of ${what} cannot be asked: standard input is not a terminal`,
    'run it at a terminal or give --passphrase-file FILE',
  );
}
