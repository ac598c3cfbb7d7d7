import type { Redis } from 'ioredis';
import { fromHex, randomBytes, toHex } from '../crypto/bytes.ts';
import { LETTER_ID_BYTES, sealLetter } from '../crypto/letter.ts';
import type { KeyringShelf } from '../runtime/keyrings.ts';
import { readQuestion } from '../redis/asking.ts';
import { noteTestLetter, readTestLetter, type NotedTest } from '../redis/test-letters.ts';
import type { Outbox } from './outbox.ts';

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
    const { id: question, inboxes } = (await readQuestion(this.#redis, 'tests')) ?? { id: '', inboxes: [] };
    if (!inboxes.includes(inbox)) return;
    const former = await readTestLetter(this.#redis, inbox);
    if (former?.question === question) return;
    const note = (test: NotedTest['letter']): Promise<void> => noteTestLetter(this.#redis, inbox, { question, letter: test });
    if (former?.letter.stage === 'waiting') return note(former.letter);
    const letter = this.#seal();
    if (typeof letter === 'string') return note({ stage: 'failed', reason: letter });
    const id = randomBytes(LETTER_ID_BYTES);
    // In this order: a worker that ends in between makes another one, and none is said to have arrived that was never sent.
    await this.#outbox.add(Buffer.from(id), Buffer.from(letter));
    await note({ stage: 'waiting', id: toHex(id), reason: '' });
  }

  /** After a delivery. `trouble`: why the inbox took nothing, or not all of it; null: it did. */
  async report(trouble: string | null): Promise<void> {
    const { inbox } = this.#outbox;
    const { question = '', letter: test } = (await readTestLetter(this.#redis, inbox)) ?? {};
    if (test?.stage !== 'waiting') return;
    const letter = await this.#outcome(test.id, trouble);
    if (letter.stage !== 'waiting' || letter.reason !== test.reason) await noteTestLetter(this.#redis, inbox, { question, letter });
  }

  async #outcome(id: string, trouble: string | null): Promise<NotedTest['letter']> {
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
