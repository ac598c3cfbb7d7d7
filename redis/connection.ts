import { Redis, type RedisOptions } from 'ioredis';

export type Role = 'relay' | 'worker' | 'operator';

export type RedisTarget = { socketPath: string; username: string; password: string };

/** A command that takes longer counts as failed, even if Redis executed it: the relay answers within 3 s. */
export const COMMAND_TIMEOUT_MS = 2_000;
export const CONNECT_TIMEOUT_MS = 1_000;
const RECONNECT_MAX_MS = 500;

/**
 * Options that turn a dead Redis into an error within COMMAND_TIMEOUT_MS and recover without help: nothing is queued while it is
 * away, nothing is sent twice, and reconnecting never stops.
 * @param role only the worker's user may send INFO, and so wait for a Redis that is still loading; the others get an error
 */
export function redisOptions(target: RedisTarget, role: Role) {
  return {
    path: target.socketPath,
    username: target.username,
    password: target.password,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(attempt * 50, RECONNECT_MAX_MS),
    enableReadyCheck: role === 'worker',
    disableClientInfo: true,
  } satisfies RedisOptions;
}

/** The same for a connection that waits in a blocking command (BullMQ's), where waiting is not an error. */
export function blockingRedisOptions(target: RedisTarget, role: Role) {
  return { ...redisOptions(target, role), commandTimeout: undefined, maxRetriesPerRequest: null } satisfies RedisOptions;
}

/**
 * Connects and stays connected until `disconnect()`. Errors of the connection itself are ignored here: every command reports
 * them, and an unhandled 'error' event would end the process.
 */
export function connect(target: RedisTarget, role: Role): Redis {
  const redis = new Redis(redisOptions(target, role));
  redis.on('error', () => undefined);
  return redis;
}

/** Resolves once commands can be sent; rejects after `timeoutMs`. For programs that do one thing and exit. */
export async function whenReady(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const onReady = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      redis.off('ready', onReady);
      reject(new Error(`Redis did not answer within ${String(timeoutMs)} ms`));
    }, timeoutMs);
    redis.once('ready', onReady);
  });
}
