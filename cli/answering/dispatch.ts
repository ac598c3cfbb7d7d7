// What becomes of a volunteer's parcels once they are sealed.
import { homedir } from 'node:os';
import { CliError, EXIT } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';
import type { Destination } from '../sending/destination.ts';
import { tellSending } from '../sending/moments.ts';
import { postParcels } from '../sending/post-parcels.ts';
import { removeSent, writeParcels } from '../sending/write-parcels.ts';

/** What became of parcels: how many the relay has taken and how many it has not, and the files of those that wait to be sent. */
export type Dispatched = { sent: number; unsent: number; files: string[]; exitCode: number };

/**
 * Sends parcels or writes them down, and says so; on standard output only when `isPlain`. With `keep` they are written down first and each is removed when the relay has it, so
 * that neither a kill nor a power cut loses what somebody wrote.
 */
export async function dispatch(parcels: readonly Uint8Array[], destination: Destination, io: Io, isPlain: boolean): Promise<Dispatched> {
  if ('out' in destination) {
    const files = tellWritten(await written(parcels, destination.out, io), io, isPlain);
    return { sent: 0, unsent: parcels.length, files, exitCode: EXIT.ok };
  }
  const kept = destination.keep === undefined ? null : await written(parcels, destination.keep, io);
  const named = parcels.map((parcel, index) => ({ parcel, number: index + 1, file: kept?.[index] }));
  tellSending(destination, io);
  // The reply comes first: no note says that somebody has answered before the answer is on its way.
  const { left, exitCode, mayHaveArrived } = await postParcels(
    named,
    destination,
    io,
    async ({ number, file }, { result, text }) => {
      const [isAccepted, which] = [result === 'accepted', `Sealed letter ${String(number)} of ${String(parcels.length)}`];
      io.err(isAccepted ? `Accepted. ${which} is with the relay.\n` : `${which}: ${visibleLine(text)}\n`);
      if (isAccepted && file !== undefined) await removeSent(file, io);
    },
    true,
  );
  if (left.length === 0) {
    if (isPlain) io.out('Sent.\n');
    return { sent: parcels.length, unsent: 0, files: [], exitCode };
  }
  io.err(`NOT SENT: ${String(left.length)} of ${String(parcels.length)}.\n`);
  const files =
    kept === null
      ? await writtenWhereAsked(
          left.map(({ parcel }) => parcel),
          io,
        )
      : left.flatMap(({ file }) => file ?? []);
  if (files.length > 0) tellWritten(files, io, isPlain);
  // Sent anew, it would be a second answer to the same person.
  else if (left.length < parcels.length)
    io.err(
      'The answer is on its way, only your team may not know: do not answer again, but run support-relay claim with the same letters later.\n',
    );
  else
    io.err(
      `${mayHaveArrived ? 'Nothing was kept, and the relay may have it all the same: run this again with the same text later; then it may arrive twice.' : 'Nothing was kept: run this again with the same text later.'} With --keep DIR or --out DIR it is written down sealed, and never arrives twice.\n`,
    );
  return { sent: parcels.length - left.length, unsent: left.length, files: files.sort(), exitCode };
}

/** At a terminal, another folder is asked for when there is no writing into this one: the text is nowhere else. */
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

/** None when nothing is to be kept. */
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

/** Empty when nothing is to be kept. No shell reads it, so that ~ has to be understood here. */
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

/** By name: in the order of the parcels, the reply would be known by standing first. */
function tellWritten(written: readonly string[], io: Io, isPlain: boolean): string[] {
  const files = [...written].sort();
  if (isPlain) for (const file of files) io.out(`${visibleLine(file)}\n`);
  io.err('Sealed: only the team and the person can open what is in these files. Send them within the week of the keyring:\n');
  io.err(`  support-relay send ${files.map(quoted).join(' ')} --relay URL [--socks HOST:PORT]\n`);
  return files;
}

/** As a shell takes it. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${visibleLine(file).replaceAll("'", "'\\''")}'`;
}
