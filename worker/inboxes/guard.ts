import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../runtime/log.ts';
import { Refused, type Inbox, type Letter } from './inbox.ts';

/** So long an inbox that was told to give up may take to do so. */
const GOODBYE_MS = 1_000;

/** Whatever is wrong with one inbox must not hold up the others: it is opened when it can be, and waited for so long only. */
export class Guard {
  readonly #open: () => Promise<Inbox>;
  readonly #timeoutMs: number;
  #inbox: Inbox | null = null;
  #busy = false;

  constructor(open: () => Promise<Inbox>, timeoutMs: number) {
    this.#open = open;
    this.#timeoutMs = timeoutMs;
  }

  /** Throws Refused, never to be given up. */
  async open(): Promise<void> {
    if (this.#inbox === null) await this.#within(() => this.#opened());
  }

  /** Throws Refused. */
  deliver(letter: Letter): Promise<void> {
    return this.#within(async (signal) => (await this.#opened()).deliver(letter, signal));
  }

  async #opened(): Promise<Inbox> {
    try {
      return (this.#inbox ??= await this.#open());
    } catch (error) {
      throw new Refused(Number.POSITIVE_INFINITY, errorCode(error), 'inbox');
    }
  }

  async #within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    // Where a file system hangs, the next call would hang beside the first.
    if (this.#busy) throw new Refused(Number.POSITIVE_INFINITY, 'hangs', 'inbox');
    this.#busy = true;
    const done = new AbortController();
    const late = sleep(this.#timeoutMs + GOODBYE_MS, undefined, { signal: done.signal }).then(() => {
      throw new Refused(Number.POSITIVE_INFINITY, 'ETIMEDOUT', 'inbox');
    });
    const working = work(AbortSignal.timeout(this.#timeoutMs)).finally(() => (this.#busy = false));
    try {
      return await Promise.race([working, late]);
    } finally {
      done.abort();
    }
  }
}
