import type { Redis } from 'ioredis';
import { keys } from '../redis/keys.ts';
import { Script } from '../redis/script.ts';
import { commitTape, type Outcome } from './commit.ts';
import { LEASE_MS } from './lease.ts';
import commitLua from './lua/commit.lua';
import readPoolLua from './lua/read-pool.lua';
import takeLua from './lua/take.lua';
import takeOverLua from './lua/take-over.lua';

export type SealedParcel = { readonly id: Buffer; readonly sealed: Buffer };

const TAKE = new Script(takeLua);
const TAKE_OVER = new Script(takeOverLua);
const READ_POOL = new Script(readPoolLua);
const COMMIT = new Script(commitLua);

/**
 * The batch of parcels that this worker took out of the pool and has not finished; in Redis it is the hash `claim:*`
 * (redis/keys.ts). It outlives its worker: once the lease has expired, another worker takes the batch over by renaming the hash.
 * After that a commit by the first worker fails, so no parcel is processed twice.
 */
export class BatchLease {
  readonly #redis: Redis;
  readonly #instance: string;

  constructor(redis: Redis, instance: string) {
    this.#redis = redis;
    this.#instance = instance;
  }

  /** Moves those of `ids` that are still in the pool into the batch, and renews the lease. Returns the whole batch. */
  async take(ids: readonly Buffer[]): Promise<SealedParcel[]> {
    const names = [keys.pool, keys.claim(this.#instance), keys.claims, keys.lease(this.#instance)];
    return toParcels(await TAKE.run(this.#redis, names, [this.#instance, LEASE_MS, ...ids]));
  }

  /** Returns what is left of a dead worker's batch, or of our own after a failed commit. */
  async takeOver(): Promise<SealedParcel[]> {
    for (const other of await this.#otherInstances()) {
      const names = [keys.lease(other), keys.claim(other), keys.claims, keys.claim(this.#instance), keys.lease(this.#instance)];
      if ((await TAKE_OVER.run(this.#redis, names, [other, this.#instance, LEASE_MS])) === 1) break;
    }
    return this.take([]);
  }

  /** Returns the ids in the pool. `othersHaveBatches`: at that moment another worker, alive or dead, had a batch of its own. */
  async readPool(): Promise<{ ids: Buffer[]; othersHaveBatches: boolean }> {
    const [instances, ids] = (await READ_POOL.run(this.#redis, [keys.claims, keys.pool], [])) as [Buffer[], Buffer[]];
    return { ids, othersHaveBatches: instances.some((instance) => instance.toString() !== this.#instance) };
  }

  /**
   * Writes all outcomes in one step, in random order, and the ids of opened parcels in another order.
   * @returns false when the batch is no longer ours; nothing was written then
   */
  async commit(outcomes: readonly Outcome[]): Promise<boolean> {
    const { names, args } = commitTape(this.#instance, outcomes);
    return (await COMMIT.run(this.#redis, names, args)) === 1;
  }

  async #otherInstances(): Promise<string[]> {
    return (await this.#redis.smembers(keys.claims)).filter((instance) => instance !== this.#instance);
  }
}

function toParcels(reply: unknown): SealedParcel[] {
  const flat = reply as Buffer[];
  return flat.flatMap((id, index) => {
    const sealed = flat[index + 1];
    return index % 2 === 0 && sealed ? [{ id, sealed }] : [];
  });
}
