import * as z from 'zod';
import { HIGHEST_DIFFICULTY } from '../crypto/wire.ts';
import { absolutePath, integer, listenAddress, type ListenAddress, poolLimit, readEnv, secretFile, seenLimit } from '../runtime/env.ts';
import type { ShelfOptions } from '../runtime/keyrings.ts';
import type { RedisTarget } from '../redis/connection.ts';
import { MAX_REPLY_WEEKS, REPLY_WEEKS } from '../redis/mailboxes.ts';

export type RelayConfig = {
  /** Where tor (or a reverse proxy) connects. */
  listen: ListenAddress;
  /** Health checks, for the operator only. */
  privateListen: ListenAddress;
  redis: RedisTarget;
  keyrings: ShelfOptions;
  webDirectory: string;
  /** Leading zero bits required of a stamp while the pool is nearly empty. */
  difficulty: number;
  /** Maximum number of parcels in the pool. */
  poolLimit: number;
  /** Maximum number of remembered parcel ids per key of the worker. */
  seenLimit: number;
  /** How many full weeks back replies are read. */
  replyWeeks: number;
  /** A connection is closed when the body of its request makes too little progress in this time (server/connections.ts). */
  requestTimeoutMs: number;
};

export const relayEnv = z
  .object({
    RELAY_LISTEN: listenAddress,
    RELAY_PRIVATE_LISTEN: listenAddress,
    RELAY_REDIS_SOCKET: absolutePath,
    RELAY_REDIS_USER: z.string().min(1).default('relay'),
    RELAY_REDIS_PASSWORD_FILE: secretFile,
    RELAY_KEYRINGS: absolutePath,
    RELAY_ROOT_KEY: absolutePath,
    RELAY_WEB: absolutePath,
    RELAY_DIFFICULTY: integer(0, HIGHEST_DIFFICULTY).default(10),
    RELAY_POOL_LIMIT: poolLimit,
    RELAY_SEEN_LIMIT: seenLimit,
    RELAY_REPLY_WEEKS: integer(1, MAX_REPLY_WEEKS).default(REPLY_WEEKS),
    RELAY_REQUEST_TIMEOUT_SECONDS: integer(1, 600).default(60),
  })
  .transform((env): RelayConfig => ({
    listen: env.RELAY_LISTEN,
    privateListen: env.RELAY_PRIVATE_LISTEN,
    redis: { socketPath: env.RELAY_REDIS_SOCKET, username: env.RELAY_REDIS_USER, password: env.RELAY_REDIS_PASSWORD_FILE },
    keyrings: { directory: env.RELAY_KEYRINGS, rootKeyFile: env.RELAY_ROOT_KEY },
    webDirectory: env.RELAY_WEB,
    difficulty: env.RELAY_DIFFICULTY,
    poolLimit: env.RELAY_POOL_LIMIT,
    seenLimit: env.RELAY_SEEN_LIMIT,
    replyWeeks: env.RELAY_REPLY_WEEKS,
    requestTimeoutMs: env.RELAY_REQUEST_TIMEOUT_SECONDS * 1000,
  }));

export function readRelayConfig(): RelayConfig {
  return readEnv(relayEnv, process.env);
}
