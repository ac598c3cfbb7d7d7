// Somebody of the organisation: a folder of their own, and the commands that they type there.
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { cli, type CliResult } from '../support/cli.ts';

/** A cheap work factor for passphrases: it is not the point where this is used. */
const LOG_N = 10;

/** `answers`: what is typed at the questions, all of which must be asked. `code`: the exit code; null: any. */
export type Typed = Readonly<{ answers?: readonly string[]; code?: number | null }>;

export class Person {
  readonly name: string;
  readonly home: string;
  /** By season: what was typed for it. */
  readonly commands = new Map<number, string[]>();
  /** Reading and answering, which is the work itself. */
  everyday = 0;

  constructor(name: string, home: string) {
    this.name = name;
    this.home = home;
  }

  get passphrase(): string {
    return `the passphrase of ${this.name}`;
  }

  path(...parts: string[]): string {
    return join(this.home, ...parts);
  }

  /** Types a command that counts, for a season. */
  async types(season: number, line: string, typed: Typed = {}): Promise<CliResult> {
    this.commands.set(season, [...(this.commands.get(season) ?? []), line]);
    return this.#run(line, typed);
  }

  /** Types a command of the system, which counts, too. */
  async copies(season: number, from: string, to: string): Promise<void> {
    this.commands.set(season, [...(this.commands.get(season) ?? []), `cp -a ${from}/. ${to}/`]);
    await cp(this.path(from), this.path(to), { recursive: true });
  }

  /** Types a command with which one reads or answers. */
  async works(line: string, typed: Typed = {}): Promise<CliResult> {
    this.everyday += 1;
    return this.#run(line, typed);
  }

  async #run(line: string, { answers = [], code = EXIT.ok }: Typed): Promise<CliResult> {
    await mkdir(this.home, { recursive: true });
    const [, ...words] = line.split(' ');
    const before = process.cwd();
    process.chdir(this.home);
    try {
      const result = await cli(words, { now: new Date(), logN: LOG_N, terminal: { answers } });
      const expected = [this.name, line, code ?? result.code, answers.length];
      expect([this.name, line, result.code, result.asked.length], result.err).toEqual(expected);
      return result;
    } finally {
      process.chdir(before);
    }
  }
}
