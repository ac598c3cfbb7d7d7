// Connections through Tor's SOCKS port: RFC 1928, and RFC 1929 so that each can have a circuit of its own.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { randomBytes, toHex } from '../crypto/bytes.ts';

export type SocksAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** A user name and a password whose only use is to tell Tor which connections may share a circuit. */
export type Circuit = { readonly user: string; readonly password: string };
export type SocksTarget = { readonly host: string; readonly port: number; readonly circuit: Circuit };

const VERSION = 5;
const PASSWORD_VERSION = 1;
const WITH_PASSWORD = 2;
const CONNECT = 1;
const BY_NAME = 3;
const IPV6 = 4;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const PORT_BYTES = 2;
const ISOLATION_BYTES = 16;

/** Why there is no connection, as the log and the status say it. */
export type SocksFailure =
  /** Nothing listens at the address of the proxy, or it hung up. */
  | 'tor-away'
  /** What listens there is no SOCKS port, or takes no circuit of our own. */
  | 'tor-unlike'
  /** No connection in time: Tor has no network yet, or the server does not answer. */
  | 'tor-slow'
  /** Neither Tor nor any exit may connect there. */
  | 'tor-refused'
  /** Nobody knows the name of the server. */
  | 'tor-unresolved'
  /** Nothing listens at that port of the server. */
  | 'tor-connection-refused'
  /** An onion service is not there. */
  | 'tor-onion'
  /** It is there, and lets in only those who have a key. */
  | 'tor-locked'
  | 'tor-failed';

/** Replies of RFC 1928 § 6, as tor uses them (socks-extensions of tor's specifications). */
const FAILURES: ReadonlyMap<number, SocksFailure> = new Map<number, SocksFailure>([
  [2, 'tor-refused'],
  [4, 'tor-unresolved'],
  [5, 'tor-connection-refused'],
  [6, 'tor-slow'],
  [0xf4, 'tor-locked'],
  [0xf5, 'tor-locked'],
]);
/** From here on tor's own replies, with the flag ExtendedErrors: all are about onion services. */
const FIRST_ONION_REPLY = 0xf0;

/** `message` is text for people. */
export class SocksError extends Error {
  readonly code: SocksFailure;

  constructor(code: SocksFailure, message: string) {
    super(message);
    this.name = 'SocksError';
    this.code = code;
  }
}

/** Parses an address such as `127.0.0.1:9150` or `unix:/run/tor/socks`; null for anything else. */
export function parseSocks(text: string): SocksAddress | null {
  const path = /^unix:(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { path };
  const [, host = '', digits = ''] = /^([A-Za-z0-9.-]{1,253}):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return host !== '' && port > 0 && port < 65_536 ? { host, port } : null;
}

export function newCircuit(): Circuit {
  const random = (): string => toHex(randomBytes(ISOLATION_BYTES));
  return { user: random(), password: random() };
}

/**
 * Connects through the proxy, which also resolves the name, so that nobody else learns of it. Tor puts connections with different
 * passwords on different circuits. Throws SocksError when the proxy refuses, or there is no connection within `timeoutMs`.
 */
export async function socksConnect(
  proxy: SocksAddress,
  { host, port, circuit }: SocksTarget,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Socket> {
  const socket = connect({ ...proxy, signal });
  // One time for all of it: a proxy that gives a byte now and then is as slow as one that gives none.
  const late = setTimeout(() => socket.destroy(new SocksError('tor-slow', 'no answer in time through the proxy')), timeoutMs);
  // An error without a listener would end the program; the read that is waiting fails with it.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect').catch(() => {
      throw new SocksError('tor-away', `there is no SOCKS proxy at ${nameOf(proxy)} (is Tor running?)`);
    });
    await authenticate(socket, circuit);
    const name = Buffer.from(host);
    socket.write(Buffer.concat([Buffer.from([VERSION, CONNECT, 0, BY_NAME, name.length]), name, Buffer.from([port >> 8, port & 0xff])]));
    const [, reply = 0, , type] = await read(socket, 4);
    if (reply !== 0) throw new SocksError(failureOf(reply), `the proxy cannot reach it (SOCKS reply ${String(reply)})`);
    await read(socket, (await addressLength(socket, type)) + PORT_BYTES);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

function nameOf(proxy: SocksAddress): string {
  return 'path' in proxy ? proxy.path : `${proxy.host}:${String(proxy.port)}`;
}

function failureOf(reply: number): SocksFailure {
  return FAILURES.get(reply) ?? (reply >= FIRST_ONION_REPLY ? 'tor-onion' : 'tor-failed');
}

/** Bytes of the address in the proxy's reply, RFC 1928 § 6: a name has its length before it. */
async function addressLength(socket: Socket, type: number | undefined): Promise<number> {
  if (type === BY_NAME) return (await read(socket, 1))[0] ?? 0;
  return type === IPV6 ? IPV6_BYTES : IPV4_BYTES;
}

async function authenticate(socket: Socket, circuit: Circuit): Promise<void> {
  socket.write(Buffer.from([VERSION, 1, WITH_PASSWORD]));
  const [version, method] = await read(socket, 2);
  if (version !== VERSION || method !== WITH_PASSWORD) {
    throw new SocksError('tor-unlike', 'what answers there is not the SOCKS port of Tor');
  }
  const user = Buffer.from(circuit.user);
  const password = Buffer.from(circuit.password);
  socket.write(Buffer.concat([Buffer.from([PASSWORD_VERSION, user.length]), user, Buffer.from([password.length]), password]));
  const [, refused] = await read(socket, 2);
  if (refused !== 0) throw new SocksError('tor-unlike', 'the proxy does not let us in');
}

/** Keeps one listener until all bytes are there: one that is added while some are would be called for those, again and again. */
function read(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const attempt = (): void => {
      const bytes = socket.read(length) as Buffer | null;
      if (bytes === null && !socket.readableEnded && !socket.destroyed) return;
      socket.off('readable', attempt).off('close', attempt);
      if (bytes?.length === length) resolve(bytes);
      else reject(socket.errored ?? new SocksError('tor-away', 'the proxy closed the connection'));
    };
    socket.on('readable', attempt).on('close', attempt);
    attempt();
  });
}
