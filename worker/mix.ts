import type { Redis } from 'ioredis';
import { randomBytes, shuffled, toHex } from '../crypto/bytes.ts';
import { signersOf } from '../crypto/keyring.ts';
import { EXPIRING_MS, type KeyringShelf, type Shelved } from '../runtime/keyrings.ts';
import { errorCode, log } from '../runtime/log.ts';
import { DROP_REASONS } from '../redis/drops.ts';
import { ALIVE_SECONDS, keys, LATE_ROUNDS } from '../redis/keys.ts';
import { bucketOf, weekOf } from '../redis/mailboxes.ts';
import { noteDrops, publishMix, step, type Warning } from '../redis/state.ts';
import type { Claims, Sealed } from './claims.ts';
import type { Outcome } from './commit.ts';
import { coverage } from './coverage.ts';
import { loadIdentities, type WorkerIdentity } from './identities.ts';
import { keyObstacles, Room, teamHoldups, type Holdup, type Limits, type Obstacle } from './obstacles.ts';
import type { Mailboxes } from './mailboxes.ts';
import { openParcel, type InboxesOf, type Opened } from './opening.ts';
import type { Outbox } from './outbox.ts';
import { retained } from './retention.ts';
import { Shares } from './shares.ts';

/** Parcels in hand at once: 32 of them, their letters and one script's arguments stay within a few megabytes. */
export const BATCH = 32;
/** From this depth on everything leaves in one round: a flood of parcels hides nobody, but must not stay. */
export const DEEP_POOL = 4_000;
/**
 * How long a parcel may stay undecided at the least, and for three rounds. No key for it: a relay may have read a new keyring seconds before this worker,
 * which then finds that it has no key of it and pauses. An error: it may be ours and pass (memory).
 */
export const PATIENCE_MS = 60_000;
const FORGET_MS = 3_600_000;

/** A round that left nothing behind that came under one of these keys before it. */
export type Sweep = { readonly startedAt: Date; readonly serials: ReadonlySet<number> };

export type MixSettings = {
  readonly identities: string;
  readonly share: number;
  readonly roundSeconds: number;
  readonly backlogMs: number;
  readonly limits: Limits;
};

/** The share of a pool of `depth` parcels that leaves: `share` when it is shallow, rising evenly to all of it. */
export function risingShare(share: number, depth: number): number {
  return share + (1 - share) * Math.min(1, depth / DEEP_POOL);
}

/** Each item independently with probability `share`, in random order (a binomial mix). */
export function chosen<T>(items: readonly T[], share: number): T[] {
  const draws = new DataView(randomBytes(items.length * 4).buffer);
  return shuffled(items.filter((_, index) => draws.getUint32(index * 4) < share * 2 ** 32));
}

/** Takes parcels out of the pool, opens them, and puts letters into the outboxes of their team. */
export class Mix {
  lastSweep: Sweep | null = null;
  /** Serials of keys whose time is over: a round takes all that came under them, whatever the share. */
  due: ReadonlySet<number> = new Set();

  readonly #redis: Redis;
  readonly #claims: Claims;
  readonly #shelf: KeyringShelf;
  readonly #outboxes: ReadonlyMap<string, readonly Outbox[]>;
  readonly #mailboxes: Mailboxes;
  readonly #shares: Shares;
  readonly #settings: MixSettings;
  readonly #now: () => Date;
  /** Of this round: in the course of it no other week begins. */
  #startedAt = new Date(0);
  /** Parcel id -> when it was put back first. */
  readonly #undecided = new Map<string, number>();
  /**
   * Under which keys letters or replies of this round went back, or may come back, into the pool, null: nobody knows under
   * which. Nothing accepted may be lost, so none of these is shredded. No signer alone can fill what is there for replies
   * (Shares), and those of a revoked one are dropped.
   */
  readonly #leftBehind = new Set<number | null>();
  #holdups = new Map<string, Holdup>();
  #warnings = new Map<string, Warning>();
  /** A keyring that has not begun has no usable key here: what nothing opens may be for that one, and stays. */
  #lacksKey = false;
  #reported: readonly string[] = [];

