import { shuffled, toHex } from '../crypto/bytes.ts';
import { log } from '../runtime/log.ts';
import { Backoff } from './backoff.ts';
import type { Guard } from './inboxes/guard.ts';
import { Refused } from './inboxes/inbox.ts';
import type { Outbox } from './outbox.ts';
import { RefusedLetters } from './refused.ts';

/** After this many failures in a row the inbox counts as down for this round. */
const FAILURES_IN_A_ROW = 3;
/** Refused retries allowed per round: a provider may block a sender that retries too often. */
const REFUSALS_A_ROUND = 100;

/** The result of one attempt, as far as it concerns the inbox. */
type Outcome = 'done' | 'letter refused' | 'inbox failed';

/** Delivers the letters of one outbox to its inbox. */
export class OutboxDelivery {
  readonly #outbox: Outbox;
  readonly #inbox: Guard;
  readonly #backoff: Backoff;
  readonly #refused: RefusedLetters;
  /** Letters that the inbox accepted but that could not be removed from Redis: they must not be sent again. */
  readonly #accepted = new Map<string, Buffer>();
  #isOpen = false;
  /** Why the inbox takes nothing; null when it does. */
  #failing: string | null = null;
  /** What was logged about refused letters. Each only once, since how many and when would be about single letters. */
  readonly #said = new Set<string>();

  /** @param now monotonic clock, in milliseconds */
  constructor(outbox: Outbox, inbox: Guard, now: () => number = () => performance.now()) {
    this.#outbox = outbox;
    this.#inbox = inbox;
    this.#backoff = new Backoff(now);
    this.#refused = new RefusedLetters(now);
  }

  /** One tick: delivers everything that waits, in random order, until the inbox fails or `stopping` returns true. */
  async run(stopping: () => boolean): Promise<void> {
    for (const id of this.#accepted.values()) await this.#remove(id);
    if (this.#backoff.waiting) return;
    const ids = shuffled(await this.#outbox.ids());
    this.#refused.keep(ids);
    // Even when nothing waits, so that a wrong configuration shows as soon as the worker starts.
    if (await this.#opens()) await this.#deliverAll(ids, stopping);
    // An inbox that could never be set up is failing whether or not anything waits for it.
    await this.#outbox.tell('failing', ids.length > 0 || !this.#isOpen ? this.#failing : null);
    await this.#outbox.tell('deferring', this.#refused.reason);
  }

  /** Letters that were never tried come first, so that nobody can hold up others with letters that the inbox refuses. */
  async #deliverAll(ids: readonly Buffer[], stopping: () => boolean): Promise<void> {
    const fresh = ids.filter((id) => !this.#refused.knows(id));
    const due = ids.filter((id) => this.#refused.knows(id) && this.#refused.isDue(id));
    let [failures, refusals] = [0, 0];
    for (const id of [...fresh, ...due]) {
      if (stopping() || failures >= FAILURES_IN_A_ROW || refusals >= REFUSALS_A_ROUND) break;
      const again = this.#refused.knows(id);
      const outcome = await this.#deliver(id);
      if (outcome !== 'letter refused') failures = outcome === 'inbox failed' ? failures + 1 : 0;
      else if (again) refusals += 1;
    }
  }

  async #opens(): Promise<boolean> {
    if (this.#isOpen) return true;
    try {
      await this.#inbox.open();
      this.#isOpen = true;
      this.#works();
      return true;
    } catch (error) {
      this.#fails(asRefused(error));
      return false;
    }
  }

  async #deliver(id: Buffer): Promise<Outcome> {
    const letter = await this.#outbox.letter(id);
    if (!letter) return 'done';
    try {
      await this.#inbox.deliver(letter);
    } catch (error) {
      return this.#notTaken(id, asRefused(error));
    }
    this.#accepted.set(toHex(id), id);
    this.#works();
    await this.#remove(id);
    return 'done';
  }

  async #notTaken(id: Buffer, refused: Refused): Promise<Outcome> {
    const waits = this.#refused.refused(id, refused);
    if (!waits) {
      await this.#outbox.bury(id, refused.reason);
      this.#say('letter refused for good', refused.reason);
    }
    if (refused.about === 'inbox') {
      this.#fails(refused);
      return 'inbox failed';
    }
    if (waits) this.#say('letter waits', refused.reason);
    // The inbox was there, and responded.
    this.#answers();
    return waits ? 'letter refused' : 'done';
  }

  async #remove(id: Buffer): Promise<void> {
    await this.#outbox.remove(id);
    this.#accepted.delete(toHex(id));
    this.#refused.forget(id);
  }

  #say(event: 'letter refused for good' | 'letter waits', reason: string): void {
    const what = `${event} ${reason}`;
    if (!this.#said.has(what)) log.error(event, { inbox: this.#outbox.inbox, reason });
    this.#said.add(what);
  }

  #fails({ reason }: Refused): void {
    this.#backoff.failed();
    if (this.#failing === null) log.error('delivery failed', { inbox: this.#outbox.inbox, reason });
    this.#failing = reason;
  }

  #answers(): void {
    this.#backoff.worked();
    if (this.#failing !== null) log.info('delivery works again', { inbox: this.#outbox.inbox });
    this.#failing = null;
  }

  #works(): void {
    this.#answers();
    this.#said.clear();
  }
}

/** Any other error is our own or the system's, and says nothing about the letter. */
function asRefused(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(Number.POSITIVE_INFINITY, 'unknown', 'inbox');
}
