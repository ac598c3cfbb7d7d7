import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { closest } from './closest.ts';
import { UsageError } from './errors.ts';
import type { Io } from './terminal/io.ts';

type ParseArgsOptionsConfig = NonNullable<ParseArgsConfig['options']>;

/** One command: what it is called, what `--help` says, and what it does. `run` answers the exit code. */
export type Command = {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** The names of its options, without dashes. */
  readonly options: readonly string[];
  run(argv: readonly string[], io: Io): Promise<number>;
};

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<typeof parse<Options>>['values'];

export type CommandSpec<Options extends ParseArgsOptionsConfig> = {
  name: string;
  summary: string;
  /** The usage line's arguments after the name. */
  usage: string;
  /** What people mostly want of it, as they type it: one or two lines that begin with `support-relay`, and what they need. */
  examples: readonly [string, string?];
  /** Options and what else there is to say. */
  details: string;
  options: Options;
  /** How many arguments that are not options it takes: least and most. */
  arguments?: readonly [number, number];
  run(values: Values<Options>, positionals: string[], io: Io): Promise<number>;
};

export function defineCommand<const Options extends ParseArgsOptionsConfig>(spec: CommandSpec<Options>): Command {
  const examples = spec.examples.map((example = '') => `  ${example.replaceAll('\n', '\n  ')}\n`).join('');
  const help = `${spec.summary}\n\nFor example:\n${examples}\nUsage: support-relay ${spec.name} ${spec.usage}\n\n${spec.details.trim()}\n`;
  return {
    name: spec.name,
    summary: spec.summary,
    help,
    options: Object.keys(spec.options),
    run: async (argv, io) => {
      const { values, positionals } = parse(argv, spec.options, spec.name);
      const [least, most] = spec.arguments ?? [0, 0];
      if (positionals.length < least) throw new UsageError(`${nameOfArgument(spec.usage)} is missing`, spec.name);
      if (positionals.length > most) throw new UsageError(`"${positionals[most] ?? ''}" is one argument too many`, spec.name);
      return spec.run(values, positionals, io);
    },
  };
}

function parse<const Options extends ParseArgsOptionsConfig>(argv: readonly string[], options: Options, name: string) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(saidOf(error, Object.keys(options)), name);
  }
}

/** In our words, where Node's are meant for programmers. */
function saidOf(error: unknown, names: readonly string[]): string {
  const [code, message] = error instanceof Error && 'code' in error ? [error.code, error.message] : ['', ''];
  const [, option = ''] = /'(?:-\w, )?(--?[^\s'=]+)/.exec(message) ?? [];
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const meant = closest(option.replace(/^-+/, ''), names);
    return `there is no option ${option}${meant === null ? '' : `; did you mean --${meant}?`}`;
  }
  if (/argument missing|ambiguous/.test(message)) return `${option} needs a value`;
  if (/does not take an argument/.test(message)) return `${option} takes no value`;
  const [first = ''] = message.split(/[.\n]/);
  return first.charAt(0).toLowerCase() + first.slice(1);
}

/** What stands in capitals and is no option's value: "PATH" of "--identity FILE PATH…". */
function nameOfArgument(usage: string): string {
  const alone = usage
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\([^)]*\)/g, ' ')
    .replace(/--[\w-]+(?: [A-Z]+)?/g, ' ');
  return /[A-Z]{2,}(?:\|[A-Z]+)?/.exec(alone)?.[0].replace('|', ' or ') ?? 'an argument';
}

export function required(value: string | undefined, option: string, command: string): string {
  if (value === undefined || value === '') throw new UsageError(`--${option} is missing`, command);
  return value;
}

/** A whole number written in decimal digits, within bounds. */
export function wholeNumber(value: string, option: string, bounds: readonly [number, number], command: string): number {
  const number = Number(value);
  if (!/^\d{1,10}$/.test(value) || number < bounds[0] || number > bounds[1]) {
    throw new UsageError(`--${option} must be a whole number from ${String(bounds[0])} to ${String(bounds[1])}, not "${value}"`, command);
  }
  return number;
}
