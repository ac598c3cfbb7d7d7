import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type SocksOptions = {
  timeoutMs?: number;
  /** A different word uses a different circuit (tor's IsolateSOCKSAuth). */
  isolation?: string;
  /** Ends it. */
  signal?: AbortSignal;
};

/** Connects through tor's SOCKS port (RFC 1928) on loopback; tor resolves the name. */
export async function socksConnect(
  socksPort: number,
  host: string,
  port: number,
  { timeoutMs = 30_000, isolation, signal }: SocksOptions = {},
): Promise<Socket> {
  const socket = connect({ port: socksPort, host: '127.0.0.1', signal });
  const timer = setTimeout(() => socket.destroy(new Error(`no connection to ${host} within ${String(timeoutMs)} ms`)), timeoutMs);
  try {
    await once(socket, 'connect');
    await greet(socket, isolation);
    const name = Buffer.from(host);
    socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, Buffer.from([port >> 8, port & 255])]));
    const [, reply = 0, , type] = await read(socket, 4);
    if (reply !== 0) throw new Error(`tor refused the connection: SOCKS reply 0x${reply.toString(16)}`);
    await read(socket, (type === 4 ? 16 : 4) + 2);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Given a user name, tor isolates the connection on its own circuits (RFC 1929). */
async function greet(socket: Socket, isolation?: string): Promise<void> {
  const method = isolation === undefined ? 0 : 2;
  socket.write(Buffer.from([5, 1, method]));
  const [, chosen] = await read(socket, 2);
  if (chosen !== method) throw new Error('tor did not take the SOCKS method');
  if (isolation === undefined) return;
  const user = Buffer.from(isolation);
  socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([1, 0x78])]));
  await read(socket, 2);
}

async function read(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    if (socket.readableEnded || socket.destroyed) throw socket.errored ?? new Error('tor closed the SOCKS connection');
    await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  }
}
