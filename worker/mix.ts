import type { Redis } from 'ioredis';
import { signersOf } from '../crypto/keyring.ts';
import type { KeyringShelf, Shelved } from '../runtime/keyrings.ts';
import { errorCode, log } from '../runtime/log.ts';
import { keys } from '../redis/keys.ts';
import type { Gap } from '../redis/presence.ts';
import { weekOf } from '../redis/mailboxes.ts';
import type { Warning } from '../redis/state.ts';
import type { BatchLease, SealedParcel } from './batch-lease.ts';
import { loadIdentities, type WorkerIdentity } from './identities.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Findings } from './mix-report.ts';
import { selectLeaving } from './mixing.ts';
import { checkKeys, leavingTeams, Room, teamHoldups, type Holdup, type Limits } from './obstacles.ts';
import { openParcel, type InboxesOf, type Opened } from './opening.ts';
import type { Outbox } from './outbox.ts';
import { Placing } from './placing.ts';
import { retained } from './retention.ts';
import { SignerQuota } from './signer-quota.ts';
import { SweepTracker, type Sweep } from './sweep.ts';
import { UndecidedParcels } from './undecided.ts';

/** Parcels in hand at once: 32 of them, their letters and one script's arguments stay within a few megabytes. */
export const BATCH = 32;

export type MixSettings = {
  readonly identities: string;
  readonly flushProbability: number;
  readonly roundSeconds: number;
  readonly backlogMs: number;
  readonly limits: Limits;
  readonly haveInboxesChanged: () => boolean;
};

/** What a round found, and the keys for which it left nothing in the pool; `sweep` null: none. */
export type RoundResult = Findings & { readonly sweep: Sweep | null };

/** The state of one round while it runs. */
type Round = {
  readonly stopping: () => boolean;
  readonly identities: readonly WorkerIdentity[];
  /** This worker lacks a usable key of some keyring: parcels that no key opens may belong to that one, and stay. */
  readonly lacksKey: boolean;
  readonly sweep: SweepTracker;
  readonly placing: Placing;
  readonly holdups: Holdup[];
  readonly warnings: Warning[];
};

/** Takes parcels out of the pool, opens them, and puts letters into the outboxes of their team. */
export class Mix {
  readonly #redis: Redis;
  readonly #lease: BatchLease;
  readonly #shelf: KeyringShelf;
  readonly #outboxes: ReadonlyMap<string, readonly Outbox[]>;
  readonly #mailboxes: Mailboxes;
  readonly #settings: MixSettings;
  readonly #now: () => Date;
  readonly #quota: SignerQuota;
  readonly #undecided: UndecidedParcels;

  /** @param outboxes by team */
  constructor(
    redis: Redis,
    lease: BatchLease,
    shelf: KeyringShelf,
    outboxes: ReadonlyMap<string, readonly Outbox[]>,
    mailboxes: Mailboxes,
    settings: MixSettings,
    now = () => new Date(),
  ) {
    this.#redis = redis;
    this.#lease = lease;
    this.#shelf = shelf;
    this.#outboxes = outboxes;
    this.#mailboxes = mailboxes;
    this.#settings = settings;
    this.#now = now;
    this.#quota = new SignerQuota(settings.limits.replies);
    this.#undecided = new UndecidedParcels(settings.roundSeconds);
  }

