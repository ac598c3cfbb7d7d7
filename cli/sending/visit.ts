// A visit to a relay, as the page makes it: everything that it loads, and then a parcel. Each parcel is handed in by a visit
// of its own, on a circuit of its own, so that nobody can tell that several are by one person.
import { Agent, request, type IncomingMessage } from 'node:http';
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import * as z from 'zod';
import { ANSWER_BYTES, parseAnswer, type Answer } from '../../crypto/answer.ts';
import { COUNTER_OFFSET, PARCEL_HEADER_BYTES } from '../../crypto/parcel.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { CliError } from '../errors.ts';
import { reason } from '../files.ts';
import { PAGE_FILES, pageHeaders } from './page-requests.ts';
import { dial, originOf, type RelayAddress } from './relay-address.ts';
import { newCircuit } from '../net/socks.ts';

/** For an exchange in all: who sends a byte now and then could otherwise hold somebody for hours. */
const DEADLINE_MS = 300_000;
/** More than a file of the page, and more than a relay ever says. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;

/** How long an exchange may take, and what ends it before that. */
export type Patience = { readonly deadlineMs?: number; readonly stop?: AbortSignal };

/** No answer of the relay. `mayHaveArrived`: a parcel was being sent, so the relay may have it all the same. */
export class RelayAway extends CliError {
  readonly mayHaveArrived: boolean;

  constructor(what: string, advice: string, mayHaveArrived: boolean) {
    super('RELAY_AWAY', what, advice);
    this.mayHaveArrived = mayHaveArrived;
  }
}

type Outgoing = { method: string; path: string; headers: string[]; body?: Uint8Array };
type Incoming = { body: Uint8Array; encoding: string | undefined };

const start = z.object({
  door: z.discriminatedUnion('open', [z.object({ open: z.literal(true), difficulty: z.int() }), z.object({ open: z.literal(false) })]),
  keyring: z.string().nullable(),
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

  /** Loads what the page loads. @returns what the door asks of a stamp; null: it is closed. Throws RelayAway when no relay answers. */
  async open(): Promise<number | null> {
    const origin = originOf(this.#address);
    let difficulty: number | null | undefined;
    for (const group of PAGE_FILES) {
      await Promise.all(
        group.map(async ({ path, headers }) => {
          const incoming = await this.#exchange({ method: 'GET', path, headers: headers(origin) });
          if (path === '/start.json') difficulty = await difficultyIn(incoming);
        }),
      );
    }
    if (difficulty === undefined) throw noRelay(false);
    return difficulty;
  }

  /** Throws RelayAway when no relay answers, ANSWER_FORMAT when what it says is no answer; sending the same parcel again is always safe. */
  async handIn(parcel: Uint8Array): Promise<Answer> {
    const { body } = await this.#exchange({
      method: 'POST',
      path: '/parcel?',
      headers: pageHeaders(parcel.length, originOf(this.#address)),
      body: parcel,
    });
    if (body.length !== ANSWER_BYTES) throw noRelay(true);
    return parseAnswer(body);
  }

  /**
   * Hands in a parcel with the stamp that the page would make for this difficulty; one that the relay finds too cheap is made
   * dearer once: the nonce is no part of the parcel's id.
   */
  async handInStamped(parcel: Uint8Array, difficulty: number): Promise<Answer> {
    const answer = await this.handIn(stampedAnew(parcel, difficulty));
    if (answer.result !== 'stamp' || answer.difficulty > HIGHEST_DIFFICULTY) return answer;
    return this.handIn(stampedAnew(parcel, answer.difficulty));
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
    // A request that has no connection yet does not hear of it by itself.
    const end = (): void => {
      this.leave();
    };
    signal.addEventListener('abort', end);
    try {
      return await this.#over(outgoing, signal, progress);
    } catch (error) {
      this.leave();
      const why = stop?.aborted === true ? 'stopped' : deadline.aborted ? 'it takes too long' : reason(error);
      throw new RelayAway(
        `the relay does not answer: ${why}`,
        'see that it runs, and run this again: nothing arrives twice',
        progress.isSending && outgoing.body !== undefined,
      );
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  #over({ method, path, headers, body }: Outgoing, signal: AbortSignal, progress: { isSending: boolean }): Promise<Incoming> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ agent: this.#agent, method, path, headers, signal });
      outgoing.on('error', (error) => {
        // A connection that the relay had closed meanwhile: a browser takes another one then, too.
        if (outgoing.reusedSocket && !signal.aborted && 'code' in error && error.code === 'ECONNRESET')
          this.#over({ method, path, headers, ...(body === undefined ? {} : { body }) }, signal, progress).then(resolve, reject);
        else reject(error);
      });
      outgoing.on('socket', () => {
        progress.isSending = true;
      });
      outgoing.on('response', (incoming: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let length = 0;
        incoming.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length > BODY_BYTES_MAX) incoming.destroy(new Error('too long'));
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({ body: new Uint8Array(Buffer.concat(chunks)), encoding: incoming.headers['content-encoding'] });
        });
      });
      outgoing.end(body);
    });
  }
}

/**
 * One exchange with a parcel as it is, without a visit around it. Throws RelayAway when no relay answers, ANSWER_FORMAT when what it says
 * is no answer.
 */
export async function handIn(parcel: Uint8Array, address: RelayAddress, patience: Patience = {}): Promise<Answer> {
  const visit = new Visit(address, patience);
  try {
    return await visit.handIn(parcel);
  } finally {
    visit.leave();
  }
}

const noRelay = (mayHaveArrived: boolean): RelayAway =>
  new RelayAway('the server is not a support-relay', 'check its address', mayHaveArrived);

async function difficultyIn({ body, encoding }: Incoming): Promise<number | null> {
  try {
    const plain = encoding === 'gzip' ? await promisify(gunzip)(body, { maxOutputLength: BODY_BYTES_MAX }) : body;
    const { door, keyring } = start.parse(JSON.parse(new TextDecoder().decode(plain)));
    return door.open && keyring !== null ? Math.min(Math.max(door.difficulty, 0), HIGHEST_DIFFICULTY) : null;
  } catch {
    throw noRelay(false);
  }
}

/** Counted from zero: a stamp that is as dear as once was needed elsewhere would show where the parcel comes from. */
function stampedAnew(parcel: Uint8Array, difficulty: number): Uint8Array {
  const unstamped = parcel.slice();
  unstamped.fill(0, COUNTER_OFFSET, PARCEL_HEADER_BYTES);
  return stampParcel(unstamped, difficulty);
}
