import type { Redis } from 'ioredis';
import { ready } from '../crypto/sodium.ts';
import { randomBytes } from '../crypto/bytes.ts';
import type { DoorReason } from '../crypto/wire.ts';
import type { KeyringShelf, Shelved } from '../runtime/keyrings.ts';
import { errorCode, log } from '../runtime/log.ts';
import { areMissing, askForFunctions } from '../redis/functions.ts';
import { keys, SET_ANCHOR, workerState, type WorkerState } from '../redis/keys.ts';
import type { Taken } from '../redis/presence.ts';
import { whenReady } from '../redis/connection.ts';
import { bitsForRemembered, difficultyAt, DRAWS, firstPrice, nextRound, withinRound, type Price } from './difficulty.ts';
import { isOutOfMemory, type PoolLimits } from './pool.ts';

export type Fill = 'empty' | 'low' | 'half' | 'high' | 'full';

export type DoorState = {
  /** Why the door is closed, null when it is open. */
  reason: DoorReason | null;
  redis: 'ok' | 'away';
  pool: Fill | 'unknown';
  worker: WorkerState | 'unknown';
  /** As the worker last reported. */
  roundSeconds: number;
  /** Leading zero bits currently required of a stamp under the current keyring. */
  difficulty: number;
};

export type DoorOptions = PoolLimits & {
  /** Leading zero bits required of a stamp while the pool is nearly empty. */
  difficulty: number;
};

/**
 * What Redis says. `rememberedIds`: by the id of the worker's key. `hasFunctions`: a worker has loaded the functions of this version
 * (redis/functions.ts).
 */
type Reading = {
  pool: number;
  rememberedIds: ReadonlyMap<string, number>;
  worker: WorkerState;
  hasFunctions: boolean;
  roundSeconds: number;
};

const REFRESH_MS = 1_000;
const FIRST_WAIT_MS = 1_000;
/** The worker's default, used until a worker has reported the length of its rounds. */
const ROUND_SECONDS = 300;

/**
 * Whether the relay accepts parcels now. A timer finds out, never a request: so asking costs nothing, and the state does not
 * depend on who asks.
 */
export class Door {
  readonly #redis: Redis;
  readonly #shelf: KeyringShelf;
  readonly #options: DoorOptions;
  #state: DoorState;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #sampleAgeMs = Infinity;
  #sampledFill: Fill = 'empty';
  #price: Price | null = null;
  /** The operator has closed the door. Redis may be stopped then, and people are told the same until it is back. */
  #isDrained = false;
  /** By serial: how much is remembered for the key of that keyring, and the bits above the base for it. */
  #remembered: ReadonlyMap<number, Taken> = new Map();

  constructor(redis: Redis, shelf: KeyringShelf, options: DoorOptions) {
    this.#redis = redis;
    this.#shelf = shelf;
    this.#options = options;
    const { difficulty } = options;
    this.#state = { reason: 'redis', redis: 'away', pool: 'unknown', worker: 'unknown', roundSeconds: ROUND_SECONDS, difficulty };
  }

  get state(): DoorState {
    return this.#state;
  }

  /** Leading zero bits currently required of a stamp under the keyring of this serial. */
  difficultyFor(serial: number): number {
    return difficultyAt(this.#options.difficulty, this.#price?.tier ?? 0, this.#remembered.get(serial)?.dearer);
  }

  /** The keyrings under which parcels are accepted, as last sampled (once a round). */
  get acceptedKeyrings(): Taken[] {
    return this.#shelf.live().map(({ serial }) => this.#remembered.get(serial) ?? { serial, share: 'low', dearer: 0 });
  }

  /** Waits only briefly for Redis: a relay without Redis still has to report that it is closed. */
  async start(): Promise<void> {
    await ready;
    await whenReady(this.#redis, FIRST_WAIT_MS).catch(() => undefined);
    await this.#refresh();
    this.#schedule();
  }

  destroy(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      void this.#refresh().finally(() => this.#schedule());
    }, REFRESH_MS);
  }

