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
type AttemptResult = 'done' | 'letter refused' | 'inbox failed';

/** Delivers the letters of one outbox to its inbox. */
export class OutboxDelivery {
  readonly #outbox: Outbox;
  readonly #inbox: Guard;
  readonly #backoff: Backoff;
  readonly #refused: RefusedLetters;
  /** Letters that the inbox accepted but that could not be removed from Redis: they must not be sent again. */
  readonly #accepted = new Map<string, Buffer>();
  #isPrepared = false;
  /** Why the inbox takes nothing; null when it does. */
  #failing: string | null = null;
  /** What was logged about refused letters. Each only once, since how many and when would be about single letters. */
  readonly #logged = new Set<string>();

  /** @param now monotonic clock, in milliseconds */
  constructor(outbox: Outbox, inbox: Guard, now: () => number = () => performance.now()) {
    this.#outbox = outbox;
    this.#inbox = inbox;
    this.#backoff = new Backoff(now);
    this.#refused = new RefusedLetters(now);
  }

  /** Why the inbox takes nothing, or refuses some letters; null: neither. */
  get trouble(): string | null {
    return this.#failing ?? this.#refused.reason;
  }

  /** One tick: delivers everything that waits, in random order, until the inbox fails or `stopping` returns true. */
  async run(stopping: () => boolean): Promise<void> {
    for (const id of this.#accepted.values()) await this.#remove(id);
    if (this.#backoff.isWaiting) return;
    const ids = shuffled(await this.#outbox.ids());
    this.#refused.keepOnly(ids);
    // Even when nothing waits, so that a wrong configuration shows as soon as the worker starts.
    if (await this.#prepare()) await this.#deliverAll(ids, stopping);
    // An inbox that could never be set up is failing whether or not anything waits for it.
    await this.#outbox.reportTrouble('failing', ids.length > 0 || !this.#isPrepared ? this.#failing : null);
    await this.#outbox.reportTrouble('deferring', this.#refused.reason);
  }

  /** Letters that were never tried come first, so that nobody can hold up others with letters that the inbox refuses. */
  async #deliverAll(ids: readonly Buffer[], stopping: () => boolean): Promise<void> {
    const fresh = ids.filter((id) => !this.#refused.knows(id));
    const due = ids.filter((id) => this.#refused.knows(id) && this.#refused.isDue(id));
    let [failures, refusals] = [0, 0];
    for (const id of [...fresh, ...due]) {
      if (stopping() || failures >= FAILURES_IN_A_ROW || refusals >= REFUSALS_A_ROUND) break;
      const isRetry = this.#refused.knows(id);
      const outcome = await this.#deliver(id);
      if (outcome !== 'letter refused') failures = outcome === 'inbox failed' ? failures + 1 : 0;
      else if (isRetry) refusals += 1;
    }
  }

  async #prepare(): Promise<boolean> {
    if (this.#isPrepared) return true;
    try {
      await this.#inbox.prepare();
      this.#isPrepared = true;
      this.#noteSuccess();
      return true;
    } catch (error) {
      this.#noteFailure(toRefused(error));
      return false;
    }
  }

  async #deliver(id: Buffer): Promise<AttemptResult> {
    const letter = await this.#outbox.letter(id);
    if (!letter) return 'done';
    try {
      await this.#inbox.deliver(letter);
    } catch (error) {
      return this.#handleRefusal(id, toRefused(error));
    }
    this.#accepted.set(toHex(id), id);
    this.#noteSuccess();
    await this.#remove(id);
    return 'done';
  }

  async #handleRefusal(id: Buffer, refused: Refused): Promise<AttemptResult> {
    const waits = this.#refused.noteRefusal(id, refused);
    if (!waits) {
      await this.#outbox.bury(id, refused.reason);
      this.#logOnce('letter refused for good', refused.reason);
    }
    if (refused.about === 'inbox') {
      this.#noteFailure(refused);
      return 'inbox failed';
    }
    if (waits) this.#logOnce('letter waits', refused.reason);
    // The inbox was there, and responded.
    this.#noteResponse();
    return waits ? 'letter refused' : 'done';
  }

  async #remove(id: Buffer): Promise<void> {
    await this.#outbox.remove(id);
    this.#accepted.delete(toHex(id));
    this.#refused.forget(id);
  }

  #logOnce(event: 'letter refused for good' | 'letter waits', reason: string): void {
    const line = `${event} ${reason}`;
    if (!this.#logged.has(line)) log.error(event, { inbox: this.#outbox.inbox, reason });
    this.#logged.add(line);
  }

  #noteFailure({ reason }: Refused): void {
    this.#backoff.noteFailure();
    if (this.#failing === null) log.error('delivery failed', { inbox: this.#outbox.inbox, reason });
    this.#failing = reason;
  }

  #noteResponse(): void {
    this.#backoff.reset();
    if (this.#failing !== null) log.info('delivery works again', { inbox: this.#outbox.inbox });
    this.#failing = null;
  }

  #noteSuccess(): void {
    this.#noteResponse();
    this.#logged.clear();
  }
}

/** Any other error is our own or the system's, and says nothing about the letter. */
function toRefused(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(Number.POSITIVE_INFINITY, 'unknown', 'inbox');
}
