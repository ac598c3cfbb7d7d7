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
import { Retirement, type Sweep } from './sweep.ts';

export type HousekeepingSettings = {
  readonly identities: string;
  readonly backlogMs: number;
  readonly inboxes: readonly string[];
  readonly relay: RelayLimits;
};

/** Forgets what must be forgotten, every round. */
export class Housekeeping {
  readonly #redis: Redis;
  readonly #shelf: KeyringShelf;
  readonly #mailboxes: Mailboxes;
  readonly #settings: HousekeepingSettings;
  readonly #now: () => Date;
  readonly #retirement = new Retirement();
  /** What fails -> with which code. */
  readonly #failing = new Map<string, string>();

  constructor(redis: Redis, shelf: KeyringShelf, mailboxes: Mailboxes, settings: HousekeepingSettings, now = () => new Date()) {
    this.#redis = redis;
    this.#shelf = shelf;
    this.#mailboxes = mailboxes;
    this.#settings = settings;
    this.#now = now;
  }

  /** Serials of keys whose time is over: the next round of the mix sweeps them. */
  get due(): ReadonlySet<number> {
    return this.#retirement.due;
  }

  /** @param sweep of a round of the mix; null: it swept nothing */
  noteSweep(sweep: Sweep | null): void {
    this.#retirement.noteSweep(sweep);
  }

  /** Each duty by itself: one that fails must not keep the others from being done. */
  async run(): Promise<void> {
    await this.#duty('functions', () => provideFunctions(this.#redis));
    await this.#duty('keys', () => this.#retireKeys());
    for (const { serial } of this.#shelf.all()) await this.#duty(`seen-${String(serial)}`, () => mixArrivals(this.#redis, serial));
    await this.#duty('inboxes', () => this.#listInboxes());
    // Where no keyring is valid the clock may be wrong: one that is ahead must not forget what waits.
    if (this.#shelf.current()) await this.#duty('mailboxes', () => this.#mailboxes.forgetOldWeeks(this.#now()));
    await this.#duty('aof', () => this.#rewriteLog());
    await this.#duty('state', () => this.#publish());
  }

  async #publish(): Promise<void> {
    const memory = isFilling(await this.#redis.info('memory')) ? 'filling' : 'ok';
    const housekeeping = [...this.#failing].map((failing) => failing.join(':')).join(' ');
    await publishHousekeeping(this.#redis, { housekeeping, memory, relayLimits: limitsText(this.#settings.relay) });
  }

  /** Shreds the keys that may be (worker/sweep.ts), and forgets which parcels came under them. */
  async #retireKeys(): Promise<void> {
    const { identities, unusable } = await loadIdentities(this.#settings.identities);
    for (const { serial, path } of identities) {
      this.#lookAtKey(serial);
      if (this.#retirement.mayShred(serial)) await this.#duty(`key-${serial}`, () => this.#retire(serial, path));
    }
    for (const { serial, path } of unusable) {
      this.#lookAtKey(serial);
      if (!this.#retirement.due.has(serial)) continue;
      const accepted = (await this.#redis.exists(keys.seen(serial), keys.arrived(serial))) !== 0;
      if (this.#retirement.mayShredUnusable(serial, accepted)) await this.#duty(`key-${serial}`, () => this.#retire(serial, path));
    }
  }

  #lookAtKey(serial: number): void {
    this.#retirement.look(serial, keptUntil(serial, this.#shelf.all(), this.#settings.backlogMs), this.#now());
  }

  async #retire(serial: number, path: string): Promise<void> {
    await this.#redis.unlink(keys.seen(serial), keys.arrived(serial), keys.opened(serial));
    await shred(path, this.#settings.identities);
    this.#retirement.shredded(serial);
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
