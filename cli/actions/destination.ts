// Where a volunteer's parcels go: a relay, directly or by way of Tor, or a folder.
import { CliError, EXIT, UsageError } from '../errors.ts';
import type { Io } from '../io.ts';
import { visibleLine } from '../terminal.ts';
import { parseAddress, type RelayAddress } from './hand-in.ts';
import { postParcels, writeParcels } from './post-parcels.ts';
import { parseSocks } from './socks.ts';

export const DESTINATION_OPTIONS = { relay: { type: 'string' }, socks: { type: 'string' } } as const;

export const RELAY_HELP = `  --relay URL             http://….onion, https://…, unix:/path/relay.sock or http://127.0.0.1:PORT; an onion needs
                          --socks 127.0.0.1:9150 (while Tor Browser is open; the tor service has 9050)`;

/** A proxy does not matter to a relay on this machine; it may be there for a mail server. Errors: CliError USAGE. */
export function relayFrom(relay: string, socks: string | undefined, command: string): RelayAddress {
  const local = parseAddress(relay);
  if (local !== null) return local;
  const url = webAddress(relay);
  if (url === null) throw new UsageError('--relay must be http://….onion, https://…, unix:/path or http://127.0.0.1:PORT', command);
  const proxy = socks === undefined ? null : parseSocks(socks);
  if (socks !== undefined && proxy === null) throw new UsageError('--socks must be HOST:PORT, such as 127.0.0.1:9150', command);
  if (proxy === null && url.hostname.endsWith('.onion')) {
    throw new CliError('USAGE', 'an onion address is reached through Tor only', 'open Tor Browser and add --socks 127.0.0.1:9150 (127.0.0.1:9050 for the tor service)');
  }
  return { url, socks: proxy };
}

/** An origin alone; plain http only to an onion, which encrypts by itself. */
function webAddress(text: string): URL | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const isOrigin = url.href === `${url.origin}/`;
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname.endsWith('.onion'));
  return isOrigin && isSafe ? url : null;
}

export type Destination = { readonly relay: RelayAddress; readonly keep: string | undefined } | { readonly out: string };

type DestinationValues = Partial<Record<'relay' | 'socks' | 'keep' | 'out', string | undefined>>;

/** What `--relay`, `--socks`, `--keep` and `--out` mean together. Errors: CliError USAGE. */
export function destinationOf({ relay, socks, keep, out }: DestinationValues, command: string): Destination {
  if ((relay === undefined) === (out === undefined)) throw new UsageError('give either --relay or --out', command);
  if (relay !== undefined) return { relay: relayFrom(relay, socks, command), keep };
  if (out === undefined || out === '') throw new UsageError('--out is missing its folder', command);
  if (keep !== undefined) throw new UsageError('--keep goes with --relay', command);
  return { out };
}

/** Sends parcels or writes them down. What the relay did not take is kept where it can be sent from again. @returns the exit code */
export async function dispatch(parcels: readonly Uint8Array[], destination: Destination, io: Io): Promise<number> {
  if ('out' in destination) {
    tellWritten(await writeParcels(destination.out, parcels), io);
    return EXIT.ok;
  }
  let taken = 0;
  const named = parcels.map((parcel) => ({ name: '', parcel }));
  const { left, exitCode } = await postParcels(named, destination.relay, io, (_name, text) => {
    taken += 1;
    io.err(`Sealed letter ${String(taken)} of ${String(parcels.length)}: ${visibleLine(text)}\n`);
    // The reply comes first: no note says that somebody has answered before the answer is on its way.
  }, true);
  if (left.length === 0) {
    io.out('Sent.\n');
    return exitCode;
  }
  const keep = destination.keep ?? (io.stdinIsTerminal ? (await io.ask('Folder to keep what was not sent (empty: nothing is kept): ')).trim() : '');
  io.err(`NOT SENT: ${String(left.length)} of ${String(parcels.length)}.\n`);
  if (keep === '') io.err('Nothing was kept: run this again with the same text later; with --keep DIR or --out DIR it is written down sealed.\n');
  else tellWritten(await writeParcels(keep, left.map(({ parcel }) => parcel)), io);
  return exitCode;
}

function tellWritten(files: readonly string[], io: Io): void {
  for (const file of files) io.out(`${visibleLine(file)}\n`);
  io.err('Sealed: only the team and the person can open what is in these files. Send them within the week of the keyring:\n');
  io.err(`  support-relay send ${files.map(quoted).join(' ')} --relay URL [--socks HOST:PORT]\n`);
}

/** As a shell takes it. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${visibleLine(file).replaceAll("'", "'\\''")}'`;
}
