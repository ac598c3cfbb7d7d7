import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, brotliDecompressSync } from 'node:zlib';

/** `body`: unpacked. Headers are pairs, as they are sent. */
export type Served = { status: number; headers: [string, string][]; body: Buffer };
/** Changes an answer in place. `headers`: of the request, names in lower case. */
export type Tamper = (served: Served, path: string, headers: Readonly<Record<string, string | string[] | undefined>>) => void;

/** Of one connection each, so they are not handed on. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'content-length', 'content-encoding', 'transfer-encoding']);

/** A dishonest machine before a real relay. Without a `tamper` everything passes as it is, packed as it was asked for. */
export class TamperingProxy {
  tamper: Tamper | null = null;
  readonly port: number;
  readonly #target: string;
  readonly #server: Server;

  private constructor(target: string, server: Server) {
    this.#target = target;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (incoming, response) => {
      response.sendDate = false;
      this.#serve(incoming)
        .then(({ status, headers, body }) => response.writeHead(status, headers.flat()).end(body))
        .catch(() => response.destroy());
    });
  }

  static async start(target: string): Promise<TamperingProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TamperingProxy(target, server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage): Promise<Served> {
    const outgoing = request(new URL(incoming.url ?? '/', this.#target), { headers: incoming.headers, agent: false });
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const packed = Buffer.concat(chunks);
    const encoding = answer.headers['content-encoding'];
    const raw = answer.rawHeaders;
    const headers = Array.from({ length: raw.length / 2 }, (_, at): [string, string] => [raw[2 * at] ?? '', raw[2 * at + 1] ?? '']);
    const kept = headers.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()));
    const unpacked = encoding === 'gzip' ? gunzipSync(packed) : encoding === 'br' ? brotliDecompressSync(packed) : packed;
    const served: Served = { status: answer.statusCode ?? 0, headers: [...kept], body: unpacked };
    this.tamper?.(served, incoming.url ?? '/', incoming.headers);
    const isSame = served.body === unpacked;
    const body = isSame ? packed : served.body;
    if (isSame && encoding !== undefined) served.headers.push(['Content-Encoding', encoding]);
    served.headers.push(['Content-Length', String(body.length)]);
    return { ...served, body };
  }
}
