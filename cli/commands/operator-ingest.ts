import type { Answer, Result } from '../../crypto/answer.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { HIGHEST_DIFFICULTY } from '../../server/difficulty.ts';
import { handIn, parseAddress, type RelayAddress } from '../actions/hand-in.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import { INPUT_BYTES_MAX, readInput, tooLarge } from '../files.ts';
import type { Io } from '../io.ts';
import { parcelsIn, type Found } from '../parcels.ts';
import { visibleJson, visibleLine } from '../terminal.ts';

const NAME = 'operator ingest';

/** What the relay said, in words, and whether the same parcel may be taken at another time. */
const MEANING: Record<Result, { text: string; exitCode: number }> = {
  accepted: { text: 'accepted, or accepted before', exitCode: EXIT.ok },
  version: { text: 'refused: of another version of the protocol', exitCode: EXIT.input },
  sealed: { text: 'refused: damaged', exitCode: EXIT.input },
  serial: { text: 'refused: sealed under a keyring that is no longer, or not yet, in use', exitCode: EXIT.input },
  stamp: { text: 'not now: the relay asks for an ever dearer stamp; run this again later', exitCode: EXIT.unavailable },
  full: { text: 'not now: the pool is full; run this again later', exitCode: EXIT.unavailable },
  away: { text: 'not now: the relay cannot store; run this again', exitCode: EXIT.unavailable },
  closed: { text: 'not now: the door is closed; run this again when it is open', exitCode: EXIT.unavailable },
};

type Outcome = { source: string; number: number; result: Result | 'unreadable'; text: string; exitCode: number };

export const operatorIngest = defineCommand({
  name: NAME,
  summary: 'Hand in sealed parcels that came by another channel',
  usage: '[FILE…] --to ADDRESS [--json]',
  details: `
Takes what the offline form gives (text to copy, or a saved file), or parcels as bytes: one or many, from files or from
standard input, also from the middle of a mail or a chat. Save a text in a file, or pipe it in: a terminal takes only the
beginning of what is pasted. Each parcel is handed to the relay as the form does it, with a dearer stamp if the relay asks
for one, and nothing of it is kept here. Running it again with the same input is safe: nothing arrives twice. Delete the
files afterwards, and the messages they came in: whoever finds them sees who sent something, though not what.

  --to ADDRESS  the relay: unix:/path/relay.sock or http://127.0.0.1:PORT
  --json        a line of JSON for each: source, number, result

Ends with 0 when all were accepted, 3 when something cannot be read, is no parcel, damaged or sealed too long ago, 69 when
the relay is away or takes nothing at present (run it again). What can be handed in is, whatever becomes of the rest.

Example: support-relay operator ingest --to unix:/run/support-relay/relay.sock text.txt`,
  options: { to: { type: 'string' }, json: { type: 'boolean' } },
  arguments: [0, 10_000],
  run: async (values, files, io) => {
    const address = parseAddress(required(values.to, 'to', NAME));
    if (address === null) throw new UsageError('--to must be unix:/path or http://127.0.0.1:PORT', NAME);
    if (files.length === 0 && io.stdinIsTerminal) throw cutByTerminal();
    await ready;
    const outcomes: Outcome[] = [];
    for await (const { source, found } of inputs(files, io)) {
      for (const [index, each] of found.entries()) {
        const outcome = { source, number: index + 1, ...(await outcomeOf(each, address)) };
        outcomes.push(outcome);
        io.out(values.json === true ? jsonLine(outcome) : `${visibleLine(source)}, parcel ${String(outcome.number)}: ${outcome.text}\n`);
      }
    }
    return outcomes.some(({ exitCode }) => exitCode === EXIT.unavailable) ? EXIT.unavailable : Math.max(...outcomes.map(({ exitCode }) => exitCode));
  },
});

async function* inputs(files: readonly string[], io: Io): AsyncGenerator<{ source: string; found: Found[] }> {
  for (const file of files) yield { source: file, found: await foundIn(file, () => readInput(file, 'the file')) };
  if (files.length > 0) return;
  const source = 'standard input';
  yield { source, found: await foundIn(source, async () => (await io.readStdin(INPUT_BYTES_MAX)) ?? Promise.reject(tooLarge(source))) };
}

/** What cannot be read is a problem of its own: the sources after it are handed in all the same. */
async function foundIn(source: string, read: () => Promise<Uint8Array>): Promise<Found[]> {
  try {
    const found = parcelsIn(await read());
    return found.length > 0 ? found : [{ problem: nothingIn(source) }];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ problem: error }];
  }
}

function nothingIn(source: string): CliError {
  return new CliError('INPUT_FORMAT', `there is no sealed parcel in ${source}`, 'give the whole text, from its first character to its last');
}

/** Linux passes on 4,095 characters of a line that is typed or pasted; the form gives one line of 32,768. */
function cutByTerminal(): CliError {
  return new CliError('USAGE', 'a terminal takes only the beginning of a sealed text that is pasted', 'save the text in a file and give its name, or pipe it in');
}

async function outcomeOf(found: Found, address: RelayAddress): Promise<Omit<Outcome, 'source' | 'number'>> {
  if ('problem' in found) {
    const { line, exitCode } = describeFailure(found.problem);
    return { result: 'unreadable', text: `refused: ${line}`, exitCode };
  }
  const { result } = await handInStamped(found.parcel, address);
  return { result, ...MEANING[result] };
}

/** The offline form cannot ask what a stamp costs; the nonce is no part of the parcel's id, so that it can be paid here. */
async function handInStamped(parcel: Uint8Array, address: RelayAddress): Promise<Answer> {
  const answer = await handIn(parcel, address);
  if (answer.result !== 'stamp' || answer.difficulty > HIGHEST_DIFFICULTY) return answer;
  return handIn(stampParcel(parcel, answer.difficulty), address);
}

function jsonLine({ source, number, result }: Outcome): string {
  return `${visibleJson({ source, number, result })}\n`;
}
