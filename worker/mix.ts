import type { Redis } from 'ioredis';
import { randomBytes, shuffled, toHex } from '../crypto/bytes.ts';
import type { KeyringShelf } from '../service/keyrings.ts';
import { errorCode, log } from '../service/log.ts';
import { ALIVE_SECONDS, keys } from '../store/keys.ts';
import type { Claims, Outcome, Sealed } from './claims.ts';
import { loadIdentities, type LoadedIdentities, type WorkerIdentity } from './identities.ts';
import { keyObstacle, room, type Limits, type Obstacle } from './obstacles.ts';
import { openParcel } from './opening.ts';
import type { Outbox } from './outbox.ts';
import { retained } from './retention.ts';

/** Parcels in hand at once: 32 of them, their letters and one script's arguments stay within a few megabytes. */
export const BATCH = 32;
/** From this depth on everything leaves in one round: a flood of parcels hides nobody, but must not stay. */
export const DEEP_POOL = 4_000;
/**
 * How long a parcel may stay undecided. No key for it: a relay may have read a new keyring seconds before this worker,
 * which then finds that it has no key of it and pauses. An error: it may be ours and pass (memory).
 */
export const PATIENCE_MS = 60_000;
const FORGET_MS = 3_600_000;

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
  /** Start of the last round that left nothing behind that was there before it. */
  sweptAt: Date | null = null;
  /** Asks the next round to take everything, whatever the share. */
  sweepWanted = false;

  readonly #redis: Redis;
  readonly #claims: Claims;
  readonly #shelf: KeyringShelf;
  readonly #outboxes: ReadonlyMap<string, readonly Outbox[]>;
  readonly #settings: MixSettings;
  readonly #now: () => Date;
  /** Parcel id -> when it was put back first. */
  readonly #undecided = new Map<string, number>();
  #errors = 0;
  #paused = '';

  /** @param outboxes by team */
  constructor(redis: Redis, claims: Claims, shelf: KeyringShelf, outboxes: ReadonlyMap<string, readonly Outbox[]>, settings: MixSettings, now = () => new Date()) {
    this.#redis = redis;
    this.#claims = claims;
    this.#shelf = shelf;
    this.#outboxes = outboxes;
    this.#settings = settings;
    this.#now = now;
  }

  /** One tick. `worker:alive` is renewed only by a round that went through. */
  async round(stopping: () => boolean): Promise<void> {
    const startedAt = this.#now();
    const sweep = this.sweepWanted || this.#settings.share >= 1;
    this.#errors = 0;
    this.#forgetUndecided(startedAt.getTime());
    await this.#shelf.load();
    const loaded = await loadIdentities(this.#settings.identities);
    const obstacle = this.#keyObstacle(loaded, startedAt) ?? (await this.#mix(loaded.identities, sweep, stopping));
    this.#report(obstacle);
    if (obstacle || stopping()) return;
    await this.#redis.set(keys.alive, String(this.#settings.roundSeconds), 'EX', ALIVE_SECONDS);
    // What no key opens needs none of them; an error may have hidden a letter.
    if (sweep && this.#errors === 0 && !(await this.#claims.heldElsewhere())) {
      this.sweptAt = startedAt;
      this.sweepWanted = false;
    }
  }

  async #mix(identities: readonly WorkerIdentity[], sweep: boolean, stopping: () => boolean): Promise<Obstacle | null> {
    const full = await this.#room();
    if (typeof full !== 'number') return full;
    while (!stopping()) {
      const left = await this.#claims.takeUp();
      if (left.length === 0) break;
      await this.#finish(left, identities);
    }
    const pool = await this.#redis.hkeysBuffer(keys.pool);
    const ids = chosen(pool, sweep ? 1 : risingShare(this.#settings.share, pool.length));
    for (let at = 0; at < ids.length && !stopping(); ) {
      const free = await this.#room();
      if (typeof free !== 'number') return free;
      const batch = ids.slice(at, at + Math.min(BATCH, free));
      await this.#finish(await this.#claims.take(batch), identities);
      at += batch.length;
    }
    return null;
  }

  async #finish(parcels: readonly Sealed[], identities: readonly WorkerIdentity[]): Promise<void> {
    if (parcels.length === 0) return;
    const outcomes = parcels.map((parcel) => this.#open(parcel, identities));
    // False: another worker thought this one dead and has the claim now. It does the work, nothing is lost.
    if (!(await this.#claims.commit(outcomes))) log.warn('round failed', { reason: 'claim-taken-up' });
  }

  #open(parcel: Sealed, identities: readonly WorkerIdentity[]): Outcome {
    const outcome = this.#judge(parcel, identities);
    const final = outcome.kind !== 'drop' || (outcome.reason !== 'unopenable' && outcome.reason !== 'error');
    const name = toHex(parcel.id);
    const now = this.#now().getTime();
    const since = this.#undecided.get(name) ?? now;
    if (final || now - since >= PATIENCE_MS) {
      this.#undecided.delete(name);
      return outcome;
    }
    this.#undecided.set(name, since);
    return { kind: 'back', id: parcel.id };
  }

  #judge(parcel: Sealed, identities: readonly WorkerIdentity[]): Outcome {
    try {
      return openParcel(parcel, identities, this.#inboxesOf);
    } catch (error) {
      this.#errors += 1;
      log.error('round failed', { reason: 'parcel-error', code: errorCode(error) });
      return { kind: 'drop', id: parcel.id, serial: null, reason: 'error' };
    }
  }

  /** Parcels that another worker decided would stay here for ever. */
  #forgetUndecided(now: number): void {
    for (const [name, since] of this.#undecided) if (now - since > FORGET_MS) this.#undecided.delete(name);
  }

  #keyObstacle(loaded: LoadedIdentities, now: Date): Obstacle | null {
    if (this.#shelf.all().length === 0) return { reason: 'no-keyring' };
    // Parcels may be here of keyrings up to the next one, which relays accept already, and back to the end of the backlog.
    const highest = this.#shelf.live().at(-1)?.serial ?? Number.POSITIVE_INFINITY;
    const keyrings = retained(this.#shelf.all(), this.#settings.backlogMs, now).filter(({ serial }) => serial <= highest);
    return keyObstacle(keyrings, loaded, this.#inboxesOf);
  }

  readonly #inboxesOf = (team: string): readonly string[] => (this.#outboxes.get(team) ?? []).map(({ inbox }) => inbox);

  #room(): Promise<number | Obstacle> {
    return room([...this.#outboxes.values()].flat(), this.#settings.limits);
  }

  /** Once when it begins and once when it changes, not every round. */
  #report(obstacle: Obstacle | null): void {
    const state = obstacle ? JSON.stringify(obstacle) : '';
    if (state === this.#paused) return;
    this.#paused = state;
    if (obstacle) log.error('mix paused', obstacle);
    else log.info('mix goes on');
  }
}