  async #refresh(): Promise<void> {
    const current = this.#shelf.current();
    const before = this.#state;
    try {
      const reading = await this.#readRedis(current);
      const remembered = (current && reading.rememberedIds.get(current.keyId)) ?? 0;
      const isFull = reading.pool >= this.#options.poolLimit || remembered >= this.#options.seenLimit;
      const { worker, roundSeconds } = reading;
      const reason = this.#reasonOr(current === null ? 'keyring' : reasonToClose(reading, isFull));
      this.#takeSample(reading);
      const difficulty = this.difficultyFor(current?.serial ?? 0);
      this.#setState({ reason, redis: 'ok', pool: isFull ? 'full' : this.#sampledFill, worker, roundSeconds, difficulty });
    } catch (error) {
      if (current !== null && isOutOfMemory(error))
        this.#setState({ ...before, reason: this.#reasonOr('pool'), redis: 'ok', pool: 'full' });
      else {
        const reason = this.#reasonOr(current === null ? 'keyring' : 'redis');
        this.#setState({ ...before, reason, redis: 'away', pool: 'unknown', worker: 'unknown' }, errorCode(error));
      }
    }
  }

  /**
   * The first command writes a member that is already there. It changes nothing, but fails as a parcel would when Redis is out of
   * memory, read-only, or cannot write to its disk.
   */
  async #readRedis(current: Shelved | null): Promise<Reading> {
    const batch = this.#redis.pipeline();
    const keyIds = [...new Set(this.#shelf.live().map((shelved) => shelved.keyId))];
    if (current !== null) batch.sadd(keys.arrived(current.keyId), SET_ANCHOR);
    batch.exists(keys.drain).hlen(keys.pool).pttl(keys.alive).get(keys.alive);
    for (const keyId of keyIds) batch.scard(keys.seen(keyId)).scard(keys.arrived(keyId));
    askForFunctions(batch);
    const results = (await batch.exec()) ?? [];
    const hasFunctions = !areMissing(results.at(-1)?.[0]);
    if (!hasFunctions) results.pop();
    // Whatever another command failed of.
    const [, drain] = results[current === null ? 0 : 1] ?? [];
    this.#isDrained = typeof drain === 'number' ? drain === 1 : this.#isDrained;
    const replies = results.map(([error, value]) => {
      if (error !== null) throw error;
      return Number(value);
    });
    const [pool, leftMs, round, ...counts] = replies.slice(current === null ? 1 : 2);
    if (pool === undefined || leftMs === undefined || round === undefined || counts.length < 2 * keyIds.length) {
      throw new Error('incomplete reply');
    }
    // Each set also holds the anchor (redis/keys.ts), which does not count.
    const idsIn = (index: number): number => Math.max((counts[index] ?? 0) - 1, 0);
    const rememberedIds = new Map(keyIds.map((keyId, index) => [keyId, idsIn(2 * index) + idsIn(2 * index + 1)]));
    return {
      rememberedIds,
      pool,
      worker: workerState(leftMs, round),
      hasFunctions,
      roundSeconds: round > 0 ? round : this.#state.roundSeconds,
    };
  }

  /**
   * Samples the fill levels once a round, since a change must not reveal when a parcel came. The exception is a flood, which may
   * raise the cost within a round (server/difficulty.ts).
   */
  #takeSample({ pool, rememberedIds, roundSeconds }: Reading): void {
    const fraction = pool / this.#options.poolLimit;
    this.#sampleAgeMs += REFRESH_MS;
    if (this.#price !== null) this.#price = withinRound(this.#price, fraction);
    if (this.#price !== null && this.#sampleAgeMs < roundSeconds * 1000) return;
    this.#sampleAgeMs = 0;
    this.#sampledFill = fullness(fraction);
    const draws = new Uint32Array(randomBytes(DRAWS * 4).buffer);
    this.#price = this.#price === null ? firstPrice(fraction, draws) : nextRound(this.#price, fraction, draws);
    const nowMs = this.#shelf.now().getTime();
    const taken = this.#shelf.live().map((shelved) => this.#rememberedUnder(shelved, rememberedIds.get(shelved.keyId) ?? 0, nowMs));
    this.#remembered = new Map(taken.map((each) => [each.serial, each]));
  }

  #rememberedUnder({ serial, keyId }: Shelved, ids: number, nowMs: number): Taken {
    // A keyring that replaces another within the week may name the same key: what that one took counts, and so does its time.
    const naming = this.#shelf.all().filter((shelved) => shelved.keyId === keyId);
    const begin = Math.min(...naming.map(({ keyring }) => Date.parse(keyring.notBefore)));
    const end = Math.max(...naming.map(({ keyring }) => Date.parse(keyring.notAfter)));
    const fraction = ids / this.#options.seenLimit;
    const share = fullness(fraction);
    return { serial, share: share === 'empty' ? 'low' : share, dearer: bitsForRemembered(fraction, (nowMs - begin) / (end - begin)) };
  }

  #reasonOr<Reason extends DoorReason | null>(reason: Reason): Reason | 'maintenance' {
    return this.#isDrained ? 'maintenance' : reason;
  }

  #setState(state: DoorState, code = 'none'): void {
    const before = this.#state;
    this.#state = state;
    if (before.redis !== state.redis) {
      if (state.redis === 'ok') log.info('redis back');
      else log.error('redis away', { code });
    }
    if (before.reason === state.reason) return;
    if (state.reason === null) log.info('door opened');
    else log.warn('door closed', { reason: state.reason });
  }
}

function reasonToClose({ worker, hasFunctions }: Reading, isFull: boolean): DoorReason | null {
  if (isFull) return 'pool';
  return worker === 'gone' || !hasFunctions ? 'worker' : null;
}

export function fullness(fraction: number): Fill {
  if (fraction <= 0) return 'empty';
  if (fraction < 1 / 3) return 'low';
  if (fraction < 2 / 3) return 'half';
  return fraction < 1 ? 'high' : 'full';
}
