import { closest } from './closest.ts';
import { COMMANDS } from './commands.ts';
import { describeFailure } from './failure.ts';
import { overview } from './overview.ts';
import { EXIT, UsageError } from './errors.ts';
import type { Io } from './terminal/io.ts';
import type { Command } from './command.ts';
import { VERSION } from '../runtime/version.ts';

/** Runs `support-relay` with these arguments. @returns the exit code; every failure becomes one line on standard error */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  try {
    if (argv.length === 0) {
      io.err(overview());
      return EXIT.usage;
    }
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === 'version')) {
      io.out(`support-relay ${VERSION}\n`);
      return EXIT.ok;
    }
    if (argv[0] === '--help' || argv[0] === '-h' || argv[0] === 'help') {
      const [, ...name] = argv;
      io.out(name.length === 0 ? overview() : find(name).command.help);
      return EXIT.ok;
    }
    const { command, rest } = find(argv);
    if (asksForHelp(rest)) {
      io.out(command.help);
      return EXIT.ok;
    }
    return await command.run(rest, io);
  } catch (error) {
    const { line, exitCode } = describeFailure(error);
    io.err(`support-relay: ${line}\n`);
    return exitCode;
  }
}

/** Finds a command, whose name is one argument (`open`) or two (`admin season`). Throws USAGE, with what may have been meant. */
function find(argv: readonly string[]): { command: Command; rest: readonly string[] } {
  for (const length of [2, 1]) {
    const command = COMMANDS.find(({ name }) => name === argv.slice(0, length).join(' '));
    if (command !== undefined) return { command, rest: argv.slice(length) };
  }
  const [first = '', second = ''] = argv;
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name.split(' ')[1] ?? '');
  if (group.length > 0) {
    const meant = closest(second, group);
    const hint = meant === null ? '' : `; did you mean ${first} ${meant}?`;
    throw new UsageError(`"${first}" needs one of: ${group.join(', ')}${hint}`);
  }
  const names = COMMANDS.map(({ name }) => name);
  const typed = argv.slice(0, 2).filter((argument) => !argument.startsWith('-'));
  const meant = closest(typed.join(' '), names) ?? closest(typed[0] ?? '', names);
  throw new UsageError(`there is no command "${first}"${meant === null ? '' : `; did you mean ${meant}?`}`);
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}
