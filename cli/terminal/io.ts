/** Everything a command touches outside its arguments and files, so that tests run the real commands in one process. */
export type Io = {
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Of the person, as their system has it: `ru`, `en` … */
  readonly language: string;
  /** Width of the terminal in columns. */
  readonly columns: number;
  /** Work factor (2^`logN`) of the passphrase of a new key, where it is not what age and minisign write; no real program sets it. */
  readonly logN?: number;
  /** Reads standard input to its end; null when it is longer than `limit` bytes. */
  readStdin(limit: number): Promise<Uint8Array | null>;
  out(data: string | Uint8Array): void;
  err(text: string): void;
  /** Standard output or standard error takes nothing any more, so that going on is of no use to anybody who only looks. */
  isUnheard(): boolean;
  /** Asks at the terminal without echo. Only called when stdin is a terminal. */
  askSecret(prompt: string): Promise<string>;
  /** Asks for a line at the terminal, shown as it is typed; empty on Ctrl-D. Only called when stdin is a terminal. */
  ask(prompt: string): Promise<string>;
  /** Lines typed at the terminal until Ctrl-D on an empty one. Only called when stdin is a terminal. */
  askText(): Promise<string>;
  now(): Date;
  /** Resolves after `ms`, or with `false` at once when the person wants to stop (Ctrl-C). `why`: for a moment to send, or to try again. */
  pause(ms: number, why: 'moment' | 'again'): Promise<boolean>;
  /** While `work` runs, Ctrl-C aborts `stop` in place of ending the program; a second one ends it. */
  stoppable<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T>;
};
