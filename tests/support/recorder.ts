import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One HTTP message, byte by byte. */
export type Message = { readonly head: string; readonly body: Buffer };
export type Exchange = { readonly up: Message; readonly down: Message };

type Connection = { readonly up: Buffer[]; readonly down: Buffer[] };

/** A proxy between browser and relay that forwards and records every byte, like an observer of that line. */
export class Recorder {
  readonly #server: Server;
  readonly #connections: Connection[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, reach: () => Socket) {
    this.#server = server;
    server.on('connection', (client: Socket) => this.#pass(client, reach()));
  }

  /** Listens as the relay does: on its own port, or on a unix socket beside the relay's. */
  static async start(target: { url: string } | { socket: string }): Promise<Recorder> {
    // Each side closes when it wants, as without a proxy.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    if ('socket' in target) server.listen(`${target.socket}.recorded`);
    else server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Recorder(server, () => {
      if ('socket' in target) return connect({ path: target.socket, allowHalfOpen: true });
      const { hostname, port } = new URL(target.url);
      return connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/`;
  }

  get socket(): string {
    return String(this.#server.address());
  }

  /** The exchanges complete so far that begin with this, for example "POST /parcel ". */
  exchanges(start: string): Exchange[] {
    const all = this.#connections.flatMap(({ up, down }) => {
      const asked = messages(Buffer.concat(up));
      return messages(Buffer.concat(down)).flatMap((answer, index) => {
        const question = asked[index];
        return question === undefined ? [] : [{ up: question, down: answer }];
      });
    });
    return all.filter(({ up }) => up.head.startsWith(start));
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(client: Socket, relay: Socket): void {
    const connection: Connection = { up: [], down: [] };
    this.#connections.push(connection);
    for (const [from, to, kept] of [
      [client, relay, connection.up],
      [relay, client, connection.down],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        kept.push(chunk);
        to.write(chunk);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => this.#sockets.delete(from));
    }
  }
}

/** Splits a stream of HTTP/1.1 into messages; an incomplete one is left out. */
function messages(bytes: Buffer): Message[] {
  const found: Message[] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return found;
    const head = bytes.subarray(at, end + 4).toString('latin1');
    if (/^transfer-encoding:/im.test(head)) throw new Error('a message without a length');
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (bytes.length < end + 4 + length) return found;
    found.push({ head, body: bytes.subarray(end + 4, end + 4 + length) });
    at = end + 4 + length;
  }
}
