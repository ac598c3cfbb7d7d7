import type { OperatorPlaces } from '../config.ts';

/**
 * Everything that a command touches besides its arguments and files, so that tests can run the real
 * commands in their own process.
 */
export type Io = {
  /** Where the operator's commands find what they need, unless an option says otherwise. */
  readonly places: OperatorPlaces;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** The person's language, according to their system: `ru`, `en` … */
  readonly language: string;
  /** Width of the terminal in columns. */
  readonly columns: number;
  /** The work factor (2^`logN`) of a new key's passphrase, when it is not that of age and minisign; only tests set it. */
  readonly logN?: number;
  /** Reads standard input to its end; null when it is longer than `limit` bytes. */
  readStdin(limit: number): Promise<Uint8Array | null>;
  out(data: string | Uint8Array): void;
  err(text: string): void;
  /** Standard output or standard error takes nothing any more: a command that only shows something may end. */
  isUnheard(): boolean;
  /** Asks for a line at the terminal, without echo. Only called when stdin is a terminal. */
  askSecret(prompt: string): Promise<string>;
  /** Asks for a line at the terminal, shown as it is typed; empty on Ctrl-D. Only called when stdin is a terminal. */
  ask(prompt: string): Promise<string>;
  /** Lines typed at the terminal until Ctrl-D on an empty one. Only called when stdin is a terminal. */
  askText(): Promise<string>;
  now(): Date;
  /**
   * Resolves with true after `ms`, or with false as soon as the person wants to stop (Ctrl-C). `why`: a moment to send has to
   * come, or something failed and is to be tried again.
   */
  pause(ms: number, why: 'moment' | 'again'): Promise<boolean>;
  /** While `work` runs, Ctrl-C aborts `stop` instead of ending the program; a second one ends it. */
  stoppable<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T>;
};
