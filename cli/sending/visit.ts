// A visit to a relay, as the page makes it: it loads everything that the page loads, and then sends a parcel. Each parcel has a
// visit and a circuit of its own, so that nobody can tell that several are by one person.
import { Agent, request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import * as z from 'zod';
import { ANSWER_BYTES, parseAnswer, type Answer } from '../../crypto/answer.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { COUNTER_OFFSET, PARCEL_HEADER_BYTES } from '../../crypto/parcel.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { CliError } from '../errors.ts';
import { reason } from '../files.ts';
import type { ServedKeyring } from '../keys/newer-keyring.ts';
import { PAGE_FILES, pageHeaders } from './page-requests.ts';
import { dial, originOf, type RelayAddress } from './relay-address.ts';
import { newCircuit } from '../../runtime/socks.ts';

/** For a whole exchange: a server that sends a byte now and then could otherwise hold somebody for hours. */
const DEADLINE_MS = 300_000;
/** More than any file of the page, and than anything else that a relay sends. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;

/** How long an exchange may take, and what ends it before that. */
export type Patience = { readonly deadlineMs?: number; readonly stop?: AbortSignal };

/** The relay did not answer. `mayHaveArrived`: a parcel was being sent, so the relay may have it all the same. */
export class RelayAway extends CliError {
  readonly mayHaveArrived: boolean;

  constructor(what: string, advice: string, mayHaveArrived: boolean) {
    super('RELAY_AWAY', what, advice);
    this.mayHaveArrived = mayHaveArrived;
  }
}

type Outgoing = { method: string; path: string; headers: string[]; body?: Uint8Array };
type Incoming = { body: Uint8Array; encoding: string | undefined };

/** What `/start.json` says. `difficulty`: the bits that the door asks of a stamp; null when it is closed. `keyring`: null: none is valid */
export type RelayStart = { readonly difficulty: number | null; readonly keyring: ServedKeyring | null };

const start = z.object({
  door: z.discriminatedUnion('open', [z.object({ open: z.literal(true), difficulty: z.int() }), z.object({ open: z.literal(false) })]),
  keyring: z.string().nullable(),
  signature: z.string().nullable(),
});

export class Visit {
  readonly #address: RelayAddress;
  readonly #patience: Patience;
  readonly #circuit = newCircuit();
  readonly #left = new AbortController();
  readonly #agent: Agent;

  constructor(address: RelayAddress, patience: Patience = {}) {
    this.#address = address;
    this.#patience = patience;
    this.#agent = new Agent({ keepAlive: true });
    this.#agent.createConnection = (_options, connected) => {
      dial(address, this.#circuit, this.#left.signal).then(
        (socket) => connected?.(null, socket),
        (error: Error) => connected?.(error, undefined as never),
      );
      return undefined;
    };
  }

  /** Loads what the page loads. Throws RelayAway when no relay answers. */
  async enter(): Promise<RelayStart> {
    const origin = originOf(this.#address);
    let said: RelayStart | undefined;
    for (const group of PAGE_FILES) {
      await Promise.all(
        group.map(async ({ path, headers }) => {
          const incoming = await this.#exchange({ method: 'GET', path, headers: headers(origin) });
          if (path === '/start.json') said = await startIn(incoming);
        }),
      );
    }
    if (said === undefined) throw notARelay(false);
    return said;
  }

  /**
   * Sends a parcel as it is. Throws RelayAway when no relay answers, ANSWER_FORMAT when what it says is not an answer. Sending
   * the same parcel again is always safe.
   */
  async handIn(parcel: Uint8Array): Promise<Answer> {
    const { body } = await this.#exchange({
      method: 'POST',
      path: '/parcel?',
      headers: pageHeaders(parcel.length, originOf(this.#address)),
      body: parcel,
    });
    if (body.length !== ANSWER_BYTES) throw notARelay(true);
    return parseAnswer(body);
  }

  /**
   * Hands in a parcel with the stamp that the page would make for `difficulty` bits. If the relay asks for more, it is stamped
   * and handed in once more: the parcel's id stays the same, since the nonce is no part of it.
   */
  async handInStamped(parcel: Uint8Array, difficulty: number): Promise<Answer> {
    const answer = await this.handIn(restamped(parcel, difficulty));
    if (answer.result !== 'stamp' || answer.difficulty > HIGHEST_DIFFICULTY) return answer;
    return this.handIn(restamped(parcel, answer.difficulty));
  }

  leave(): void {
    this.#left.abort();
    this.#agent.destroy();
  }

  async #exchange(outgoing: Outgoing): Promise<Incoming> {
    const { deadlineMs = DEADLINE_MS, stop } = this.#patience;
    const deadline = AbortSignal.timeout(deadlineMs);
    const signal = stop === undefined ? deadline : AbortSignal.any([deadline, stop]);
    const progress = { isSending: false };
    // A request that has no connection yet does not notice the signal by itself.
    const onAbort = (): void => this.leave();
    signal.addEventListener('abort', onAbort);
    try {
      return await this.#request(outgoing, signal, progress);
    } catch (error) {
      this.leave();
      if ('socketPath' in this.#address && error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        const advice = 'see that the relay runs, and that this is where it listens; nothing was sent';
        throw new RelayAway(`there is no socket ${this.#address.socketPath}`, advice, false);
      }
      throw new RelayAway(
        `the relay does not answer: ${whyEnded(error, deadline, stop)}`,
        'see that it runs, and run this again: nothing arrives twice',
        progress.isSending && outgoing.body !== undefined,
      );
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #request(outgoing: Outgoing, signal: AbortSignal, progress: { isSending: boolean }): Promise<Incoming> {
    const { method, path, headers, body } = outgoing;
    return new Promise((resolve, reject) => {
      const sent = request({ agent: this.#agent, method, path, headers, signal });
      sent.on('error', (error) => {
        // The relay had closed a kept connection meanwhile: a browser, too, then takes another one.
        const wasClosed = sent.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
        if (wasClosed && !signal.aborted) this.#request(outgoing, signal, progress).then(resolve, reject);
        else reject(error);
      });
      // Such a request ends without a response and without an error, and its signal does nothing any more.
      sent.on('upgrade', (_response, socket: Socket) => {
        socket.destroy();
        reject(new Error('it wants to speak another protocol'));
      });
      sent.on('socket', () => {
        progress.isSending = true;
      });
      sent.on('response', (response: IncomingMessage) => {
        received(response).then(resolve, reject);
      });
      sent.end(body);
    });
  }
}

/** Reads a response to its end. */
function received(response: IncomingMessage): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > BODY_BYTES_MAX) response.destroy(new Error('too long'));
    });
    response.on('error', reject);
    response.on('end', () => {
      resolve({ body: new Uint8Array(Buffer.concat(chunks)), encoding: response.headers['content-encoding'] });
    });
  });
}

