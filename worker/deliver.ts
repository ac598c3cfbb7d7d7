import { shuffled, toHex } from '../crypto/bytes.ts';
import { log } from '../service/log.ts';
import { Backoff } from './backoff.ts';
import type { Guard } from './inboxes/guard.ts';
import { Refused } from './inboxes/inbox.ts';
import type { Outbox } from './outbox.ts';

/** One letter that never passes must not hold up the others, and a server that is down need not be asked for each. */
const REFUSALS_IN_A_ROW = 3;

/** Takes the letters of one outbox to its inbox. */
export class Delivery {
  readonly #outbox: Outbox;
  readonly #inbox: Guard;
  readonly #backoff: Backoff;
  /** Accepted, but Redis was away when they were to be removed: no reason to send them again. */
  readonly #accepted = new Map<string, Buffer>();
  #isOpen = false;
  /** Why it takes nothing, null when it does. */
  #failing: string | null = null;
  /** Refuses letters for good: said once, since how many and when is about letters. */
  #refusing = false;

  constructor(outbox: Outbox, inbox: Guard, backoff = new Backoff()) {
    this.#outbox = outbox;
    this.#inbox = inbox;
    this.#backoff = backoff;
  }

  /** One tick: everything that waits, in random order, until the inbox refuses or `stopping`. */
  async run(stopping: () => boolean): Promise<void> {
    for (const id of this.#accepted.values()) await this.#remove(id);
    if (this.#backoff.waiting) return;
    const ids = shuffled(await this.#outbox.ids());
    // Also when nothing waits: what was configured wrongly shows when the worker is started.
    let refusals = (await this.#opens()) ? 0 : REFUSALS_IN_A_ROW;
    for (const id of ids) {
      if (stopping() || refusals >= REFUSALS_IN_A_ROW) break;
      refusals = (await this.#deliver(id)) ? 0 : refusals + 1;
    }
    // What cannot even be opened fails whether or not anything waits for it.
    await this.#outbox.tell('failing', ids.length > 0 || !this.#isOpen ? this.#failing : null);
  }

  async #opens(): Promise<boolean> {
    if (this.#isOpen) return true;
    try {
      await this.#inbox.open();
      this.#isOpen = true;
      this.#works();
      return true;
    } catch (error) {
      this.#fails(error);
      return false;
    }
  }

  /** @returns whether the inbox answered, be it with a refusal for good */
  async #deliver(id: Buffer): Promise<boolean> {
    const letter = await this.#outbox.letter(id);
    if (!letter) return true;
    try {
      await this.#inbox.deliver(letter);
    } catch (error) {
      if (error instanceof Refused && error.permanent) {
        await this.#outbox.bury(id);
        if (!this.#refusing) log.error('letter refused for good', { inbox: this.#outbox.inbox });
        this.#refusing = true;
        return true;
      }
      this.#fails(error);
      return false;
    }
    this.#accepted.set(toHex(id), id);
    this.#works();
    await this.#remove(id);
    return true;
  }

  async #remove(id: Buffer): Promise<void> {
    await this.#outbox.remove(id);
    this.#accepted.delete(toHex(id));
  }

  #fails(error: unknown): void {
    this.#backoff.failed();
    const reason = error instanceof Refused ? error.reason : 'unknown';
    if (this.#failing === null) log.error('delivery failed', { inbox: this.#outbox.inbox, reason });
    this.#failing = reason;
  }

  #works(): void {
    this.#backoff.worked();
    if (this.#failing !== null) log.info('delivery works again', { inbox: this.#outbox.inbox });
    this.#failing = null;
    this.#refusing = false;
  }
}
