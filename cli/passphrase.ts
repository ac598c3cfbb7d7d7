import { CliError } from './errors.ts';
import { readInputText } from './files.ts';
import type { Io } from './io.ts';
import { visibleLine } from './terminal.ts';

/** The first line of a passphrase file, for scripts. */
export async function readPassphraseFile(path: string): Promise<string> {
  const [line = ''] = (await readInputText(path, 'the passphrase file')).split('\n');
  if (line === '') throw new CliError('PASSPHRASE_EMPTY', `the first line of ${path} is empty`, 'put the passphrase on the first line');
  return line;
}

/** An existing passphrase: from the file when there is one, otherwise asked once. */
export async function existingPassphrase(io: Io, what: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return readPassphraseFile(file);
  insistOnTerminal(io, what);
  return io.askSecret(`Passphrase of ${visibleLine(what)} (nothing is shown while you type): `);
}

/** A new passphrase: from the file when there is one, otherwise asked twice. */
export async function newPassphrase(io: Io, what: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return readPassphraseFile(file);
  insistOnTerminal(io, what);
  const first = await io.askSecret(`New passphrase for ${visibleLine(what)} (nothing is shown while you type): `);
  if (first === '') throw new CliError('PASSPHRASE_EMPTY', 'the passphrase is empty', 'choose one: six random words are good; nothing was written');
  const second = await io.askSecret('The same passphrase again: ');
  if (first !== second) throw new CliError('PASSPHRASE_DIFFERS', 'the two passphrases differ', 'start again; nothing was written');
  return first;
}

function insistOnTerminal(io: Io, what: string): void {
  if (io.stdinIsTerminal) return;
  throw new CliError('PASSPHRASE_UNASKABLE', `the passphrase of ${what} cannot be asked: standard input is not a terminal`, 'run it at a terminal or give --passphrase-file FILE');
}