  /** @param outboxes by team */
  constructor(
    redis: Redis, claims: Claims, shelf: KeyringShelf, outboxes: ReadonlyMap<string, readonly Outbox[]>, mailboxes: Mailboxes, settings: MixSettings, now = () => new Date(),
  ) {
    this.#redis = redis;
    this.#claims = claims;
    this.#shelf = shelf;
    this.#outboxes = outboxes;
    this.#mailboxes = mailboxes;
    this.#shares = new Shares(settings.limits.replies);
    this.#settings = settings;
    this.#now = now;
  }

  /** One tick. `worker:alive` is renewed only by a round that went through. */
  async round(stopping: () => boolean): Promise<void> {
    const startedAt = this.#now();
    this.#startedAt = startedAt;
    this.#leftBehind.clear();
    this.#forgetUndecided(startedAt.getTime());
    this.#shares.begin(weekOf(startedAt));
    await this.#shelf.load();
    await this.#mailboxes.prepare();
    const loaded = await loadIdentities(this.#settings.identities);
    const depth = await this.#redis.hlen(keys.pool);
    const keyrings = await this.#awaited(startedAt);
    const keyProblems = keyObstacles(keyrings, loaded);
    const begun = keyrings.filter(({ keyring }) => Date.parse(keyring.notBefore) <= startedAt.getTime()).map(({ serial }) => serial);
    const obstacle = this.#shelf.all().length === 0 ? { reason: 'no-keyring' as const } : (keyProblems.find(({ serial }) => begun.includes(serial)) ?? null);
    this.#lacksKey = keyProblems.length > 0;
    const ahead = keyProblems.filter(({ serial }) => !begun.includes(serial));
    this.#warnings = new Map(ahead.map(({ reason, serial }) => ({ reason: 'next-key' as const, problem: reason, serial })).map((warning) => [nameOf(warning), warning]));
    this.#holdups = new Map(teamHoldups(keyrings, this.#inboxesOf).map((holdup) => [nameOf(holdup), holdup]));
    const serials = loaded.identities.map(({ serial }) => serial);
    const swept = new Set(this.#settings.share >= 1 ? serials : serials.filter((serial) => this.due.has(serial)));
    if (!obstacle) await this.#mix(loaded.identities, swept, stopping);
    const done = this.#leftBehind.has(null) ? [] : [...swept].filter((serial) => !this.#leftBehind.has(serial));
    // Before anything is written, which may fail: where Redis' memory is full, shredding a key makes room.
    if (!obstacle && !stopping() && done.length > 0) this.lastSweep = { startedAt, serials: new Set(done) };
    await this.#report(obstacle, depth);
    if (obstacle || stopping()) return;
    await this.#redis.set(keys.alive, String(this.#settings.roundSeconds), 'EX', ALIVE_SECONDS);
  }

  /** @param swept serials under which nothing stays, whatever the share */
  async #mix(identities: readonly WorkerIdentity[], swept: ReadonlySet<number>, stopping: () => boolean): Promise<void> {
    // Also when there is nothing to do, so that what is full is told whether or not anything came.
    let room = await this.#room();
    while (!stopping()) {
      const left = await this.#claims.takeUp();
      if (left.length === 0) break;
      await this.#finish(left.map((parcel) => this.#open(parcel, identities)), room);
      room = await this.#room();
    }
    const pool = await this.#claims.look();
    // What another worker has in hand it may put back behind this round.
    if (pool.elsewhere) this.#leftBehind.add(null);
    const leaving = chosen(pool.ids, risingShare(this.#settings.share, pool.ids.length));
    const names = new Set(leaving.map(toHex));
    const stays = (opened: Opened): boolean => !names.has(toHex(opened.id)) && 'serial' in opened && opened.serial !== null && !swept.has(opened.serial);
    // Which of the others came under a key that is swept, only opening them shows.
    const ids = swept.size > 0 ? shuffled(pool.ids) : leaving;
    for (let at = 0; at < ids.length && !stopping(); at += BATCH) {
      const batch = ids.slice(at, at + BATCH);
      const taken = await this.#claims.take(batch);
      if (taken.length < batch.length) this.#leftBehind.add(null);
      const opened = taken.map((parcel) => this.#open(parcel, identities));
      await this.#finish(opened.map((one) => (stays(one) ? { kind: 'back', id: one.id } : one)), room);
      room = await this.#room();
    }
  }

  async #finish(opened: readonly Opened[], room: Room): Promise<void> {
    if (opened.length === 0) return;
    // Removals first: a share that one of them frees is not freed once more when the replies beside it are in.
    const inTurn = [...opened.filter(({ kind }) => kind === 'removal'), ...opened.filter(({ kind }) => kind !== 'removal')];
    const outcomes: Outcome[] = [];
    for (const one of inTurn) outcomes.push(await this.#placed(one, room));
    // False: another worker thought this one dead and has the claim now. It does the work, nothing is lost.
    if (await this.#claims.commit(outcomes)) return;
    this.#leftBehind.add(null);
    log.warn('round failed', { reason: 'claim-taken-up' });
  }

  /** A letter or reply for which there is no place yet stays in the pool: one inbox must not stop the others. */
  async #placed(opened: Opened, room: Room): Promise<Outcome> {
    switch (opened.kind) {
      case 'letter':
        return room.take(opened.to.map(({ inbox }) => inbox)) ? opened : this.#back(opened);
      case 'delivery':
        return this.#delivery(opened, room);
      case 'removal':
        return this.#removal(opened);
      default:
        return opened;
    }
  }

  #delivery(opened: Extract<Opened, { kind: 'delivery' }>, room: Room): Outcome {
    const { id, serial, delivery } = opened;
    if (!this.#shares.take(delivery)) return { kind: 'drop', id, serial, reason: 'signer-full' };
    if (!room.takeReply()) return this.#back(opened);
    return { kind: 'reply', id, serial, reply: Buffer.from(delivery.reply), bucket: bucketOf(delivery.mailbox, weekOf(this.#startedAt)) };
  }

  async #removal({ id, serial, removal }: Extract<Opened, { kind: 'removal' }>): Promise<Outcome> {
    const { buckets, found } = await this.#mailboxes.find(removal, this.#startedAt);
    if (found.length === 0) return { kind: 'drop', id, serial, reason: 'reply-gone' };
    this.#shares.free({ mailbox: removal.mailbox, replies: found.map((reply) => reply.id) });
    return { kind: 'delete', id, serial, digests: found.map(({ digest }) => digest), buckets };
  }

  #back({ id, serial }: { readonly id: Buffer; readonly serial: number }): Outcome {
    this.#leftBehind.add(serial);
    return { kind: 'back', id };
  }

  #open(parcel: Sealed, identities: readonly WorkerIdentity[]): Opened {
    const outcome = this.#judge(parcel, identities);
    const retry = outcome.kind === 'drop' ? DROP_REASONS[outcome.reason].retry : null;
    const name = toHex(parcel.id);
    const now = this.#now().getTime();
    const since = this.#undecided.get(name) ?? now;
    const patienceMs = Math.max(PATIENCE_MS, LATE_ROUNDS * this.#settings.roundSeconds * 1000);
    const waitsForKey = this.#lacksKey && retry === 'while a key is missing';
    if (retry === null || (now - since >= patienceMs && !waitsForKey)) {
      this.#undecided.delete(name);
      return outcome;
    }
    this.#undecided.set(name, since);
    return { kind: 'back', id: parcel.id };
  }

  #judge(parcel: Sealed, identities: readonly WorkerIdentity[]): Opened {
    try {
      const current = this.#shelf.current();
      const opened = openParcel(parcel, identities, { inboxesOf: this.#inboxesOf, signers: current && signersOf(current.keyring) });
      // A reply that waits for a keyring needs its key still: no sweep may say that all of it is done.
      if (opened.kind === 'back') this.#leftBehind.add(null);
      return opened;
    } catch (error) {
      // It may have hidden a letter. What no key opens, on the other hand, needs none of those that are here.
      this.#leftBehind.add(null);
      log.error('round failed', { reason: 'parcel-error', code: errorCode(error) });
      return { kind: 'drop', id: parcel.id, serial: null, reason: 'error' };
    }
  }

  /** Parcels that another worker decided would stay here for ever. */
  #forgetUndecided(now: number): void {
    for (const [name, since] of this.#undecided) if (now - since > FORGET_MS) this.#undecided.delete(name);
  }

  /**
   * The keyrings whose parcels may be in the pool: up to the next one, which relays accept before its time, and back to the end
   * of the backlog or, however long that takes, until a sweep had their key (housekeeping then drops `seen`).
   */
  async #awaited(now: Date): Promise<Shelved[]> {
    const highest = (this.#shelf.next() ?? this.#shelf.live().at(-1))?.serial ?? Number.POSITIVE_INFINITY;
    const shelved = this.#shelf.all().filter(({ serial }) => serial <= highest);
    const inTime = retained(shelved, this.#settings.backlogMs, now);
    const seen = await Promise.all(shelved.map(({ serial }) => this.#redis.exists(keys.seen(serial), keys.arrived(serial))));
    return shelved.filter((keyring, index) => inTime.includes(keyring) || seen[index] !== 0);
  }

  readonly #inboxesOf: InboxesOf = (team) => {
    const outboxes = this.#outboxes.get(team);
    if (outboxes) return outboxes.map(({ inbox }) => inbox);
    return this.#shelf.all().some(({ keyring }) => keyring.teams.some(({ id }) => id === team)) ? [] : null;
  };

  async #room(): Promise<Room> {
    const room = await Room.measure([...this.#outboxes.values()].flat(), await this.#mailboxes.depth(this.#now()), this.#settings.limits);
    for (const holdup of room.full) this.#holdups.set(nameOf(holdup), holdup);
    for (const warning of room.filling) this.#warnings.set(nameOf(warning), warning);
    return room;
  }

  /** Into the log when it begins and when it ends; for operators' tools every round. */
  async #report(obstacle: Obstacle | null, depth: number): Promise<void> {
    const problems = [...(obstacle ? [obstacle] : []), ...this.#holdups.values()];
    for (const problem of problems) {
      if (!this.#reported.includes(nameOf(problem))) log.error(problem === obstacle ? 'mix paused' : 'parcels held back', problem);
    }
    if (problems.length === 0 && this.#reported.length > 0) log.info('mix goes on');
    this.#reported = problems.map(nameOf);
    const { until, next } = coverage(this.#shelf.all(), this.#startedAt);
    await noteDrops(this.#redis, this.#startedAt);
    await publishMix(this.#redis, {
      pool: step(depth),
      replies: step(await this.#mailboxes.depth(this.#now())),
      paused: obstacle ? nameOf(obstacle) : '',
      held: [...this.#holdups.keys()].toSorted().join(' '),
      keyring: until === null ? 'none' : Date.parse(until) - this.#startedAt.getTime() < EXPIRING_MS ? 'expiring' : 'ok',
      keyringUntil: until ?? '',
      keyringNext: next === null ? '' : String(next),
      keyringNewest: String(this.#shelf.all().at(-1)?.serial ?? 0),
      warnings: [...this.#warnings.keys()].toSorted().join(' '),
    });
  }
}

/** One word with what it is about. */
function nameOf(problem: Obstacle | Holdup | Warning): string {
  return Object.values(problem).join(':');
}
