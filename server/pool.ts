import type { Redis } from 'ioredis';
import type { Parcel } from '../crypto/parcel.ts';
import { keys, SET_ANCHOR, shortId } from '../store/keys.ts';
import { Script } from '../store/script.ts';

export type PoolLimits = {
  /** Parcels in the pool at most. */
  poolLimit: number;
  /** Remembered ids per serial at most. */
  seenLimit: number;
};

/*
 * Seen before: accepted already, whatever the state of the pool. Room: remembered and added in one step.
 * The anchor (store/keys.ts) is in each set of ids that is there, and counts for none.
 */
const PUT = new Script(`
local pool, seen, arrived = KEYS[1], KEYS[2], KEYS[3]
local id, short, sealed, poolLimit, seenLimit, anchor = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
if redis.call('SISMEMBER', arrived, short) == 1 or redis.call('SISMEMBER', seen, short) == 1 then return 1 end
local function idsIn(set) return math.max(redis.call('SCARD', set) - 1, 0) end
if redis.call('HLEN', pool) >= poolLimit or idsIn(seen) + idsIn(arrived) >= seenLimit then return 0 end
redis.call('SADD', arrived, anchor, short)
redis.call('HSETNX', pool, id, sealed)
return 1
`);

/** The relay's side of the pool: parcels go in, none come out. */
export class Pool {
  private readonly redis: Redis;
  private readonly limits: PoolLimits;

  constructor(redis: Redis, limits: PoolLimits) {
    this.redis = redis;
    this.limits = limits;
  }

  /**
   * `accepted` only when Redis has the parcel on disk (appendfsync always), now or from an earlier time.
   * `away` says nothing about what became of it: sending the same parcel again is safe.
   */
  async put({ id, serial, sealed }: Parcel): Promise<'accepted' | 'full' | 'away'> {
    const { poolLimit, seenLimit } = this.limits;
    try {
      const stored = await PUT.run(
        this.redis,
        [keys.pool, keys.seen(serial), keys.arrived(serial)],
        [bufferOf(id), shortId(id), bufferOf(sealed), poolLimit, seenLimit, SET_ANCHOR],
      );
      return stored === 1 ? 'accepted' : 'full';
    } catch (error) {
      return isOutOfMemory(error) ? 'full' : 'away';
    }
  }
}

/** Redis' answer to a write above `maxmemory`; from a script it stands further inside the message in some versions. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b/.test(error.message);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
