// The way to a mail server: through Tor, where there is a SOCKS port, so that the server does not learn where this machine is, and
// whoever watches this machine's network does not learn who reads.
import type { Socket } from 'node:net';
import { newCircuit, socksConnect, type SocksAddress } from '../../runtime/socks.ts';

export type Way = { readonly host: string; readonly via?: 'tor' | 'direct' | undefined };

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/;
/** As long as tor itself looks for a circuit that can (SocksTimeout). */
const TOR_CONNECT_MS = 120_000;
/** For the TLS handshake, over a circuit that stands by then. */
const TOR_TLS_MS = 30_000;

export const isLoopback = (host: string): boolean => LOOPBACK.test(host);
export const isOnion = (host: string): boolean => /\.onion\.?$/i.test(host);

/** Whether there is no other way. */
export function needsTor({ host, via }: Way): boolean {
  return via === 'tor' || isOnion(host);
}

export function viaTor({ host, via }: Way, tor: SocksAddress | null): tor is SocksAddress {
  return tor !== null && via !== 'direct' && !isLoopback(host);
}

type GetSocket = (options: unknown, callback: (error: Error | null, connected?: { connection: Socket }) => void) => void;

/**
 * nodemailer's settings. Tor resolves the name: nothing is asked on this machine's network. Each connection has a circuit of its own,
 * so that no exit sees that two inboxes have to do with each other, and one that a provider blocks is left at the next attempt.
 */
export function throughTor(tor: SocksAddress, server: { host: string; port: number }): { connectionTimeout: number; getSocket: GetSocket } {
  return {
    connectionTimeout: TOR_CONNECT_MS + TOR_TLS_MS,
    getSocket: (_options, callback) => {
      socksConnect(tor, { ...server, circuit: newCircuit() }, TOR_CONNECT_MS).then(
        (connection) => callback(null, { connection }),
        (error: Error) => callback(error),
      );
    },
  };
}
