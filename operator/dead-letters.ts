import type { Redis } from 'ioredis';
import { ask } from '../redis/asking.ts';
import { keys } from '../redis/keys.ts';
import { magnitude, type Magnitude } from '../redis/state.ts';

export type DeadStatus = { inbox: string; dead: Magnitude; reasons: { reason: string; count: Magnitude }[] };

/** Counts the dead letters of each inbox and their reasons, as orders of magnitude. */
export async function listDead(redis: Redis, inboxes: readonly string[]): Promise<DeadStatus[]> {
  return Promise.all(inboxes.map((inbox) => deadOf(redis, inbox)));
}

async function deadOf(redis: Redis, inbox: string): Promise<DeadStatus> {
  const counts = new Map<string, number>();
  const ids = await redis.hkeysBuffer(keys.dead(inbox));
  for (const id of ids) {
    // A dead letter of an earlier version has no reason.
    const reason = (await redis.hget(keys.deadReasons(inbox), id)) ?? 'unknown';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts].map(([reason, count]) => ({ reason, count: magnitude(count) }));
  return { inbox, dead: magnitude(ids.length), reasons: reasons.toSorted((a, b) => (a.reason < b.reason ? -1 : 1)) };
}

export type DeadLetter = { readonly id: Buffer; readonly letter: Buffer };

/** Yields one letter at a time: all of them together may not fit into memory. */
export async function* deadLetters(redis: Redis, inbox: string): AsyncGenerator<DeadLetter> {
  for (const id of await redis.hkeysBuffer(keys.dead(inbox))) {
    const letter = await redis.hgetBuffer(keys.dead(inbox), id);
    if (letter !== null) yield { id, letter };
  }
}

/** Has the worker put the dead letters of an inbox back into its outbox, and returns how many there are. */
export async function retryDead(redis: Redis, inbox: string): Promise<number> {
  const { length } = await deadIds(redis, inbox);
  if (length > 0) await ask(redis, 'retries', [inbox]);
  return length;
}

/** Deletes these dead letters for good, and returns how many of them were still there. */
export async function dropDead(redis: Redis, inbox: string, ids: readonly Buffer[]): Promise<number> {
  let dropped = 0;
  for (const id of ids) {
    const [removed] = await all(redis.multi().hdel(keys.dead(inbox), id).hdel(keys.deadReasons(inbox), id));
    dropped += Number(removed);
  }
  return dropped;
}

export async function deadIds(redis: Redis, inbox: string): Promise<Buffer[]> {
  return redis.hkeysBuffer(keys.dead(inbox));
}

export async function inboxes(redis: Redis): Promise<string[]> {
  return (await redis.smembers(keys.inboxes)).sort();
}

async function all(transaction: ReturnType<Redis['multi']>): Promise<unknown[]> {
  const results = (await transaction.exec()) ?? [];
  return results.map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
}
