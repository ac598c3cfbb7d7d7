import { connect, createServer, type Socket } from 'node:net';

/** A unix socket in front of Redis. */
export type CuttingSocket = {
  /** How many connections have been cut. */
  readonly cuts: number;
  close(): Promise<void>;
};

/**
 * Forwards everything to Redis, but cuts each of the first `connections` when it sends for the `nth` time, as when Redis
 * dies at that moment: the command is never answered.
 */
export async function cuttingSocket(path: string, redisPath: string, nth: number, connections: number): Promise<CuttingSocket> {
  const sockets = new Set<Socket>();
  let [opened, cuts] = [0, 0];
  const server = createServer((client) => {
    const redis = connect(redisPath);
    const end = () => {
      client.destroy();
      redis.destroy();
    };
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    opened += 1;
    const toCut = opened <= connections;
    let sent = 0;
    client.on('data', (bytes) => {
      sent += 1;
      if (!toCut || sent < nth) return void redis.write(bytes);
      cuts += 1;
      end();
    });
    redis.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    get cuts() {
      return cuts;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
