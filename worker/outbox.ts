import type { Redis } from 'ioredis';
import { readNote, readQuestion } from '../redis/asking.ts';
import { keys } from '../redis/keys.ts';
import { Script } from '../redis/script.ts';
import { publishTrouble, type InboxTrouble } from '../redis/state.ts';
import type { Letter } from './inboxes/inbox.ts';
import buryLua from './lua/bury.lua';
import retryLua from './lua/retry.lua';

const BURY = new Script(buryLua);
const RETRY = new Script(retryLua);
/** Letters that a script moves at once. */
const BATCH = 32;

/** The letters that wait for one inbox, and its dead letters. */
export class Outbox {
  readonly inbox: string;
  readonly #redis: Redis;
  readonly #waiting: string;
  readonly #dead: string;

  constructor(redis: Redis, inbox: string) {
    this.inbox = inbox;
    this.#redis = redis;
    this.#waiting = keys.outbox(inbox);
    this.#dead = keys.dead(inbox);
  }

  async depths(): Promise<{ waiting: number; dead: number }> {
    const [waiting, dead] = await Promise.all([this.#redis.hlen(this.#waiting), this.#redis.hlen(this.#dead)]);
    return { waiting, dead };
  }

  ids(): Promise<Buffer[]> {
    return this.#redis.hkeysBuffer(this.#waiting);
  }

  async letter(id: Buffer): Promise<Letter | null> {
    const bytes = await this.#redis.hgetBuffer(this.#waiting, id);
    return bytes && { id, bytes };
  }

  async add(id: Buffer, letter: Buffer): Promise<void> {
    await this.#redis.hset(this.#waiting, id, letter);
  }

  /** Where a letter is: still waiting, dead for a reason, or gone to its inbox. */
  async find(id: Buffer): Promise<'waiting' | 'gone' | { dead: string }> {
    if ((await this.#redis.hexists(this.#waiting, id)) === 1) return 'waiting';
    const dead = await this.#redis.hget(keys.deadReasons(this.inbox), id);
    return dead === null ? 'gone' : { dead };
  }

  async remove(id: Buffer): Promise<void> {
    await this.#redis.hdel(this.#waiting, id);
  }

  /** Publishes a trouble for the operator's tools; `reason` null clears it. */
  async reportTrouble(trouble: InboxTrouble, reason: string | null): Promise<void> {
    await publishTrouble(this.#redis, this.inbox, trouble, reason);
  }

  /** Moves a letter to the dead letters in one step, so that no crash can lose it. */
  async bury(id: Buffer, reason: string): Promise<void> {
    await BURY.run(this.#redis, [this.#waiting, this.#dead, keys.deadReasons(this.inbox)], [id, reason]);
  }

  /** Puts dead letters back once each time that an operator asks, unless `stopping` returns true. */
  async retryDead(stopping: () => boolean): Promise<void> {
    const question = await readQuestion(this.#redis, 'retries');
    if (question?.inboxes.includes(this.inbox) !== true) return;
    if ((await readNote(this.#redis, 'retries', this.inbox))?.question === question.id) return;
    const names = [this.#waiting, this.#dead, keys.deadReasons(this.inbox), keys.retries];
    const ids = await this.#redis.hkeysBuffer(this.#dead);
    for (let at = 0; at < ids.length && !stopping(); at += BATCH) {
      await RETRY.run(this.#redis, names, [this.inbox, '', ...ids.slice(at, at + BATCH)]);
    }
    if (!stopping()) await RETRY.run(this.#redis, names, [this.inbox, question.id]);
  }
}
