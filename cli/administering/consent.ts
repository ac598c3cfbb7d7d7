// The questions of the administrator's commands, which a script answers with --yes.
import { readLanguages } from '../../runtime/locales.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';

/**
 * Asks at the terminal; a yes in any language counts. Throws NOT_CONFIRMED for every other answer, CONFIRMATION_UNASKABLE when nobody
 * can be asked. @param yes it was answered already, by --yes
 */
export async function insistOnYes(question: string, yes: boolean, io: Io): Promise<void> {
  if (yes) return;
  if (!io.stdinIsTerminal) {
    throw new CliError(
      'CONFIRMATION_UNASKABLE',
      `nobody can be asked: "${question}"`,
      'run it at a terminal, or give --yes; nothing was changed',
    );
  }
  const answer = (await io.ask(`${question} [y/N] `)).trim().toLowerCase();
  if (readLanguages().some((language) => language.yes.includes(answer))) return;
  throw new CliError('NOT_CONFIRMED', 'this was not confirmed', 'nothing was changed');
}
