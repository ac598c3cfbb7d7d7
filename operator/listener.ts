import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenAddress } from '../runtime/env.ts';
import { closeServer } from '../runtime/http-server.ts';
import { FIXED_HEADERS, type ResponseHeader } from '../runtime/served.ts';
import { removeStaleSocket } from '../runtime/unix-socket.ts';
import type { NetworkAddress } from './config.ts';
import { STYLE_HASH } from './page/style.ts';

export type ServedPage = { readonly status: number; readonly type: string; readonly body: Buffer };
export type Routes = Readonly<Record<string, () => ServedPage>>;

const POLICY = `default-src 'none';style-src '${STYLE_HASH}';base-uri 'none';form-action 'none';frame-ancestors 'none'`;
/** The relay's, but for what the page may do. */
const HEADERS: readonly ResponseHeader[] = FIXED_HEADERS.map(([name, value]) => [
  name,
  name === 'Content-Security-Policy' ? POLICY : value,
]);

const TEXT_TYPE = 'text/plain; charset=utf-8';
const MAX_CONNECTIONS = 32;
const REQUEST_MS = 10_000;
const STOP_GRACE_MS = 2_000;
/** The names of this machine's loopback, as a browser that reaches it through ssh has them. */
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;

/** Answers a few fixed addresses, to whoever can reach it: that is what protects it. */
export class PrivateListener {
  readonly #address: ListenAddress | NetworkAddress;
  readonly #server: Server;

  constructor(address: ListenAddress | NetworkAddress, routes: Routes) {
    this.#address = address;
    const isHere = 'kind' in address || LOOPBACK_HOST.test(address.host);
    // Otherwise a page of anybody, open in the operator's browser, could have its own name lead here, and read what we answer.
    const isForeign = (host: string | undefined): boolean => isHere && !LOOPBACK_HOST.test(host ?? '');
    this.#server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) =>
      send(request, response, isForeign(request.headers.host) ? text(421, 'Ask for localhost.') : answerTo(request, routes)),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  async start(): Promise<void> {
    const address = this.#address;
    const server = this.#server;
    const path = 'kind' in address && address.kind === 'unix' ? address.path : null;
    if (path !== null) await removeStaleSocket(path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const done = () => resolve(void server.off('error', reject));
      if (!('kind' in address)) server.listen(address.port, address.host, done);
      else if (address.kind === 'unix') server.listen(address.path, done);
      else server.listen(address.port, '127.0.0.1', done);
    });
    if (path !== null) await chmod(path, 0o660);
  }

  /** The TCP port it listens on, also when the system chose it. */
  get port(): number | null {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? null : address.port;
  }

  destroy(): Promise<void> {
    return closeServer(this.#server, STOP_GRACE_MS);
  }
}

function answerTo({ method, url = '' }: IncomingMessage, routes: Routes): ServedPage {
  const path = url.split('?')[0] ?? '';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return text(404, 'There is nothing here.');
  return method === 'GET' || method === 'HEAD' ? route() : text(405, 'Only GET and HEAD.');
}

const text = (status: number, body: string): ServedPage => ({ status, type: TEXT_TYPE, body: Buffer.from(`${body}\n`) });

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: ServedPage): void {
  response.sendDate = false;
  for (const [name, value] of HEADERS) response.setHeader(name, value);
  if (status === 405) response.setHeader('Allow', 'GET, HEAD');
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', body.length);
  // A body that nobody reads would otherwise hold the connection.
  request.resume();
  response.writeHead(status).end(request.method === 'HEAD' ? undefined : body);
}
