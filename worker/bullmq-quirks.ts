// What BullMQ 6.7 does that a worker cannot live with while Redis is away or full, and how it is kept from it.
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisConnection, type Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { blockingRedisOptions, redisOptions, type RedisTarget } from '../redis/connection.ts';

/** How long BullMQ waits after a failure before it asks again. */
export const RETRY_MS = 1_000;

/** From this version on, BullMQ lets Redis block for milliseconds, as it should. */
const REDIS_VERSION = '7.0.8';

/**
 * BullMQ asks every connection once for its version. If Redis goes away just then, it waits for the answer for ever, or loops
 * without letting anything else run. With this and the option `skipVersionCheck` it does not ask, and assumes REDIS_VERSION. For
 * all connections of the process; to be called before the first.
 */
export function assumeRedisVersion(): void {
  RedisConnection.minimumVersion = REDIS_VERSION;
}

/** BullMQ asks for the next job again at once when Redis refuses, as one does whose memory is full. This lets it wait before. */
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
 * The connections that BullMQ gets. On a connection that refuses at once BullMQ loops without pause. So here, unlike where letters
 * are moved, commands wait for Redis to come back, each for as long as `commandTimeout` lets it. BullMQ makes its blocking
 * connection by `duplicate()`: that one waits for seconds by design, and must not time out.
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
    // BullMQ takes its listeners away when it closes; without any, ioredis writes what happens later to stderr.
    redis.on('error', () => undefined);
    this.#all.push(redis);
    return redis;
  }
}
