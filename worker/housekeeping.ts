import type { Redis } from 'ioredis';
import type { KeyringShelf } from '../runtime/keyrings.ts';
import { errorCode, log } from '../runtime/log.ts';
import { provideFunctions } from '../redis/functions.ts';
import { keys } from '../redis/keys.ts';
import { limitsText, publishHousekeeping, publishTrouble, type RelayLimits } from '../redis/state.ts';
import { mixArrivals } from './arrivals.ts';
import { loadIdentities, shred } from './identities.ts';
import type { Mailboxes } from './mailboxes.ts';
import { isFilling } from './memory.ts';
import type { Mix } from './mix.ts';
import { keptUntil } from './retention.ts';

export type HousekeepingSettings = {
  readonly identities: string;
  readonly backlogMs: number;
  readonly inboxes: readonly string[];
  readonly relay: RelayLimits;
};

/** Relays read their keyrings every 10 s: until then one may accept what this worker no longer expects. */
const RELAYS_KNOW_MS = 30_000;

/** What must be forgotten is forgotten here, every round. */
export class Housekeeping {
  readonly #redis: Redis;
  readonly #shelf: KeyringShelf;
  readonly #mix: Mix;
  readonly #mailboxes: Mailboxes;
  readonly #settings: HousekeepingSettings;
  readonly #now: () => Date;
  readonly #failing = new Map<string, string>();
  /** Serial -> when its key was first seen to be due. */
  readonly #due = new Map<number, Date>();

  constructor(redis: Redis, shelf: KeyringShelf, mix: Mix, mailboxes: Mailboxes, settings: HousekeepingSettings, now = () => new Date()) {
    this.#redis = redis;
    this.#shelf = shelf;
    this.#mix = mix;
    this.#mailboxes = mailboxes;
    this.#settings = settings;
    this.#now = now;
  }

  /** Each duty by itself: one that fails must not keep the others from being done. */
  async run(): Promise<void> {
    await this.#duty('functions', () => provideFunctions(this.#redis));
    await this.#duty('keys', () => this.#retireKeys());
    for (const { serial } of this.#shelf.all()) await this.#duty(`seen-${String(serial)}`, () => mixArrivals(this.#redis, serial));
    await this.#duty('inboxes', () => this.#listInboxes());
    // Where no keyring is valid the clock may be wrong: one that is ahead must not forget what waits.
    if (this.#shelf.current()) await this.#duty('mailboxes', () => this.#mailboxes.keepHouse(this.#now()));
    await this.#duty('aof', () => this.#rewriteLog());
    await this.#duty('state', () => this.#publish());
  }

  async #publish(): Promise<void> {
    const memory = isFilling(await this.#redis.info('memory')) ? 'filling' : 'ok';
    const housekeeping = [...this.#failing].map((failing) => failing.join(':')).join(' ');
    await publishHousekeeping(this.#redis, { housekeeping, memory, relayLimits: limitsText(this.#settings.relay) });
  }

  /**
   * Shreds keys whose time is over, and forgets which parcels came under them. Only after a round that began later and
   * had the key has taken everything out of the pool: an accepted parcel never outlives the key that opens it.
   */
  async #retireKeys(): Promise<void> {
    const { identities, unusable } = await loadIdentities(this.#settings.identities);
    for (const { serial, path } of identities) {
      const due = this.#dueSince(serial);
      if (due && this.#swept(serial, due)) await this.#duty(`key-${serial}`, () => this.#retire(serial, path));
    }
    // Nothing that could have needed them was accepted, or a worker on another machine had the key and was done.
    for (const { serial, path } of unusable) {
      if (this.#dueSince(serial) && (await this.#redis.exists(keys.seen(serial), keys.arrived(serial))) === 0) await this.#duty(`key-${serial}`, () => this.#retire(serial, path));
    }
    this.#mix.due = new Set(this.#due.keys());
  }

  /** When this worker first saw that the time of a key is over. */
  #dueSince(serial: number): Date | null {
    const now = this.#now();
    const until = keptUntil(serial, this.#shelf.all(), this.#settings.backlogMs);
    if (until && until <= now) {
      const since = this.#due.get(serial) ?? now;
      this.#due.set(serial, since);
      return since;
    }
    this.#due.delete(serial);
    return null;
  }

  #swept(serial: number, due: Date): boolean {
    const sweep = this.#mix.lastSweep;
    return sweep?.serials.has(serial) === true && sweep.startedAt.getTime() >= due.getTime() + RELAYS_KNOW_MS;
  }

  async #retire(serial: number, path: string): Promise<void> {
    await this.#redis.unlink(keys.seen(serial), keys.arrived(serial), keys.opened(serial));
    await shred(path, this.#settings.identities);
    this.#due.delete(serial);
    log.info('key retired', { serial });
  }

  /** For the operator's tools, which cannot read this worker's configuration. */
  async #listInboxes(): Promise<void> {
    for (const inbox of await this.#redis.smembers(keys.inboxes)) {
      if (this.#settings.inboxes.includes(inbox)) continue;
      // One that was taken out of the configuration too early stays in sight until somebody saw to its letters.
      const letters = (await this.#redis.hlen(keys.outbox(inbox))) + (await this.#redis.hlen(keys.dead(inbox)));
      await publishTrouble(this.#redis, inbox, 'unconfigured', letters === 0 ? null : 'unconfigured');
      if (letters === 0) await this.#redis.srem(keys.inboxes, inbox);
    }
    for (const inbox of this.#settings.inboxes) await publishTrouble(this.#redis, inbox, 'unconfigured', null);
    await this.#redis.sadd(keys.inboxes, [...this.#settings.inboxes]);
  }

  /**
   * The append-only file holds the order of what was written since it was last rewritten: never more than a round.
   * A rewrite fails after Redis has promised it, for example on a full disk, so each round looks at the one before.
   */
  async #rewriteLog(): Promise<void> {
    const failed = (await this.#redis.info('persistence')).includes('aof_last_bgrewrite_status:err');
    try {
      await this.#redis.bgrewriteaof();
    } catch (error) {
      if (!(error instanceof Error && /already in progress|scheduled/i.test(error.message))) throw error;
    }
    if (failed) throw Object.assign(new Error('the append-only file was not rewritten'), { code: 'AOF_REWRITE' });
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
