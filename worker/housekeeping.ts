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
import { keptUntil } from './retention.ts';
import { Retirement } from './retirement.ts';
import type { Sweep } from './sweep.ts';

export type HousekeepingSettings = {
  readonly identities: string;
  readonly backlogMs: number;
  readonly inboxes: readonly string[];
  readonly relay: RelayLimits;
};

/** Deletes whatever must not be kept, once a round. */
export class Housekeeping {
  readonly #redis: Redis;
  readonly #shelf: KeyringShelf;
  readonly #mailboxes: Mailboxes;
  readonly #settings: HousekeepingSettings;
  readonly #now: () => Date;
  readonly #retirement = new Retirement();
  /** Failing task -> error code. */
  readonly #failing = new Map<string, string>();

  constructor(redis: Redis, shelf: KeyringShelf, mailboxes: Mailboxes, settings: HousekeepingSettings, now = () => new Date()) {
    this.#redis = redis;
    this.#shelf = shelf;
    this.#mailboxes = mailboxes;
    this.#settings = settings;
    this.#now = now;
  }

  /** Serials of keys that have expired: the next round of the mix sweeps them. */
  get due(): ReadonlySet<number> {
    return this.#retirement.due;
  }

  /** @param sweep what a round of the mix swept; null: nothing */
  noteSweep(sweep: Sweep | null): void {
    this.#retirement.noteSweep(sweep);
  }

  /** Runs each task on its own: one that fails must not stop the others. */
  async run(): Promise<void> {
    await this.#attempt('functions', () => provideFunctions(this.#redis));
    await this.#attempt('keys', () => this.#retireKeys());
    for (const { serial } of this.#shelf.all()) await this.#attempt(`seen-${String(serial)}`, () => mixArrivals(this.#redis, serial));
    await this.#attempt('inboxes', () => this.#listInboxes());
    // If no keyring is valid the clock may be wrong: one that is ahead must not delete replies that still wait.
    if (this.#shelf.current()) await this.#attempt('mailboxes', () => this.#mailboxes.forgetOldWeeks(this.#now()));
    await this.#attempt('aof', () => this.#rewriteLog());
    await this.#attempt('state', () => this.#publish());
  }

  async #publish(): Promise<void> {
    const memory = isFilling(await this.#redis.info('memory')) ? 'filling' : 'ok';
    const housekeeping = [...this.#failing].map((failing) => failing.join(':')).join(' ');
    await publishHousekeeping(this.#redis, { housekeeping, memory, relayLimits: limitsText(this.#settings.relay) });
  }

  /** Shreds the keys that may be shredded (worker/retirement.ts), and forgets which parcels came under them. */
  async #retireKeys(): Promise<void> {
    const { identities, unusable } = await loadIdentities(this.#settings.identities);
    for (const { serial, path } of identities) {
      this.#updateDue(serial);
      if (this.#retirement.mayShred(serial)) await this.#attempt(`key-${String(serial)}`, () => this.#retire(serial, path));
    }
    for (const { serial, path } of unusable) {
      this.#updateDue(serial);
      if (!this.#retirement.due.has(serial)) continue;
      const accepted = (await this.#redis.exists(keys.seen(serial), keys.arrived(serial))) !== 0;
      if (this.#retirement.mayShredUnusable(serial, accepted))
        await this.#attempt(`key-${String(serial)}`, () => this.#retire(serial, path));
    }
  }

  #updateDue(serial: number): void {
    this.#retirement.updateDue(serial, keptUntil(serial, this.#shelf.all(), this.#settings.backlogMs), this.#now());
  }

  async #retire(serial: number, path: string): Promise<void> {
    await this.#redis.unlink(keys.seen(serial), keys.arrived(serial), keys.opened(serial));
    await shred(path, this.#settings.identities);
    this.#retirement.noteShredded(serial);
    log.info('key retired', { serial });
  }

  /** Lists the inboxes for the operator's tools, which cannot read this worker's configuration. */
  async #listInboxes(): Promise<void> {
    for (const inbox of await this.#redis.smembers(keys.inboxes)) {
      if (this.#settings.inboxes.includes(inbox)) continue;
      // An inbox that was removed from the configuration too early stays listed until its letters are dealt with.
      const letters = (await this.#redis.hlen(keys.outbox(inbox))) + (await this.#redis.hlen(keys.dead(inbox)));
      await publishTrouble(this.#redis, inbox, 'unconfigured', letters === 0 ? null : 'unconfigured');
      if (letters === 0) await this.#redis.srem(keys.inboxes, inbox);
    }
    for (const inbox of this.#settings.inboxes) await publishTrouble(this.#redis, inbox, 'unconfigured', null);
    await this.#redis.sadd(keys.inboxes, [...this.#settings.inboxes]);
  }

  /**
   * The append-only file holds the order of writes since its last rewrite: so it is rewritten every round.
   * A rewrite that Redis has started may still fail, for example on a full disk, so each round checks the one before.
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

  async #attempt(name: string, work: () => Promise<void>): Promise<void> {
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
