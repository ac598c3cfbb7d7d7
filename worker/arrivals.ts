import type { Redis } from 'ioredis';
import { shuffled } from '../crypto/bytes.ts';
import { keys, SET_ANCHOR } from '../redis/keys.ts';
import { Script } from '../redis/script.ts';

/** What one step moves: a few milliseconds in which Redis does nothing else. */
const BATCH = 1_000;

/*
 * One by one from a set to the other, in the order that is given: at any moment an id is in one of the two. The memory that one
 * leaves is taken by the next. Works when the memory is full, since it needs none: `allow-oom`.
 */
const MOVE = new Script(`#!lua flags=allow-oom
redis.call('SADD', KEYS[2], ARGV[1])
for i = 2, #ARGV do
  if redis.call('SREM', KEYS[1], ARGV[i]) == 1 then redis.call('SADD', KEYS[2], ARGV[i]) end
end
return 1
`);

/**
 * Moves the ids of parcels that came since the last time to those that are remembered, in random order: entries of a set lie in
 * Redis' memory in the order in which they were added, and would tell it for as long as they are kept.
 */
export async function mixArrivals(redis: Redis, serial: number): Promise<void> {
  const ids = (await redis.smembersBuffer(keys.arrived(serial))).filter((id) => id.toString('latin1') !== SET_ANCHOR);
  const inTurn = shuffled(ids);
  for (let at = 0; at < inTurn.length; at += BATCH) {
    await MOVE.run(redis, [keys.arrived(serial), keys.seen(serial)], [SET_ANCHOR, ...inTurn.slice(at, at + BATCH)]);
  }
}
