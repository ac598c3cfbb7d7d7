import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { shred } from '../runtime/files.ts';
import type { KeyringShelf } from '../runtime/keyrings.ts';
import { errorCode, log } from '../runtime/log.ts';
import { VERSION } from '../runtime/version.ts';
import { provideFunctions } from '../redis/functions.ts';
import { keys } from '../redis/keys.ts';
import { differingSettings, REQUIRED_SETTINGS } from '../redis/settings.ts';
import {
  limitsText,
  publishHousekeeping,
  publishTrouble,
  publishWaiting,
  type HousekeepingState,
  type RelayLimits,
} from '../redis/state.ts';
import { mixArrivals } from './arrivals.ts';
import type { DeletionClock } from './deletion-clock.ts';
import { loadIdentities, type WorkerIdentity } from './identities.ts';
import type { Mailboxes } from './mailboxes.ts';
import { isFilling } from './memory.ts';
import { keptUntil } from './retention.ts';
import { Retirement } from './retirement.ts';
import type { Sweep } from './sweep.ts';

const DAY_MS = 24 * 3_600_000;

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
  readonly #clock: DeletionClock;
  readonly #retirement = new Retirement();
  /** Failing task -> error code. */
  readonly #failing = new Map<string, string>();
  #aof: HousekeepingState['aof'] = 'ok';
  #keysUntil = '';
  #differing: readonly string[] = [];

  constructor(redis: Redis, shelf: KeyringShelf, mailboxes: Mailboxes, settings: HousekeepingSettings, clock: DeletionClock) {
    this.#redis = redis;
    this.#shelf = shelf;
    this.#mailboxes = mailboxes;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Ids of keys that have expired: the next round of the mix sweeps them. */
  get due(): ReadonlySet<string> {
    return this.#retirement.due;
  }

  /** @param sweep what a round of the mix swept; null: nothing */
  noteSweep(sweep: Sweep | null): void {
    this.#retirement.noteSweep(sweep);
  }

  /** Runs each task on its own: one that fails must not stop the others. */
  async run(): Promise<void> {
    await this.#attempt('functions', () => provideFunctions(this.#redis));
    const deletionTime = await this.#clock.tick();
    await this.#attempt('clock', () => this.#clock.remember());
    await this.#attempt('keys', () => this.#retireKeys(deletionTime));
    const keyIds = new Set(this.#shelf.all().map(({ keyId }) => keyId));
    for (const keyId of keyIds) await this.#attempt(`seen-${keyId}`, () => mixArrivals(this.#redis, keyId));
    await this.#attempt('inboxes', () => this.#listInboxes());
    // While no keyring is valid nobody can read replies: they wait until one is.
    if (this.#shelf.current()) await this.#attempt('mailboxes', () => this.#mailboxes.forgetOldWeeks(deletionTime));
    await this.#attempt('aof', () => this.#rewriteLog());
    await this.#attempt('settings', () => this.#compareSettings());
    await this.#attempt('state', () => this.#publish());
  }

  async #publish(): Promise<void> {
    const memory = isFilling(await this.#redis.info('memory')) ? 'filling' : 'ok';
    const housekeeping = [...this.#failing].map((failing) => failing.join(':')).join(' ');
    const clockAheadDays = String(Math.floor(this.#clock.lagMs / DAY_MS));
    const relayLimits = limitsText(this.#settings.relay);
    const [aof, keysUntil, redisSettings] = [this.#aof, this.#keysUntil, this.#differing.join(' ')];
    const own = { relayLimits, keysUntil, version: VERSION };
    await publishHousekeeping(this.#redis, { housekeeping, memory, clockAheadDays, aof, redisSettings, ...own });
  }

  async #compareSettings(): Promise<void> {
    this.#differing = differingSettings((await this.#redis.config('GET', ...Object.keys(REQUIRED_SETTINGS))) as string[]);
  }

  /** Shreds the keys that may be shredded (worker/retirement.ts), and forgets which parcels came for them. */
  async #retireKeys(deletionTime: Date): Promise<void> {
    const { identities, unusable } = await loadIdentities(this.#settings.identities);
    const ends = identities.flatMap(({ weekEnd }) => weekEnd?.getTime() ?? []);
    this.#keysUntil = ends.length === 0 ? '' : new Date(Math.max(...ends)).toISOString();
    for (const key of identities) {
      this.#updateDue(key, deletionTime);
      if (this.#retirement.mayShred(key.keyId)) await this.#attempt(`key-${key.keyId}`, () => this.#retire(key));
    }
    for (const { key } of unusable) {
      if (key === null || identities.some(({ keyId }) => keyId === key.keyId)) continue;
      this.#updateDue(key, deletionTime);
      if (!this.#retirement.due.has(key.keyId)) continue;
      const accepted = (await this.#redis.exists(keys.seen(key.keyId), keys.arrived(key.keyId))) !== 0;
      if (this.#retirement.mayShredUnusable(key.keyId, accepted)) await this.#attempt(`key-${key.keyId}`, () => this.#retire(key));
    }
  }

  #updateDue({ keyId, weekEnd }: WorkerIdentity, deletionTime: Date): void {
    const until = keptUntil(keyId, this.#shelf.all(), weekEnd, this.#settings.backlogMs);
    this.#retirement.updateDue(keyId, until !== null && until <= deletionTime, this.#clock.now());
  }

  async #retire({ keyId, files }: WorkerIdentity): Promise<void> {
    await this.#redis.unlink(keys.seen(keyId), keys.arrived(keyId), keys.opened(keyId));
    for (const file of files) await shred(join(this.#settings.identities, file));
    this.#retirement.noteShredded(keyId);
    for (const file of files) log.info('key retired', { file });
  }

  /** Lists the inboxes for the operator's tools, which cannot read this worker's configuration. */
  async #listInboxes(): Promise<void> {
    const listed = await this.#redis.smembers(keys.inboxes);
    for (const inbox of new Set([...listed, ...this.#settings.inboxes])) {
      await publishWaiting(this.#redis, inbox, await this.#redis.hlen(keys.outbox(inbox)));
    }
    for (const inbox of listed) {
      if (this.#settings.inboxes.includes(inbox)) continue;
      // An inbox that was removed from the configuration too early stays listed until its letters are dealt with.
      const letters = (await this.#redis.hlen(keys.outbox(inbox))) + (await this.#redis.hlen(keys.dead(inbox)));
      await publishTrouble(this.#redis, inbox, 'unconfigured', letters === 0 ? null : 'unconfigured');
      if (letters === 0) await this.#redis.srem(keys.inboxes, inbox);
    }
    for (const inbox of this.#settings.inboxes) await publishTrouble(this.#redis, inbox, 'unconfigured', null);
    if (this.#settings.inboxes.length > 0) await this.#redis.sadd(keys.inboxes, [...this.#settings.inboxes]);
  }

  /**
   * The append-only file holds the order of writes since its last rewrite: so it is rewritten every round.
   * A rewrite that Redis has started may still fail, for example on a full disk, so each round checks the one before.
   */
  async #rewriteLog(): Promise<void> {
    const info = await this.#redis.info('persistence');
    const failed = info.includes('aof_last_bgrewrite_status:err');
    this.#aof = failed || info.includes('aof_last_write_status:err') || !info.includes('aof_enabled:1') ? 'failing' : 'ok';
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
