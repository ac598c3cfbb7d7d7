import type { Redis } from 'ioredis';
import { keys } from '../store/keys.ts';

/**
 * Puts every dead letter of an inbox back into its outbox and returns how many. Each letter moves in one transaction:
 * the worker may refuse it again at any moment, and between two single commands that would lose it. A letter that is
 * already waiting keeps its place: the field is the letter's id, so it is the same letter.
 */
export async function redrive(redis: Redis, inbox: string): Promise<number> {
  let moved = 0;
  for (const id of await redis.hkeysBuffer(keys.dead(inbox))) {
    const letter = await redis.hgetBuffer(keys.dead(inbox), id);
    if (letter === null) continue;
    const results = await redis.multi().hsetnx(keys.outbox(inbox), id, letter).hdel(keys.dead(inbox), id).exec();
    const failure = results?.find(([error]) => error !== null)?.[0];
    if (failure) throw failure;
    moved += 1;
  }
  return moved;
}

export async function inboxes(redis: Redis): Promise<string[]> {
  return (await redis.smembers(keys.inboxes)).sort();
}
