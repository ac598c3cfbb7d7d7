import type { Result } from '../../crypto/answer.ts';
import { ready } from '../../crypto/sodium.ts';
import { AT_ONCE_OPTION, momentsOf } from '../sending/moments.ts';
import { parcelsFrom, type FoundParcel } from '../sending/parcels.ts';
import { parseAddress, type RelayAddress } from '../sending/relay-address.ts';
import { adviceFor, EXIT_OF_VERDICT, meaningOf } from '../sending/results.ts';
import { Visit } from '../sending/visit.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import { INPUT_BYTES_MAX, readInput, tooLarge } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'operator ingest';

type Outcome = { source: string; number: number; result: Result | 'unreadable'; text: string; exitCode: number };

export const operatorIngest = defineCommand({
  name: NAME,
  summary: 'Hand in sealed parcels that came by another channel',
  usage: '[FILE…] --to ADDRESS [--at-once] [--json]',
  examples: ['support-relay operator ingest --to unix:/run/support-relay/relay/relay.sock text.txt'],
  details: `
Takes what the offline form gives (text to copy, or a saved file), or parcels as bytes: one or many, from files or from
standard input, also in the middle of a mail or a chat. Save a text in a file, or pipe it in: a terminal takes only the
beginning of what is pasted. Each parcel is handed to the relay as the form does it, with the stamp that the relay asks for,
and nothing of it is kept here. Running this again with the same input is safe: nothing arrives twice. Delete the files
afterwards, and the messages they came in: whoever finds them sees who sent something, though not what.

  --to ADDRESS  the relay: unix:/path/relay.sock or http://127.0.0.1:PORT
  --at-once     do not wait between parcels (20 seconds on average, 60 at most): parcels that come closely one after the
                other show that somebody hands in several
  --json        a line of JSON for each: source, number, result

Ends with 0 when all were accepted, with 3 when something cannot be read, is not a parcel, is damaged or was sealed too long
ago, with 69 when the relay is away or takes nothing now (run it again). A parcel that fails does not hold up the others.`,
  options: { to: { type: 'string' }, ...AT_ONCE_OPTION, json: { type: 'boolean' } },
  arguments: [0, 10_000],
  run: async (values, files, io) => {
    const address = parseAddress(required(values.to, 'to', NAME));
    if (address === null) throw new UsageError('--to must be unix:/path or http://127.0.0.1:PORT', NAME);
    if (files.length === 0 && io.stdinIsTerminal) throw cutByTerminal();
    await ready;
    const moments = momentsOf(io, values['at-once'] === true);
    const outcomes: Outcome[] = [];
    let handedIn = 0;
    for await (const { source, found } of inputs(files, io)) {
      for (const [index, each] of found.entries()) {
        if ('parcel' in each && handedIn > 0 && !(await moments())) {
          throw new CliError('INTERRUPTED', 'stopped', 'run this again with the same input: nothing arrives twice');
        }
        if ('parcel' in each) handedIn += 1;
        const outcome = { source, number: index + 1, ...(await outcomeOf(each, address)) };
        outcomes.push(outcome);
        io.out(values.json === true ? jsonLine(outcome) : `${visibleLine(source)}, parcel ${String(outcome.number)}: ${outcome.text}\n`);
      }
    }
    const exitCodes = outcomes.map(({ exitCode }) => exitCode);
    return exitCodes.includes(EXIT.unavailable) ? EXIT.unavailable : Math.max(...exitCodes);
  },
});

async function* inputs(files: readonly string[], io: Io): AsyncGenerator<{ source: string; found: FoundParcel[] }> {
  for (const file of files) yield { source: file, found: await parcelsFrom(file, () => readInput(file, 'the file')) };
  if (files.length > 0) return;
  const source = 'standard input';
  const readStdin = async (): Promise<Uint8Array> => (await io.readStdin(INPUT_BYTES_MAX)) ?? Promise.reject(tooLarge(source));
  yield { source, found: await parcelsFrom(source, readStdin) };
}

/** Linux passes on the first 4,095 characters of a line that is typed or pasted; the form gives one line of 32,768. */
function cutByTerminal(): CliError {
  return new CliError(
    'USAGE',
    'a terminal takes only the beginning of a sealed text that is pasted',
    'save the text in a file and give its name, or pipe it in',
  );
}

async function outcomeOf(found: FoundParcel, address: RelayAddress): Promise<Omit<Outcome, 'source' | 'number'>> {
  if ('problem' in found) {
    const { line, exitCode } = describeFailure(found.problem);
    return { result: 'unreadable', text: `refused: ${line}`, exitCode };
  }
  const visit = new Visit(address);
  try {
    const { difficulty } = await visit.enter();
    const { result } = difficulty === null ? { result: 'closed' as const } : await visit.handInStamped(found.parcel, difficulty);
    return { result, text: adviceFor(result), exitCode: EXIT_OF_VERDICT[meaningOf(result).verdict] };
  } finally {
    visit.leave();
  }
}

function jsonLine({ source, number, result }: Outcome): string {
  return `${visibleJson({ source, number, result })}\n`;
}
