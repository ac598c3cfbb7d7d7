// What becomes of a volunteer's parcels once they are sealed: sent to a relay, or written to files.
import { homedir } from 'node:os';
import { CliError, EXIT } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';
import type { Destination } from '../sending/destination.ts';
import { tellSending } from '../sending/moments.ts';
import { postParcels, type PostingOutcome } from '../sending/post-parcels.ts';
import { EXIT_OF_VERDICT } from '../sending/results.ts';
import { removeSent, writeParcels } from '../sending/write-parcels.ts';

/** How many parcels the relay has taken and how many it has not, and the files of those that wait to be sent. */
export type Dispatched = { sent: number; unsent: number; files: string[]; exitCode: number };

export type DispatchOptions = {
  readonly destination: Destination;
  readonly io: Io;
  /** Standard output is kept for JSON; otherwise what became of the parcels is said there, too. */
  readonly isJson: boolean;
};

/** What is said when parcels were not sent and are in no file, by what may be with the relay. */
const NOT_KEPT = {
  // Sent once more, it would be a second answer to the same person.
  answer:
    'The answer is on its way, only your team may not know: do not answer again, ' +
    'but run support-relay claim with the same letters later.',
  unknown:
    'Nothing was kept, and the relay may have it all the same: run this again with the same text later; then it may arrive twice. ' +
    'With --keep DIR or --out DIR it is written down sealed, and never arrives twice.',
  nothing:
    'Nothing was kept: run this again with the same text later. ' +
    'With --keep DIR or --out DIR it is written down sealed, and never arrives twice.',
} as const;

/**
 * Sends parcels or writes them to files, and says which. With `keep` they are written first, and each file is removed when the
 * relay has its parcel, so that neither a kill nor a power cut loses what somebody wrote.
 */
export async function dispatch(parcels: readonly Uint8Array[], options: DispatchOptions): Promise<Dispatched> {
  const { destination, io, isJson } = options;
  if ('out' in destination) {
    const files = await written(parcels, destination.out, io);
    tellWritten(files, options);
    return { sent: 0, unsent: parcels.length, files: files.sort(), exitCode: EXIT.ok };
  }
  const kept = destination.keep === undefined ? null : await written(parcels, destination.keep, io);
  tellSending(destination, io);
  // The reply comes first: no note says that somebody has answered before the answer is on its way.
  const { verdict, left, mayHaveArrived } = await postParcels(
    parcels.map((parcel, index) => ({ parcel, number: index + 1, file: kept?.[index] })),
    { route: destination, io, isSequence: true, tell: (each, outcome) => tellPosted(each, parcels.length, outcome, io) },
  );
  const exitCode = EXIT_OF_VERDICT[verdict];
  const sent = parcels.length - left.length;
  if (left.length === 0) {
    if (!isJson) io.out('Sent.\n');
    return { sent, unsent: 0, files: [], exitCode };
  }
  io.err(`NOT SENT: ${String(left.length)} of ${String(parcels.length)}.\n`);
  const unsent = left.map(({ parcel }) => parcel);
  const files = kept === null ? await writtenWhereAsked(unsent, io) : left.flatMap(({ file }) => file ?? []);
  if (files.length > 0) tellWritten(files, options);
  else io.err(`${NOT_KEPT[withRelay(sent, mayHaveArrived)]}\n`);
  return { sent, unsent: left.length, files: files.sort(), exitCode };
}

function withRelay(sent: number, mayHaveArrived: boolean): keyof typeof NOT_KEPT {
  if (sent > 0) return 'answer';
  return mayHaveArrived ? 'unknown' : 'nothing';
}

type Kept = { readonly number: number; readonly file: string | undefined };

async function tellPosted({ number, file }: Kept, count: number, { result, text }: PostingOutcome, io: Io): Promise<void> {
  const which = `Sealed letter ${String(number)} of ${String(count)}`;
  if (result !== 'accepted') {
    io.err(`${which}: ${visibleLine(text)}\n`);
    return;
  }
  io.err(`Accepted. ${which} is with the relay.\n`);
  if (file !== undefined) await removeSent(file, io);
}

/** Writes into `folder`; when that fails, asks at a terminal for another one: the text is nowhere else. @returns the files */
async function written(parcels: readonly Uint8Array[], folder: string, io: Io): Promise<string[]> {
  try {
    return await writeParcels(folder, parcels);
  } catch (error) {
    if (!io.stdinIsTerminal) throw error;
    io.err(`support-relay: ${describeFailure(error).line}\n`);
    const files = await writtenWhereAsked(parcels, io);
    if (files.length === 0) throw error;
    return files;
  }
}

/** Asks for a folder until one can be written into. @returns the files; none when nothing is to be kept */
async function writtenWhereAsked(parcels: readonly Uint8Array[], io: Io): Promise<string[]> {
  for (let folder = await askFolder(io); folder !== ''; folder = await askFolder(io)) {
    try {
      return await writeParcels(folder, parcels);
    } catch (error) {
      io.err(`support-relay: ${describeFailure(error).line}\n`);
    }
  }
  return [];
}

/** Empty when nothing is to be kept. No shell reads what is typed, so ~ is replaced here. */
async function askFolder(io: Io): Promise<string> {
  if (!io.stdinIsTerminal) return '';
  try {
    const folder = await io.ask('Folder to keep what was not sent, sealed (empty: nothing is kept): ');
    return folder.trim().replace(/^~(?=\/|$)/, homedir());
  } catch (error) {
    if (error instanceof CliError && (error.code === 'INTERRUPTED' || error.code === 'OUTPUT_LOST')) return '';
    throw error;
  }
}

/** Names the files in the order of their names: in that of the parcels, the first would be known to be the reply. */
function tellWritten(written: readonly string[], { io, isJson }: DispatchOptions): void {
  const files = [...written].sort();
  if (!isJson) for (const file of files) io.out(`${visibleLine(file)}\n`);
  io.err('Sealed: only the team and the person can open what is in these files. Send them within the week of the keyring:\n');
  io.err(`  support-relay send ${files.map(quoted).join(' ')} --relay URL [--socks HOST:PORT]\n`);
}

/** As a shell takes it. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${visibleLine(file).replaceAll("'", "'\\''")}'`;
}
