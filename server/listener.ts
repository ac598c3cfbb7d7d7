import { chmod } from 'node:fs/promises';
import { createServer, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenAddress } from '../runtime/env.ts';
import { closeServer } from '../runtime/http-server.ts';
import { FIXED_HEADERS } from '../runtime/served.ts';
import { removeStaleSocket } from '../runtime/unix-socket.ts';
import { Connections } from './connections.ts';
import { RESPONSE_PIECE_BYTES } from './pieces.ts';
import { JSON_TYPE } from './json.ts';
import { type Refusal, REFUSALS, refusalBody } from './refusals.ts';
import type { StaticFile } from './statics.ts';

const MAX_HEADER_BYTES = 16_384;
const MAX_CONNECTIONS = 500;
/** Headers take less than a kilobyte: enough time for a slow client, and for Tor to stall and recover. */
const HEADERS_MS = 15_000;
/** A client may leave its response unread for this many request timeouts, while nobody else needs its place. */
const UNREAD_TIMEOUTS = 4;
const KEEP_ALIVE_MS = 5_000;
/** Requests that are still arriving when we are told to stop get this long. */
const STOP_GRACE_MS = 10_000;
/** About the size of a browser's request headers. */
const PIECE_BYTES = 512;
const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT';

export type ListenerOptions = {
  /** A body must make progress within this time (server/connections.ts). */
  readonly requestTimeoutMs: number;
  /** Response to a request that timed out before its path was known: a person may be waiting for it. */
  readonly page?: () => StaticFile | undefined;
  /** Maximum number of connections. */
  readonly maxConnections?: number;
};

/** An HTTP server on a unix socket or a loopback port that refuses malformed HTTP in the same form as everything else. */
export class Listener {
  readonly #address: ListenAddress;
  readonly #server: Server;
  readonly #responding = new WeakMap<Duplex, ServerResponse>();
  readonly #connections: Connections;
  readonly #requestTimeoutMs: number;
  readonly #page: (() => StaticFile | undefined) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(address: ListenAddress, app: RequestListener, { requestTimeoutMs, page, maxConnections = MAX_CONNECTIONS }: ListenerOptions) {
    this.#address = address;
    this.#connections = new Connections(maxConnections);
    this.#page = page;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#server = createServer({
      // No limit for the whole request: 24 KiB at half a kilobyte a second is welcome.
      requestTimeout: 0,
      headersTimeout: Math.min(requestTimeoutMs, HEADERS_MS),
      connectionsCheckingInterval: Math.min(requestTimeoutMs / 4, 5_000),
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Makes every piece of a response that the client reads count as progress (server/connections.ts).
      highWaterMark: RESPONSE_PIECE_BYTES,
      // We have no use for the name that a client gives us.
      requireHostHeader: false,
    });
    this.#server.timeout = UNREAD_TIMEOUTS * requestTimeoutMs;
    const handle: RequestListener = (request, response) => {
      if (!this.#connections.begin(request.socket, response)) return;
      this.#responding.set(request.socket, response);
      app(request, response);
    };
    this.#server.on('connection', (socket) => {
      readInPieces(socket);
      this.#connections.add(socket);
    });
    this.#server.on('request', handle);
    this.#server.on('checkExpectation', handle);
    // Node would write 100 Continue before the headers were checked.
    this.#server.on('checkContinue', (request, response) => {
      handle(request, response);
      if (!request.complete && !response.headersSent && !request.socket.destroyed) response.writeContinue();
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuseBroken(error, socket));
  }

  async start(): Promise<void> {
    const address = this.#address;
    const server = this.#server;
    if (address.kind === 'unix') await removeStaleSocket(address.path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const done = () => {
        server.off('error', reject);
        resolve();
      };
      if (address.kind === 'unix') server.listen(address.path, done);
      else server.listen(address.port, '127.0.0.1', done);
    });
    this.#timer = setInterval(
      () => {
        for (const socket of this.#connections.stuck(this.#requestTimeoutMs)) this.#refuseBroken({ code: TOO_SLOW }, socket);
      },
      Math.min(this.#requestTimeoutMs / 4, 5_000),
    );
    // The socket's group may connect: tor, or the operator's tools.
    if (address.kind === 'unix') await chmod(address.path, 0o660);
  }

  /** The TCP port it listens on, also when the system chose it. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async destroy(): Promise<void> {
    await closeServer(this.#server, STOP_GRACE_MS);
    clearInterval(this.#timer);
  }

  /** Replaces Node's own responses, which would lack our headers. */
  #refuseBroken(error: Pick<NodeJS.ErrnoException, 'code'>, socket: Duplex): void {
    const begun = this.#responding.get(socket);
    // Whoever reads the body may have a more helpful response for its sender.
    if (error.code === TOO_SLOW && begun?.headersSent === false && begun.req.emit('timeout')) return;
    if (!socket.writable || (begun?.headersSent === true && !begun.writableFinished)) {
      socket.destroy();
      return;
    }
    const isUnknown = begun === undefined || begun.writableFinished;
    socket.end(rawRefusal(refusalFor(error.code), isUnknown && error.code === TOO_SLOW ? this.#page?.() : undefined), () =>
      socket.destroy(),
    );
  }
}

/**
 * Feeds the parser in small pieces, and stops once the connection is destroyed. One system read of 64 KiB can hold thousands of
 * requests, and the parser would begin them all before anybody else gets a turn.
 */
function readInPieces(socket: Socket): void {
  const [parse] = socket.listeners('data') as ((chunk: Buffer) => void)[];
  if (parse === undefined) return;
  socket.removeListener('data', parse);
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length && !socket.destroyed; at += PIECE_BYTES) parse(chunk.subarray(at, at + PIECE_BYTES));
  });
}

function refusalFor(code: string | undefined): Refusal {
  switch (code) {
    case TOO_SLOW:
      return 'TIMEOUT';
    case 'HPE_HEADER_OVERFLOW':
      return 'HEADERS_LONG';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'PARCEL_LONG';
    default:
      return 'REQUEST';
  }
}

function rawRefusal(refusal: Refusal, page: StaticFile | undefined): Buffer {
  const { status } = REFUSALS[refusal];
  const body = page?.plain ?? refusalBody(refusal);
  const headers = [
    ...FIXED_HEADERS,
    ['Content-Type', page?.type ?? JSON_TYPE],
    ['Content-Length', String(body.length)],
    ['Connection', 'close'],
  ];
  const head = [
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`,
    ...headers.map(([name, value]) => `${String(name)}: ${String(value)}`),
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(head.join('\r\n')), body]);
}
