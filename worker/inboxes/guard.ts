import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../runtime/log.ts';
import { Refused, type Inbox, type Letter } from './inbox.ts';

/** How long an inbox may take to stop after its signal was aborted. */
const ABORT_GRACE_MS = 1_000;

/** Keeps a broken inbox from holding up the others: it is set up when that works, and every call has a timeout. */
export class Guard {
  readonly #createInbox: () => Promise<Inbox>;
  readonly #timeoutMs: number;
  #inbox: Inbox | null = null;
  #busy = false;

  constructor(createInbox: () => Promise<Inbox>, timeoutMs: number) {
    this.#createInbox = createInbox;
    this.#timeoutMs = timeoutMs;
  }

  /** Opens the inbox. Throws Refused with an infinite `giveUpAfterMs`. */
  async prepare(): Promise<void> {
    if (this.#inbox === null) await this.#within(() => this.#getInbox());
  }

  /** Hands over one letter within the timeout. Throws Refused. */
  deliver(letter: Letter): Promise<void> {
    return this.#within(async (signal) => (await this.#getInbox()).deliver(letter, signal));
  }

  async #getInbox(): Promise<Inbox> {
    try {
      return (this.#inbox ??= await this.#createInbox());
    } catch (error) {
      throw new Refused(Number.POSITIVE_INFINITY, errorCode(error), 'inbox');
    }
  }

  async #within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    // On a file system that hangs, the next call would hang as well.
    if (this.#busy) throw new Refused(Number.POSITIVE_INFINITY, 'hangs', 'inbox');
    this.#busy = true;
    const done = new AbortController();
    const late = sleep(this.#timeoutMs + ABORT_GRACE_MS, undefined, { signal: done.signal }).then(() => {
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
