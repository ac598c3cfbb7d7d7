// Asks a relay for a file, and takes what comes as it comes: names of headers in their spelling, several of one name apart.
import { Agent, request, type IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { ResponseHeader } from '../../runtime/served.ts';
import { newCircuit } from '../../runtime/socks.ts';
import { dial, originOf, type RelayAddress } from '../sending/relay-address.ts';
import type { Who } from './askers.ts';

/** For one file over Tor; a server that sends a byte now and then could otherwise hold us for hours. */
const DEADLINE_MS = 120_000;
/** The relay's own limit (server/statics.ts). */
const BODY_BYTES_MAX = 16 * 2 ** 20;
/** As few as keep a circuit busy. */
const CONNECTIONS = 3;
const TRIES = 2;

const UNPACK: Readonly<Record<string, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  gzip: (bytes) => promisify(gunzip)(bytes, { maxOutputLength: BODY_BYTES_MAX }),
  deflate: (bytes) => promisify(inflate)(bytes, { maxOutputLength: BODY_BYTES_MAX }),
  br: (bytes) => promisify(brotliDecompress)(bytes, { maxOutputLength: BODY_BYTES_MAX }),
};

/** `body`: unpacked; null when it cannot be. `sentBytes`: its length as it came. */
export type ServedAnswer = {
  readonly status: number;
  readonly headers: readonly ResponseHeader[];
  readonly body: Uint8Array | null;
  readonly sentBytes: number;
};

/** One visitor with their own headers, circuit and connections. */
export class Asker {
  readonly who: Who;
  readonly #address: RelayAddress;
  readonly #signal: AbortSignal;
  readonly #left = new AbortController();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  constructor(who: Who, address: RelayAddress, signal: AbortSignal) {
    this.who = who;
    this.#address = address;
    this.#signal = signal;
    const circuit = newCircuit();
    this.#agent.createConnection = (_options, connected) => {
      dial(address, circuit, this.#left.signal).then(
        (socket) => connected?.(null, socket),
        (error: Error) => connected?.(error, undefined as never),
      );
      return undefined;
    };
  }

  /** Tries once more where nothing came. Throws what the connection failed with. */
  async get(path: string): Promise<ServedAnswer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#get(path);
      } catch (error) {
        if (tries === TRIES || this.#signal.aborted) throw error;
      }
    }
  }

  leave(): void {
    this.#left.abort();
    this.#agent.destroy();
  }

  async #get(path: string): Promise<ServedAnswer> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(DEADLINE_MS)]);
    const headers = this.who.headers(path, originOf(this.#address));
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const stop = (): void => reject(new Error('it takes too long'));
      // A request that has no connection yet does not notice the signal by itself.
      signal.addEventListener('abort', stop, { once: true });
      const sent = request({ agent: this.#agent, method: 'GET', path, headers, signal }, resolve);
      sent.on('error', reject).end();
    });
    const sent = await bodyOf(response);
    const encoding = response.headers['content-encoding'];
    const unpack = encoding === undefined ? undefined : UNPACK[encoding];
    const body = encoding === undefined ? sent : ((await unpack?.(sent).catch(() => null)) ?? null);
    return { status: response.statusCode ?? 0, headers: pairs(response.rawHeaders), body, sentBytes: sent.length };
  }
}

async function bodyOf(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw new Error('it sends more than any file has');
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function pairs(raw: readonly string[]): ResponseHeader[] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] ?? '', raw[2 * at + 1] ?? ''] as const);
}
