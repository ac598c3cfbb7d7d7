import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { closest } from './closest.ts';
import { UsageError } from './errors.ts';
import type { Io } from './terminal/io.ts';

type ParseArgsOptionsConfig = NonNullable<ParseArgsConfig['options']>;

/** One command: its name, what `--help` says, and what it does. `run` returns the exit code. */
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
  /** One or two common uses, as they are typed; the first begins with `support-relay`. */
  examples: readonly [string, string?];
  /** The options, and whatever else there is to say. */
  details: string;
  options: Options;
  /** How many positional arguments it takes: least and most. None if left out. */
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
    throw new UsageError(wordingOf(error, Object.keys(options)), name);
  }
}

/** What parseArgs complains about, in our words: its own are meant for programmers. */
function wordingOf(error: unknown, names: readonly string[]): string {
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

/** The first name in capitals that is not an option's value: "PATH" in "--identity FILE PATH…". */
function nameOfArgument(usage: string): string {
  const alone = usage
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\([^)]*\)/g, ' ')
    .replace(/--[\w-]+(?: [A-Z]+)?/g, ' ');
  return /[A-Z]{2,}(?:\|[A-Z]+)?/.exec(alone)?.[0].replace('|', ' or ') ?? 'an argument';
}

/** Throws USAGE when the option is missing or empty. */
export function required(value: string | undefined, option: string, command: string): string {
  if (value === undefined || value === '') throw new UsageError(`--${option} is missing`, command);
  return value;
}

/** Throws USAGE unless `value` is a whole number in decimal digits, within bounds that are included. */
export function wholeNumber(value: string, option: string, bounds: readonly [number, number], command: string): number {
  const number = Number(value);
  if (!/^\d{1,10}$/.test(value) || number < bounds[0] || number > bounds[1]) {
    throw new UsageError(`--${option} must be a whole number from ${String(bounds[0])} to ${String(bounds[1])}, not "${value}"`, command);
  }
  return number;
}
