import type { Redis } from 'ioredis';
import type { KeyringShelf } from '../service/keyrings.ts';
import { errorCode, log } from '../service/log.ts';
import { keys } from '../store/keys.ts';
import { loadIdentities, shred } from './identities.ts';
import type { Mix } from './mix.ts';
import { keptUntil } from './retention.ts';

export type HousekeepingSettings = {
  readonly identities: string;
  readonly backlogMs: number;
  readonly inboxes: readonly string[];
};

/** What must be forgotten is forgotten here, every round. */
export class Housekeeping {
  readonly #redis: Redis;
  readonly #shelf: KeyringShelf;
  readonly #mix: Mix;
  readonly #settings: HousekeepingSettings;
  readonly #now: () => Date;
  readonly #failing = new Map<string, string>();

  constructor(redis: Redis, shelf: KeyringShelf, mix: Mix, settings: HousekeepingSettings, now = () => new Date()) {
    this.#redis = redis;
    this.#shelf = shelf;
    this.#mix = mix;
    this.#settings = settings;
    this.#now = now;
  }

  /** Each duty by itself: one that fails must not keep the others from being done. */
  async run(): Promise<void> {
    await this.#duty('keys', () => this.#retireKeys());
    await this.#duty('inboxes', () => this.#listInboxes());
    await this.#duty('aof', () => this.#rewriteLog());
  }

  /**
   * Shreds keys whose time is over, and forgets which parcels came under them. Only after a round that began later
   * has taken everything out of the pool: an accepted parcel never outlives the key that opens it.
   */
  async #retireKeys(): Promise<void> {
    const now = this.#now();
    const { identities } = await loadIdentities(this.#settings.identities);
    for (const { serial, path } of identities) {
      const until = keptUntil(serial, this.#shelf.all(), this.#settings.backlogMs);
      if (!until || now < until) continue;
      if (this.#mix.sweptAt && this.#mix.sweptAt > until) {
        await this.#redis.unlink(keys.seen(serial), keys.opened(serial));
        await shred(path, this.#settings.identities);
        log.info('key retired', { serial });
      } else this.#mix.sweepWanted = true;
    }
    // A worker on another machine may have shredded the last key while this one was away.
    const kept = new Set(identities.map(({ serial }) => serial));
    for (const { serial } of this.#shelf.all()) {
      const until = keptUntil(serial, this.#shelf.all(), this.#settings.backlogMs);
      if (until && until <= now && !kept.has(serial)) await this.#redis.unlink(keys.seen(serial), keys.opened(serial));
    }
  }

  /** For the operator's tools, which cannot read this worker's configuration. */
  async #listInboxes(): Promise<void> {
    for (const inbox of await this.#redis.smembers(keys.inboxes)) {
      if (this.#settings.inboxes.includes(inbox)) continue;
      // One that was taken out of the configuration too early stays in sight until somebody saw to its letters.
      const letters = (await this.#redis.hlen(keys.outbox(inbox))) + (await this.#redis.hlen(keys.dead(inbox)));
      if (letters === 0) await this.#redis.srem(keys.inboxes, inbox);
    }
    await this.#redis.sadd(keys.inboxes, [...this.#settings.inboxes]);
  }

  /** The append-only file holds the order of what was written since it was last rewritten: never more than a round. */
  async #rewriteLog(): Promise<void> {
    try {
      await this.#redis.bgrewriteaof();
    } catch (error) {
      if (error instanceof Error && /already in progress|scheduled/i.test(error.message)) return;
      throw error;
    }
  }

  async #duty(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failing.delete(name);
    } catch (error) {
      const code = errorCode(error);
      if (this.#failing.get(name) !== code) log.error('housekeeping failed', { reason: name, code });
      this.#failing.set(name, code);
    }
  }
}
