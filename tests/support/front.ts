import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { http } from './http.ts';

export type Exchange = {
  method: string;
  path: string;
  body: Uint8Array;
  /** As they came, in order. */
  headers: string;
};
type Headers = Awaited<ReturnType<typeof http>>['headers'];
export type Rule = (exchange: Exchange, response: ServerResponse) => void | Promise<void>;

/**
 * A proxy before a real relay that can misbehave for it: delay, cut off or replace its answers. Whatever has no
 * rule passes through unchanged, headers included.
 */
export class Front {
  readonly url: string;
  readonly seen: Exchange[] = [];
  readonly rules = new Map<string, Rule>();
  readonly #target: string;
  readonly #server;

  private constructor(target: string, server: ReturnType<typeof createServer>) {
    this.#target = target;
    this.#server = server;
    this.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(target: string): Promise<Front> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Front(target, server);
  }

  /** The parcels that were posted, in order. */
  parcels(): Uint8Array[] {
    return this.seen.filter(({ path }) => path === '/parcel').map(({ body }) => body);
  }

  reset(): void {
    this.rules.clear();
    this.seen.length = 0;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const exchange = {
      method: request.method ?? '',
      path: (request.url ?? '').replace(/\?$/, ''),
      body: new Uint8Array(Buffer.concat(chunks)),
      headers: request.rawHeaders.join('\n'),
    };
    this.seen.push(exchange);
    const rule = this.rules.get(exchange.path);
    if (rule !== undefined) return rule(exchange, response);
    await this.pass(exchange, response);
  }

  /** The relay's own answer, with headers changed by `change`. */
  async pass(
    { method, path, body, headers: came }: Exchange,
    response: ServerResponse,
    change = (own: Headers): Headers => own,
  ): Promise<void> {
    const type = /(?:^|\n)content-type\n(?<type>[^\n]*)/i.exec(came)?.groups?.['type'] ?? '';
    const headers: Record<string, string> = method === 'POST' ? { 'content-type': type, 'content-length': String(body.length) } : {};
    const answer = await http(new URL(path, this.#target).href, { method, headers, ...(method === 'POST' ? { body } : {}) });
    response.writeHead(answer.status, change(answer.headers)).end(answer.body);
  }
}
