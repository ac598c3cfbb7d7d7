import type { Redis } from 'ioredis';
import { keys } from '../redis/keys.ts';
import { Script } from '../redis/script.ts';

/** How long a worker that says nothing keeps what it took. Being late costs it only work, never a letter. */
export const LEASE_MS = 5_000;

// A lease that runs longer than any is given was given before the clock was set back.
const HOLD = new Script(`#!lua flags=allow-oom
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and redis.call('PTTL', KEYS[1]) <= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

const RELEASE = new Script(`#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);

export type Lease = { readonly what: string; readonly instance: string; readonly ms: number };

/**
 * Of two rounds, renewed once a round: each renewal leaves the time in the append-only file, which must not tell more
 * exactly than a round when a parcel came that stands next to it.
 */
export function roundLease(what: string, instance: string, roundMs: number): Lease {
  return { what, instance, ms: Math.max(LEASE_MS, 2 * roundMs) };
}

/**
 * Runs `work` unless another worker is at the same work. Two at once would do no harm that a repeat does not do,
 * so a lease that runs out under a stalled process needs no fence.
 */
export async function withLease(redis: Redis, { what, instance, ms }: Lease, work: () => Promise<void>): Promise<void> {
  const key = keys.lease(what);
  const hold = async () => (await HOLD.run(redis, [key], [instance, ms])) === 1;
  if (!(await hold())) return;
  const renewal = setInterval(() => void hold().catch(() => false), ms / 2);
  try {
    await work();
  } finally {
    clearInterval(renewal);
    await RELEASE.run(redis, [key], [instance]).catch(() => undefined);
  }
}
