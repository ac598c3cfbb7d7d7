import packageFile from '../package.json' with { type: 'json' };
import { closest } from './closest.ts';
import { COMMANDS } from './commands.ts';
import { describeFailure } from './failure.ts';
import { overview } from './overview.ts';
import { EXIT, UsageError } from './errors.ts';
import type { Io } from './terminal/io.ts';
import type { Command } from './command.ts';

const VERSION = packageFile.version;

/** Runs `support-relay` with these arguments and answers the exit code; every failure becomes one line on stderr. */
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
      const [, ...words] = argv;
      io.out(words.length === 0 ? overview() : find(words).command.help);
      return EXIT.ok;
    }
    const { command, rest } = find(argv);
    if (helpAsked(rest)) {
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

/** A command's name is one word (`open`) or two (`admin keyring`). */
function find(argv: readonly string[]): { command: Command; rest: readonly string[] } {
  for (const words of [2, 1]) {
    const command = COMMANDS.find((candidate) => candidate.name === argv.slice(0, words).join(' '));
    if (command !== undefined) return { command, rest: argv.slice(words) };
  }
  const group = COMMANDS.filter((command) => command.name.startsWith(`${argv[0] ?? ''} `));
  if (group.length > 0) {
    const names = group.map((command) => command.name.split(' ')[1] ?? '');
    const meant = closest(argv[1] ?? '', names);
    throw new UsageError(
      `"${argv[0] ?? ''}" needs one of: ${names.join(', ')}${meant === null ? '' : `; did you mean ${argv[0] ?? ''} ${meant}?`}`,
    );
  }
  const typed = argv.slice(0, 2).filter((word) => !word.startsWith('-'));
  const meant = [typed.join(' '), typed[0] ?? '']
    .map((words) =>
      closest(
        words,
        COMMANDS.map(({ name }) => name),
      ),
    )
    .find((name) => name !== null);
  throw new UsageError(`there is no command "${argv[0] ?? ''}"${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

function helpAsked(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}
