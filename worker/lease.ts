import type { Redis } from 'ioredis';
import { keys } from '../store/keys.ts';
import { Script } from '../store/script.ts';

/** How long a worker that says nothing keeps what it took. Being late costs it only work, never a letter. */
export const LEASE_MS = 5_000;
const RENEW_MS = 1_500;

const HOLD = new Script(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

const RELEASE = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);

/**
 * Runs `work` unless another worker is at the same work. Two at once would do no harm that a repeat does not do,
 * so a lease that runs out under a stalled process needs no fence.
 */
export async function withLease(redis: Redis, what: string, instance: string, work: () => Promise<void>): Promise<void> {
  const key = keys.lease(what);
  const hold = async () => (await HOLD.run(redis, [key], [instance, LEASE_MS])) === 1;
  if (!(await hold())) return;
  const renewal = setInterval(() => void hold().catch(() => false), RENEW_MS);
  try {
    await work();
  } finally {
    clearInterval(renewal);
    await RELEASE.run(redis, [key], [instance]).catch(() => undefined);
  }
}
