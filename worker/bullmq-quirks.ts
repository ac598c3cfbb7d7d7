// Workarounds for what BullMQ 6.7 does while Redis is away or full.
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisConnection, type Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { blockingRedisOptions, redisOptions, type RedisTarget } from '../redis/connection.ts';

/** How long BullMQ waits after a failure before it asks again. */
export const RETRY_MS = 1_000;

/** From this version on, BullMQ uses millisecond timeouts for blocking commands. */
const REDIS_VERSION = '7.0.8';

/**
 * BullMQ asks for the Redis version once per connection. If Redis goes away at that moment, BullMQ waits for ever, or loops without
 * yielding. With this and the option `skipVersionCheck` it assumes REDIS_VERSION instead. Applies to all connections of the
 * process; must be called before the first one is made.
 */
export function assumeRedisVersion(): void {
  RedisConnection.minimumVersion = REDIS_VERSION;
}

/** When Redis refuses, for example because its memory is full, BullMQ asks for the next job again at once. This adds a pause. */
export function askSlowlyAfterFailure(backend: Worker['backend']): void {
  const ask = backend.moveToActive.bind(backend);
  backend.moveToActive = async (...args) => {
    try {
      return await ask(...args);
    } catch (error) {
      await sleep(RETRY_MS, undefined, { ref: false });
      throw error;
    }
  };
}

/**
 * BullMQ's connections. BullMQ loops without pause on a connection that fails at once. So here, unlike where letters are moved,
 * commands wait for Redis to come back, up to `commandTimeout`. BullMQ makes its blocking connection by `duplicate()`; that one
 * waits for seconds by design and must not time out.
 */
export class BullmqConnections {
  readonly main: Redis;
  readonly #all: Redis[] = [];

  constructor(target: RedisTarget) {
    this.main = this.#keep(new Redis({ ...redisOptions(target, 'worker'), enableOfflineQueue: true, maxRetriesPerRequest: null }));
    this.main.duplicate = ((name?: { connectionName: string }) =>
      this.#keep(new Redis({ ...blockingRedisOptions(target, 'worker'), ...name }))) as Redis['duplicate'];
  }

  disconnect(): void {
    for (const redis of this.#all) redis.disconnect();
  }

  #keep(redis: Redis): Redis {
    // BullMQ removes its listeners when it closes; without any, ioredis writes later errors to stderr.
    redis.on('error', () => undefined);
    this.#all.push(redis);
    return redis;
  }
}
