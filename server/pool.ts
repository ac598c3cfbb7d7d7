import type { Redis } from 'ioredis';
import type { Parcel } from '../crypto/parcel.ts';
import { callFunction } from '../redis/functions.ts';
import { keys, rememberedId } from '../redis/keys.ts';

export type PoolLimits = {
  /** Maximum number of parcels in the pool. */
  poolLimit: number;
  /** Maximum number of remembered ids per key of the worker. */
  seenLimit: number;
};

/** The relay's side of the pool: parcels go in, none come out. */
export class Pool {
  readonly #redis: Redis;
  readonly #limits: PoolLimits;

  constructor(redis: Redis, limits: PoolLimits) {
    this.#redis = redis;
    this.#limits = limits;
  }

  /**
   * `accepted` only when Redis has the parcel on disk (appendfsync always), from now or from an earlier attempt.
   * `away` leaves open whether it was stored; sending the same parcel again is safe.
   */
  async put({ id, sealed }: Pick<Parcel, 'id' | 'sealed'>, keyId: string): Promise<'accepted' | 'full' | 'away'> {
    const { poolLimit, seenLimit } = this.#limits;
    try {
      const names = [keys.pool, keys.seen(keyId), keys.arrived(keyId)];
      const stored = await callFunction(this.#redis, 'put', names, [bufferOf(id), bufferOf(sealed), poolLimit, seenLimit]);
      return stored === 1 ? 'accepted' : 'full';
    } catch (error) {
      if (!isOutOfMemory(error)) return 'away';
      return (await this.#isKnown(id, keyId)) ? 'accepted' : 'full';
    }
  }

  /** When out of memory, Redis runs no function that may write, not even for a parcel that it already has. */
  async #isKnown(id: Uint8Array, keyId: string): Promise<boolean> {
    // In this order: the worker may move the id from the first set to the second meanwhile.
    for (const name of [keys.arrived(keyId), keys.seen(keyId)]) {
      if ((await this.#redis.sismember(name, rememberedId(id)).catch(() => 0)) === 1) return true;
    }
    return false;
  }
}

/** Redis refused a write above `maxmemory`. For a script, some versions put OOM further inside the message. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b/.test(error.message);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
