import type { Redis } from 'ioredis';
import { fromHex, randomBytes, toHex } from '../crypto/bytes.ts';
import { LETTER_ID_BYTES, sealLetter } from '../crypto/letter.ts';
import { errorCode, log } from '../runtime/log.ts';
import type { KeyringShelf } from '../runtime/keyrings.ts';
import { noteTestLetter, readTestLetter, type TestLetter } from '../redis/test-letters.ts';
import type { OutboxDelivery } from './deliver.ts';
import type { Outbox } from './outbox.ts';
import type { Duty } from './rounds.ts';

/**
 * Makes the test letter that an operator asked for, and says what became of it. It is a cover letter to the team, under an id like
 * any other: nobody who sees it pass can tell it from a request, and volunteers' tools pass it over.
 */
export class TestLetters {
  readonly #redis: Redis;
  readonly #shelf: KeyringShelf;
  readonly #outbox: Outbox;
  readonly #team: string;

  constructor(redis: Redis, shelf: KeyringShelf, outbox: Outbox, team: string) {
    this.#redis = redis;
    this.#shelf = shelf;
    this.#outbox = outbox;
    this.#team = team;
  }

  /** Before a delivery: puts it into the outbox among the others. */
  async put(): Promise<void> {
    const { inbox } = this.#outbox;
    if ((await readTestLetter(this.#redis, inbox))?.stage !== 'asked') return;
    const letter = this.#seal();
    if (typeof letter === 'string') return noteTestLetter(this.#redis, inbox, { stage: 'failed', reason: letter });
    const id = randomBytes(LETTER_ID_BYTES);
    // In this order: a worker that ends in between makes another one, and none is said to have arrived that was never sent.
    await this.#outbox.add(Buffer.from(id), Buffer.from(letter));
    await noteTestLetter(this.#redis, inbox, { stage: 'waiting', id: toHex(id), reason: '' });
  }

  /** After a delivery. `trouble`: why the inbox took nothing, or not all of it; null: it did. */
  async report(trouble: string | null): Promise<void> {
    const { inbox } = this.#outbox;
    const test = await readTestLetter(this.#redis, inbox);
    if (test?.stage !== 'waiting') return;
    const after = await this.#outcome(test.id, trouble);
    if (after.stage !== 'waiting' || after.reason !== test.reason) await noteTestLetter(this.#redis, inbox, after);
  }

  async #outcome(id: string, trouble: string | null): Promise<TestLetter> {
    const place = await this.#outbox.find(Buffer.from(fromHex(id)));
    if (place === 'waiting') return { stage: 'waiting', id, reason: trouble ?? '' };
    return place === 'gone' ? { stage: 'arrived' } : { stage: 'failed', reason: place.dead };
  }

  /** A string: why there can be none now. */
  #seal(): Uint8Array | string {
    const current = this.#shelf.current();
    if (current === null) return 'no-keyring';
    const recipients = current.keyring.teams.find(({ id }) => id === this.#team)?.recipients;
    if (recipients === undefined) return 'team-not-in-keyring';
    return sealLetter({ version: 1, kind: 'cover', serial: current.serial, keyring: current.digest, language: 'en' }, recipients);
  }
}

/** The duty of delivering to one inbox. A test letter that cannot be made, as when memory is full, holds up none of the others. */
export function deliveryDuty(name: string, delivery: OutboxDelivery, tests: TestLetters): Duty {
  const attempt = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log.error('round failed', { kind: name, reason: 'test-letter', code: errorCode(error) }));
  return async (stopping) => {
    await attempt(tests.put());
    await delivery.run(stopping);
    await attempt(tests.report(delivery.trouble));
  };
}