  /** @param due ids of expired keys: all their parcels leave the pool, whatever the flush probability */
  async round(due: ReadonlySet<string>, stopping: () => boolean): Promise<RoundResult> {
    const startedAt = this.#now();
    this.#undecided.forgetOld(startedAt);
    this.#quota.begin(weekOf(startedAt));
    await this.#shelf.load();
    await this.#mailboxes.provideBlank();
    const loaded = await loadIdentities(this.#settings.identities);
    const depth = await this.#redis.hlen(keys.pool);
    const keyrings = await this.#awaitedKeyrings(startedAt);
    const coming = this.#shelf.coming();
    const { problem, warnings, lacksKey } = checkKeys(keyrings, coming, loaded, startedAt);
    warnings.push(...leavingTeams(this.#shelf.current(), coming));
    const obstacle = this.#shelf.all().length === 0 ? { reason: 'no-keyring' as const } : problem;
    const sweep = new SweepTracker(startedAt, obstacle ? [] : this.#keysToSweep(loaded.identities, due));
    const placing = new Placing(this.#mailboxes, this.#quota, sweep, startedAt);
    const holdups = teamHoldups(keyrings, this.#inboxesOf);
    const { identities } = loaded;
    if (!obstacle) await this.#moveParcels({ stopping, identities, lacksKey, sweep, placing, holdups, warnings });
    if (stopping()) sweep.noteUnknownRemaining();
    return { startedAt, depth, obstacle, holdups, warnings, gaps: this.#gaps(identities), sweep: sweep.completed() };
  }

  /** What nobody has given or made yet: a worker starts without it, and takes keys and keyrings when they come. */
  #gaps(identities: readonly WorkerIdentity[]): Gap[] {
    const { rootState } = this.#shelf;
    const gaps: Gap[] = rootState === 'ok' ? [] : [`root-${rootState}`];
    if (this.#settings.haveInboxesChanged()) gaps.push('inboxes-changed');
    else if (this.#outboxes.size === 0) gaps.push('inboxes-missing');
    if (identities.length === 0) gaps.push('keys-missing');
    return gaps;
  }

  /**
   * The keyrings whose parcels may be in the pool: those under which relays took some, and the next one, which they take early. They
   * are awaited until the end of the backlog and, however long that takes, until their key was swept and shredded (housekeeping then
   * deletes `seen`).
   */
  async #awaitedKeyrings(now: Date): Promise<Shelved[]> {
    const shelved = this.#shelf.all();
    const next = this.#shelf.next();
    const taken = shelved.filter((each) => each === next || (each.counts && Date.parse(each.keyring.notBefore) <= now.getTime()));
    const inTime = retained(taken, this.#settings.backlogMs, now);
    const remembered = await Promise.all(shelved.map(({ keyId }) => this.#redis.exists(keys.seen(keyId), keys.arrived(keyId))));
    return shelved.filter((keyring, index) => inTime.includes(keyring) || remembered[index] !== 0);
  }

  #keysToSweep(identities: readonly WorkerIdentity[], due: ReadonlySet<string>): string[] {
    const keyIds = identities.map(({ keyId }) => keyId);
    return this.#settings.flushProbability >= 1 ? keyIds : keyIds.filter((keyId) => due.has(keyId));
  }

  async #moveParcels(round: Round): Promise<void> {
    // Even when there is nothing to do, so that whatever is full is reported whether or not anything came.
    const room = await this.#finishOldBatches(round, await this.#measureRoom(round));
    await this.#flushPool(round, room);
  }

  /** Finishes the batches that dead workers, or a failed commit of this one, left behind. */
  async #finishOldBatches(round: Round, measured: Room): Promise<Room> {
    let room = measured;
    while (!round.stopping()) {
      const left = await this.#lease.takeOver();
      if (left.length === 0) break;
      await this.#placeAndCommit(
        left.map((parcel) => this.#openOrRetry(parcel, round)),
        room,
        round,
      );
      room = await this.#measureRoom(round);
    }
    return room;
  }

  async #flushPool(round: Round, measured: Room): Promise<void> {
    let room = measured;
    const pool = await this.#lease.readPool();
    // Another worker may put parcels of its batch back after this round has read the pool.
    if (pool.othersHaveBatches) round.sweep.noteUnknownRemaining();
    const { toOpen, leaves } = selectLeaving(pool.ids, this.#settings.flushProbability, round.sweep.keyIds);
    const staysBehind = (opened: Opened): boolean => 'keyId' in opened && !leaves(opened.id, opened.keyId);
    for (let at = 0; at < toOpen.length && !round.stopping(); at += BATCH) {
      const batch = toOpen.slice(at, at + BATCH);
      const taken = await this.#lease.take(batch);
      // Another worker took the rest.
      if (taken.length < batch.length) round.sweep.noteUnknownRemaining();
      const opened = taken.map((parcel) => this.#openOrRetry(parcel, round));
      await this.#placeAndCommit(
        opened.map((one) => (staysBehind(one) ? { kind: 'back', id: one.id } : one)),
        room,
        round,
      );
      room = await this.#measureRoom(round);
    }
  }

  async #measureRoom({ holdups, warnings }: Round): Promise<Room> {
    const replies = await this.#mailboxes.depth(this.#now());
    const room = await Room.measure([...this.#outboxes.values()].flat(), replies, this.#settings.limits);
    holdups.push(...room.full);
    warnings.push(...room.filling);
    return room;
  }

  /** Puts a parcel that could not be opened back into the pool for a while before dropping it. */
  #openOrRetry(parcel: SealedParcel, round: Round): Opened {
    const opened = this.#open(parcel, round);
    const reason = opened.kind === 'drop' ? opened.reason : null;
    return this.#undecided.shouldRetry(parcel.id, reason, round.lacksKey, this.#now()) ? { kind: 'back', id: parcel.id } : opened;
  }

  #open(parcel: SealedParcel, { identities, sweep }: Round): Opened {
    try {
      const current = this.#shelf.current();
      const opened = openParcel(parcel, identities, { inboxesOf: this.#inboxesOf, signers: current && signersOf(current.keyring) });
      // The parcel waits for a valid keyring and still needs the worker's key that opens it.
      if (opened.kind === 'back') sweep.noteUnknownRemaining();
      return opened;
    } catch (error) {
      // The parcel may have held a letter.
      sweep.noteUnknownRemaining();
      log.error('round failed', { reason: 'parcel-error', code: errorCode(error) });
      return { kind: 'drop', id: parcel.id, keyId: null, reason: 'error' };
    }
  }

  async #placeAndCommit(opened: readonly Opened[], room: Room, { placing, sweep }: Round): Promise<void> {
    if (opened.length === 0) return;
    // False: another worker took this one for dead and took over its batch. It does the work, and nothing is lost.
    if (await this.#lease.commit(await placing.placeAll(opened, room))) return;
    sweep.noteUnknownRemaining();
    log.warn('round failed', { reason: 'claim-taken-up' });
  }

  readonly #inboxesOf: InboxesOf = (team) => {
    const outboxes = this.#outboxes.get(team);
    if (outboxes) return outboxes.map(({ inbox }) => inbox);
    return this.#shelf.all().some(({ keyring }) => keyring.teams.some(({ id }) => id === team)) ? [] : null;
  };
}
