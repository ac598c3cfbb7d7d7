import type { Redis } from 'ioredis';
import { shuffled } from '../crypto/bytes.ts';
import { keys, SET_ANCHOR } from '../redis/keys.ts';
import { Script } from '../redis/script.ts';
import moveLua from './lua/move.lua';

/** Ids moved per script call: a few milliseconds in which Redis does nothing else. */
const BATCH = 1_000;

const MOVE = new Script(moveLua);

/**
 * Moves the ids of parcels that arrived since the last call into `seen`, in random order: Redis keeps the members of a set in memory
 * in the order they were added, which would reveal the order of arrival for as long as they are kept.
 */
export async function mixArrivals(redis: Redis, keyId: string): Promise<void> {
  const ids = (await redis.smembersBuffer(keys.arrived(keyId))).filter((id) => id.toString('latin1') !== SET_ANCHOR);
  const inTurn = shuffled(ids);
  for (let at = 0; at < inTurn.length; at += BATCH) {
    await MOVE.run(redis, [keys.arrived(keyId), keys.seen(keyId)], [SET_ANCHOR, ...inTurn.slice(at, at + BATCH)]);
  }
}
