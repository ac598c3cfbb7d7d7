import type { Redis } from 'ioredis';
import { keys } from '../redis/keys.ts';
import { Script } from '../redis/script.ts';
import holdLua from './lua/hold.lua';
import releaseLua from './lua/release.lua';

/** How long a silent worker keeps its batch. Being late costs it only work, never a letter. */
export const LEASE_MS = 5_000;

const HOLD = new Script(holdLua);
const RELEASE = new Script(releaseLua);

export type Lease = { readonly name: string; readonly instance: string; readonly ms: number };

/**
 * A lease of two rounds, renewed once a round: each renewal writes the time into the append-only file, which must not date the
 * parcels next to it more precisely than to a round.
 */
export function roundLease(name: string, instance: string, roundMs: number): Lease {
  return { name, instance, ms: Math.max(LEASE_MS, 2 * roundMs) };
}

/**
 * Runs `work` unless another worker is doing the same work. Two at once do no more harm than a repeat, so a lease that expires
 * under a stalled process needs no fencing.
 */
export async function withLease(redis: Redis, { name, instance, ms }: Lease, work: () => Promise<void>): Promise<void> {
  const key = keys.lease(name);
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
