import type { Redis } from 'ioredis';
import { errorCode, log } from '../runtime/log.ts';
import { channels, nonceSchema, type RelayAnswer, type RelayCondition } from '../redis/presence.ts';
import { connect, type RedisTarget } from '../redis/connection.ts';

/** Answers operators' tools while the relay is listening, so that they notice its absence (redis/presence.ts). */
export class Presence {
  readonly #target: RedisTarget;
  readonly #condition: () => RelayCondition;
  /** Separate, because a subscribed connection can do nothing else. */
  #listening: Redis | undefined;
  #speaking: Redis;
  #failed = false;

  constructor(target: RedisTarget, speaking: Redis, condition: () => RelayCondition) {
    this.#target = target;
    this.#speaking = speaking;
    this.#condition = condition;
  }

  /** Does not wait for Redis: a relay must start without it too. */
  start(): void {
    const redis = connect(this.#target, 'relay');
    this.#listening = redis;
    // Subscribes again each time Redis comes back.
    redis.on('ready', () => void this.#attempt(() => redis.subscribe(channels.ask)));
    redis.on('message', (_channel: string, nonce: string) => {
      if (nonceSchema.safeParse(nonce).success) void this.#answer(nonce);
    });
  }

  destroy(): void {
    this.#listening?.disconnect();
  }

  async #answer(nonce: string): Promise<void> {
    const answer: RelayAnswer = { nonce, ...this.#condition() };
    await this.#attempt(() => this.#speaking.publish(channels.answer, JSON.stringify(answer)));
  }

  /** Redis may go away at any moment, or have the ACL users of an earlier version. That is logged once, and no reason to stop. */
  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) log.warn('status unanswered', { code: errorCode(error) });
      this.#failed = true;
    }
  }
}
