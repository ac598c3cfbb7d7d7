import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { shuffled } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import { DESTINATION_OPTIONS, RELAY_HELP, relayFrom } from '../sending/destination.ts';
import { tellSending } from '../sending/moments.ts';
import { parcelsFrom } from '../sending/parcels.ts';
import { postParcels, type PostingOutcome } from '../sending/post-parcels.ts';
import { EXIT_OF_VERDICT } from '../sending/results.ts';
import { folderFrom } from '../keys/believed.ts';
import { takingInto } from '../keys/newer-keyring.ts';
import { removeSent } from '../sending/write-parcels.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import { readInput, reason } from '../files.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'send';

export const send = defineCommand({
  name: NAME,
  summary: 'Send sealed parcels that were written to files before',
  usage: 'DIR|FILE… --relay URL [--socks HOST:PORT] [--at-once] [--delete] [--keys DIR] [--json]',
  examples: ['support-relay send ~/answers --relay http://….onion --socks 127.0.0.1:9150 --delete'],
  details: `
Takes what reply, claim and handover wrote with --out or --keep, or what the offline form gives: files, or every .txt in a
folder. The parcels are sent in random order, each over a connection of its own; when the relay takes nothing now, the
command waits a little and tries again. Sending the same file again is safe: nothing arrives twice. Whoever finds the files
sees that something was answered, though not what: give --delete, or delete them yourself.

${RELAY_HELP}
  --socks HOST:PORT       through this SOCKS 5 proxy, such as Tor's; the name is resolved there
  --delete                delete each file once everything in it has been accepted
  --keys DIR              your folder of keys, keys if it is here: a newer keyring of the relay is put into it, no passphrase
  --json                  a line of JSON for each: source, number, result

Ends with 0 when all were accepted, with 3 when something cannot be read, is not a parcel, is damaged or was sealed too long
ago, with 69 when the relay is away or takes nothing now (run it again).`,
  options: { ...DESTINATION_OPTIONS, delete: { type: 'boolean' }, keys: { type: 'string' }, json: { type: 'boolean' } },
  arguments: [1, 10_000],
  run: async (values, paths, io) => {
    const relay = relayFrom(required(values.relay, 'relay', NAME), values.socks, NAME);
    const folder = await folderFrom({ keys: values.keys }, NAME);
    await ready;
    const files = (await Promise.all(paths.map(filesOf))).flat();
    const tell = (at: Place, result: PostingOutcome['result'] | 'unreadable', text: string): void => {
      io.out(
        values.json === true ? jsonLine(at, result) : `${visibleLine(at.source)}, parcel ${String(at.number)}: ${visibleLine(text)}\n`,
      );
    };
    const { parcels, problems } = await parcelsInFiles(files);
    for (const { problem, ...at } of problems) tell(at, 'unreadable', `refused: ${describeFailure(problem).line}`);
    const route = { relay, atOnce: values['at-once'] === true };
    tellSending(route, io);
    const { verdict, left } = await postParcels(shuffled(parcels), {
      route,
      io,
      tell: (at, { result, text }) => tell(at, result, text),
      onKeyring: folder === undefined ? undefined : takingInto(folder, io),
    });
    if (values.delete === true) {
      const kept = new Set([...problems, ...left].map(({ source }) => source));
      for (const file of new Set(files)) if (!kept.has(file)) await removeSent(file, io);
    }
    if (verdict === 'not-now') {
      io.err(`NOT SENT: ${String(left.length)} of ${String(parcels.length)}. Their files are as they were: run this again later.\n`);
    }
    return verdict === 'accepted' && problems.length > 0 ? EXIT.input : EXIT_OF_VERDICT[verdict];
  },
});

/** Which parcel of which file, counted from 1. */
type Place = { readonly source: string; readonly number: number };
type SourceParcels = { parcels: (Place & { readonly parcel: Uint8Array })[]; problems: (Place & { readonly problem: Error })[] };

async function parcelsInFiles(files: readonly string[]): Promise<SourceParcels> {
  const read: SourceParcels = { parcels: [], problems: [] };
  for (const source of files) {
    for (const [index, found] of (await parcelsFrom(source, () => readInput(source, 'the file'))).entries()) {
      const place = { source, number: index + 1 };
      if ('parcel' in found) read.parcels.push({ ...place, parcel: found.parcel });
      else read.problems.push({ ...place, problem: found.problem });
    }
  }
  return read;
}

function jsonLine({ source, number }: Place, result: PostingOutcome['result'] | 'unreadable'): string {
  return `${visibleJson({ source, number, result })}\n`;
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => name.endsWith('.txt')).sort();
    if (names.length > 0) return names.map((name) => join(path, name));
  } catch (error) {
    throw new CliError('INPUT_MISSING', `cannot read ${path}: ${reason(error)}`, 'check the name');
  }
  throw new CliError('INPUT_FORMAT', `there is nothing to send in ${path}`, 'give the folder that --out or --keep named');
}
