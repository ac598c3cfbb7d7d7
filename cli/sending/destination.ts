// Where a volunteer's parcels go: to a relay, directly or through Tor, or into a folder.
import { UsageError } from '../errors.ts';
import { AT_ONCE_OPTION } from './moments.ts';
import { parseAddress, type RelayAddress } from './relay-address.ts';
import type { Route } from './post-parcels.ts';
import { onionWithoutProxy } from '../net/proxy.ts';
import { parseSocks } from '../../runtime/socks.ts';

export const DESTINATION_OPTIONS = { relay: { type: 'string' }, socks: { type: 'string' }, ...AT_ONCE_OPTION } as const;

export const RELAY_HELP = `  --relay URL             http://….onion, https://…, unix:/path/relay.sock or http://127.0.0.1:PORT. An onion
                          needs --socks 127.0.0.1:9150 (while Tor Browser is open; the tor service has 9050)
  --at-once               send without waiting for random moments as the page does (20 seconds for each parcel on average,
                          60 at most): whoever sees connections to the relay can then tell that this is not a visitor`;

/**
 * The relay that `--relay` names, reached through `--socks` where that is given. For a relay on this machine the proxy is
 * ignored: it may be meant for a mail server. Throws USAGE when either is not an address, or an onion comes without a proxy.
 */
export function relayFrom(relay: string, socks: string | undefined, command: string, name = '--relay'): RelayAddress {
  const local = parseAddress(relay);
  if (local !== null) return local;
  const url = webAddress(relay);
  if (url === null) {
    throw new UsageError(`${name} must be http://….onion, https://…, unix:/path or http://127.0.0.1:PORT`, command);
  }
  const proxy = socks === undefined ? null : parseSocks(socks);
  if (socks !== undefined && proxy === null) {
    throw new UsageError('--socks must be HOST:PORT, such as 127.0.0.1:9150', command);
  }
  if (proxy === null && url.hostname.endsWith('.onion')) throw onionWithoutProxy();
  return { url, socks: proxy };
}

/** An origin and nothing more; plain http only to an onion, which encrypts by itself. Null for anything else. */
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

export type Destination = (Route & { readonly keep: string | undefined }) | { readonly out: string };

type DestinationValues = Partial<Record<'relay' | 'socks' | 'keep' | 'out', string | undefined>> & { 'at-once'?: boolean | undefined };

/** What `--relay`, `--socks`, `--keep` and `--out` mean together. Throws USAGE when one is wrong, or they contradict each other. */
export function destinationOf({ relay, socks, keep, out, 'at-once': atOnce = false }: DestinationValues, command: string): Destination {
  if ((relay === undefined) === (out === undefined)) throw new UsageError('give either --relay or --out', command);
  if (keep === '') throw new UsageError('--keep is missing its folder', command);
  if (relay !== undefined) return { relay: relayFrom(relay, socks, command), atOnce, keep };
  if (out === undefined || out === '') throw new UsageError('--out is missing its folder', command);
  if (keep !== undefined) throw new UsageError('--keep goes with --relay', command);
  return { out };
}
