import { CliError } from '../errors.ts';

export function onionWithoutProxy(): CliError {
  return new CliError(
    'USAGE',
    'an onion address is reached through Tor only',
    'open Tor Browser and add --socks 127.0.0.1:9150 (127.0.0.1:9050 for the tor service)',
  );
}
