// Where a relay is, and how to get there.
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { socksConnect, type Circuit, type SocksAddress } from '../../runtime/socks.ts';

/** For a connection on which nothing is received or sent. */
const TIMEOUT_MS = 120_000;

/** A relay on this machine, or at `url`; `socks`: the proxy to go through, null for none. */
export type RelayAddress =
  | { readonly socketPath: string }
  | { readonly port: number }
  | { readonly url: URL; readonly socks: SocksAddress | null };

/** Parses `unix:/path` or `http://127.0.0.1:PORT`: a relay on this machine. Null for anything else. */
export function parseAddress(text: string): RelayAddress | null {
  const path = /^unix:(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { socketPath: path };
  const port = Number(/^http:\/\/127\.0\.0\.1:(\d{1,5})\/?$/.exec(text)?.[1] ?? 0);
  return port > 0 && port < 65_536 ? { port } : null;
}

export function originOf(address: RelayAddress): string {
  return 'url' in address ? address.url.origin : 'http://localhost';
}

/** Opens a connection. @param signal destroys it, also once it is open */
export async function dial(address: RelayAddress, circuit: Circuit, signal: AbortSignal): Promise<Socket> {
  if ('socketPath' in address) return connected(connect({ path: address.socketPath, signal }));
  if ('port' in address) return connected(connect({ port: address.port, host: '127.0.0.1', signal }));
  const { url, socks } = address;
  const isTls = url.protocol === 'https:';
  const port = Number(url.port || (isTls ? 443 : 80));
  const target = { host: url.hostname, port, circuit };
  const plain =
    socks === null
      ? await connected(connect({ port, host: url.hostname, signal }))
      : withTimeout(await socksConnect(socks, target, TIMEOUT_MS, signal));
  if (!isTls) return plain;
  const servername = isIP(url.hostname) === 0 ? url.hostname : '';
  return connected(connectTls({ socket: plain, servername }), 'secureConnect');
}

async function connected<S extends Socket>(socket: S, event = 'connect'): Promise<S> {
  await once(withTimeout(socket), event);
  return socket;
}

function withTimeout<S extends Socket>(socket: S): S {
  return socket.setTimeout(TIMEOUT_MS, () => socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
}
