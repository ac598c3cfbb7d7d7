import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type SocksVisit = { user: string; password: string; host: string; port: number };

/** A name that only a proxy can resolve. */
export const ONION = `${'a'.repeat(56)}.onion`;

export type SocksBehaviour = { path?: string; unknown?: number; before?: (host: string) => Promise<unknown> };

/**
 * A minimal SOCKS5 proxy, like Tor's for its clients: accepts any password, and connects each of `names` to a local port. Others get
 * the reply `unknown` (RFC 1928 § 6). `path`: a unix socket to listen on, instead of a port. `before`: waited for before a reply.
 */
export async function startSocksServer(
  names: Readonly<Record<string, number>>,
  { path, unknown = 4, before = () => Promise.resolve() }: SocksBehaviour = {},
): Promise<{ port: number; visits: SocksVisit[]; stop: () => Promise<void> }> {
  const visits: SocksVisit[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => client.destroy());
    serve(client).catch(() => client.destroy());
  });

  async function serve(client: Socket): Promise<void> {
    const [, count = 0] = await take(client, 2);
    const methods = await take(client, count);
    client.write(Buffer.from([5, methods.includes(2) ? 2 : 0xff]));
    const user = await take(client, (await take(client, 2))[1] ?? 0);
    const password = await take(client, (await take(client, 1))[0] ?? 0);
    client.write(Buffer.from([1, 0]));
    const [, command, , type] = await take(client, 4);
    if (command !== 1 || type !== 3) throw new Error('not a connection by name');
    const host = (await take(client, (await take(client, 1))[0] ?? 0)).toString();
    const port = (await take(client, 2)).readUInt16BE();
    visits.push({ user: user.toString(), password: password.toString(), host, port });
    await before(host);
    const to = names[host];
    if (to === undefined) {
      client.end(Buffer.from([5, unknown, 0, 1, 0, 0, 0, 0, 0, 0]));
      return;
    }
    const upstream = connect(to, '127.0.0.1');
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    await once(upstream, 'connect');
    client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    client.pipe(upstream).pipe(client);
  }

  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { port: path === undefined ? (server.address() as AddressInfo).port : 0, visits, stop };
}

async function take(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    await once(socket, 'readable');
  }
}