function whyEnded(error: unknown, deadline: AbortSignal, stop: AbortSignal | undefined): string {
  if (stop?.aborted === true) return 'stopped';
  return deadline.aborted ? 'it takes too long' : reason(error);
}

/**
 * Sends a parcel as it is, without loading the page before. Throws RelayAway when no relay answers, ANSWER_FORMAT when what
 * it says is not an answer.
 */
export async function handIn(parcel: Uint8Array, address: RelayAddress, patience: Patience = {}): Promise<Answer> {
  const visit = new Visit(address, patience);
  try {
    return await visit.handIn(parcel);
  } finally {
    visit.leave();
  }
}

function notARelay(mayHaveArrived: boolean): RelayAway {
  return new RelayAway('the server is not a support-relay', 'check its address', mayHaveArrived);
}

async function startIn({ body, encoding }: Incoming): Promise<RelayStart> {
  try {
    const plain = encoding === 'gzip' ? await promisify(gunzip)(body, { maxOutputLength: BODY_BYTES_MAX }) : body;
    const { door, keyring, signature } = start.parse(JSON.parse(new TextDecoder().decode(plain)));
    const isOpen = door.open && keyring !== null;
    return {
      difficulty: isOpen ? Math.min(Math.max(door.difficulty, 0), HIGHEST_DIFFICULTY) : null,
      keyring: keyring === null || signature === null ? null : { json: utf8(keyring), signature },
    };
  } catch {
    throw notARelay(false);
  }
}

/**
 * Stamped from a counter of zero: an earlier stamp with more bits than this relay asks for would show
 * where the parcel comes from.
 */
function restamped(parcel: Uint8Array, difficulty: number): Uint8Array {
  const unstamped = parcel.slice();
  unstamped.fill(0, COUNTER_OFFSET, PARCEL_HEADER_BYTES);
  return stampParcel(unstamped, difficulty);
}
