// Before something is sealed, the relay is asked for its keyring: a note should not be sealed to somebody who was taken off meanwhile.
import { fetchKeyring } from '../sending/fetch-keyring.ts';
import { takeServed } from '../keys/newer-keyring.ts';
import type { Reader } from '../reading/reader.ts';
import type { Destination } from '../sending/destination.ts';
import { RelayAway } from '../sending/visit.ts';
import { visibleLine } from '../terminal/terminal.ts';

/**
 * The reader with the keyring of the relay, where that is newer than those of its folder of keys. Where nothing is sent to a relay, there
 * is no folder, or the relay is away, the reader as it is: what is then sealed under an older keyring the relay takes, or refuses, later.
 */
export async function withNewest(reader: Reader, destination: Destination): Promise<Reader> {
  const { io, own, keyrings } = reader;
  if (own === null || keyrings === null || !('relay' in destination)) return reader;
  io.err('Asking the relay for its newest keyring (Ctrl-C goes on without it) …\n');
  try {
    const served = await fetchKeyring(destination.relay, io);
    const newer = served === null ? null : await takeServed(own.folder, served, io);
    return newer === null ? reader : { ...reader, keyrings: [...keyrings, newer] };
  } catch (error) {
    if (!(error instanceof RelayAway)) throw error;
    io.err(`The relay could not be asked for its keyring: ${visibleLine(error.message)}.\n`);
    return reader;
  }
}
