import type { Redis } from 'ioredis';
import type { Parcel } from '../crypto/parcel.ts';
import { callFunction } from '../redis/functions.ts';
import { keys, rememberedId } from '../redis/keys.ts';

export type PoolLimits = {
  /** Parcels in the pool at most. */
  poolLimit: number;
  /** Remembered ids per serial at most. */
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
   * `accepted` only when Redis has the parcel on disk (appendfsync always), now or from an earlier time.
   * `away` says nothing about what became of it: sending the same parcel again is safe.
   */
  async put({ id, serial, sealed }: Parcel): Promise<'accepted' | 'full' | 'away'> {
    const { poolLimit, seenLimit } = this.#limits;
    try {
      const names = [keys.pool, keys.seen(serial), keys.arrived(serial)];
      const stored = await callFunction(this.#redis, 'put', names, [bufferOf(id), bufferOf(sealed), poolLimit, seenLimit]);
      return stored === 1 ? 'accepted' : 'full';
    } catch (error) {
      if (!isOutOfMemory(error)) return 'away';
      return (await this.#isKnown(id, serial)) ? 'accepted' : 'full';
    }
  }

  /** Without memory Redis runs no function that may write, not even for a parcel that it has. */
  async #isKnown(id: Uint8Array, serial: number): Promise<boolean> {
    // In this order: the worker may move it from the first to the second meanwhile.
    for (const name of [keys.arrived(serial), keys.seen(serial)]) {
      if ((await this.#redis.sismember(name, rememberedId(id)).catch(() => 0)) === 1) return true;
    }
    return false;
  }
}

/** Redis' answer to a write above `maxmemory`; from a script it stands further inside the message in some versions. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b/.test(error.message);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
