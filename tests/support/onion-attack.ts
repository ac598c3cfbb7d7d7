// Attacks on an onion service, through a tor of the attacker's own, and honest visits meanwhile. Each attack goes on until it is stopped.
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Visit } from '../../cli/sending/visit.ts';
import { socksConnect } from './socks.ts';
import type { Tor } from './tor.ts';
import type { TorClient } from './tor-network.ts';

/** Before a stream that ended is opened again: the attacker's tor shares this machine with all others. */
const AGAIN_MS = 3_000;
const STREAM_MS = 120_000;

/** Streams on which nothing is ever sent. Each that ends is opened again, on the same circuit if that is still there. */
export class SilentStreams {
  readonly #stopped = new AbortController();
  readonly #done: Promise<unknown>;
  #open = 0;
  #most = 0;
  #opened = 0;

  constructor(attacker: TorClient, onion: string, { circuits, streams }: { circuits: number; streams: number }) {
    // One for each socket.
    setMaxListeners(0, this.#stopped.signal);
    const all = Array.from({ length: circuits * streams }, (_, index) =>
      this.#hold(attacker, onion, `circuit ${String(index % circuits)}`),
    );
    this.#done = Promise.all(all);
  }

  /** How many were open at once, at the most. */
  get most(): number {
    return this.#most;
  }

  get summary(): string {
    return `${String(this.#opened)} opened, ${String(this.#most)} at once, ${String(this.#open)} now`;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#done;
  }

  async #hold({ socksPort }: TorClient, onion: string, isolation: string): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const socket = await socksConnect(socksPort, onion, 80, { timeoutMs: STREAM_MS, isolation, signal }).catch(() => null);
      if (socket !== null) {
        this.#opened += 1;
        this.#open += 1;
        this.#most = Math.max(this.#most, this.#open);
        await new Promise((resolve) =>
          socket
            .resume()
            .on('error', () => undefined)
            .once('close', resolve),
        );
        this.#open -= 1;
      }
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/**
 * A whole visit over a circuit of its own: everything that the page loads, and one parcel. Throws unless it is accepted.
 * @returns how long it took
 */
export async function visitMs({ url, socksPort }: Pick<Tor, 'url' | 'socksPort'>, parcel: Uint8Array): Promise<number> {
  const startedMs = performance.now();
  const visit = new Visit({ url: new URL(url), socks: { host: '127.0.0.1', port: socksPort } }, { deadlineMs: STREAM_MS });
  try {
    const { difficulty } = await visit.enter();
    if (difficulty === null) throw new Error('the door is closed');
    const { result } = await visit.handInStamped(parcel, difficulty);
    if (result !== 'accepted') throw new Error(`not accepted: ${result}`);
    return performance.now() - startedMs;
  } finally {
    visit.leave();
  }
}
