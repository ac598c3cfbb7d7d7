import type { OnProgress } from '../../volunteer/keys/key-files.ts';
import type { Io } from './io.ts';

/** Where progress is shown. */
export type ProgressIo = Pick<Io, 'stderrIsTerminal' | 'err'>;

export const OPENING = 'Opening the key with its passphrase';
export const PROTECTING = 'Protecting the key with its passphrase';

/**
 * Shows at a terminal how far a long task is, in a line that goes away at its end; shows nothing elsewhere. Deriving a key from a
 * passphrase takes from a second to minutes, on purpose.
 */
export async function withProgress<T>(io: ProgressIo, what: string, work: (onProgress: OnProgress) => Promise<T>): Promise<T> {
  if (!io.stderrIsTerminal) return work(() => undefined);
  let shown = '';
  const show = (text: string): void => {
    if (text === shown) return;
    io.err(`\r${text.padEnd(shown.length)}`);
    shown = text;
  };
  try {
    return await work((fraction) => show(`${what} … ${String(Math.min(99, Math.floor(fraction * 100)))} %`));
  } finally {
    if (shown !== '') io.err(`\r${' '.repeat(shown.length)}\r`);
  }
}
