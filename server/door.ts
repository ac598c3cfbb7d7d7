import type { Redis } from 'ioredis';
import type { KeyringShelf } from '../service/keyrings.ts';
import { errorCode, log } from '../service/log.ts';
import { keys, SET_ANCHOR, workerState, type WorkerState } from '../store/keys.ts';
import { whenReady } from '../store/redis.ts';
import { difficultyAt, nextStep } from './difficulty.ts';
import { isOutOfMemory, type PoolLimits } from './pool.ts';

export type DoorReason = 'keyring' | 'redis' | 'pool' | 'worker';
export type Fill = 'empty' | 'low' | 'half' | 'high' | 'full';

export type DoorState = {
  /** Why the door is closed, null when it is open. */
  reason: DoorReason | null;
  redis: 'ok' | 'away';
  pool: Fill | 'unknown';
  worker: WorkerState | 'unknown';
  /** As last heard from the worker. */
  roundSeconds: number;
  /** Leading zero bits asked of a stamp now. */
  difficulty: number;
};

export type DoorOptions = PoolLimits & {
  /** Leading zero bits asked of a stamp while the pool is nearly empty. */
  difficulty: number;
};

type Seen = { pool: number; ids: number; worker: WorkerState; roundSeconds: number };

const REFRESH_MS = 1_000;
const FIRST_WAIT_MS = 1_000;
/** Until a worker has said how long its rounds are; its default. */
const ROUND_SECONDS = 300;

/**
 * Whether parcels are taken now, found out by a timer and never by a request: asking is free, and what the door says
 * does not depend on who asks.
 */
export class Door {
  private readonly redis: Redis;
  private readonly shelf: KeyringShelf;
  private readonly options: DoorOptions;
  private state_: DoorState;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private sampleAgeMs = Infinity;
  private sample: Fill = 'empty';
  private step = 0;

  constructor(redis: Redis, shelf: KeyringShelf, options: DoorOptions) {
    this.redis = redis;
    this.shelf = shelf;
    this.options = options;
    const { difficulty } = options;
    this.state_ = { reason: 'redis', redis: 'away', pool: 'unknown', worker: 'unknown', roundSeconds: ROUND_SECONDS, difficulty };
  }

  get state(): DoorState {
    return this.state_;
  }

  /** Does not wait for Redis for long: a relay without Redis still says that it is closed. */
  async start(): Promise<void> {
    await whenReady(this.redis, FIRST_WAIT_MS).catch(() => undefined);
    await this.refresh();
    this.schedule();
  }

  destroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      void this.refresh().finally(() => this.schedule());
    }, REFRESH_MS);
  }

  private async refresh(): Promise<void> {
    const serial = this.shelf.current()?.serial ?? null;
    const before = this.state_;
    try {
      const seen = await this.ask(serial);
      const full = seen.pool >= this.options.poolLimit || seen.ids > this.options.seenLimit;
      const { worker, roundSeconds } = seen;
      const reason = serial === null ? 'keyring' : full ? 'pool' : worker === 'gone' ? 'worker' : null;
      this.samplePool(seen.pool, roundSeconds);
      const difficulty = difficultyAt(this.options.difficulty, this.step);
      this.set({ reason, redis: 'ok', pool: full ? 'full' : this.sample, worker, roundSeconds, difficulty });
    } catch (error) {
      const reason = serial === null ? 'keyring' : isOutOfMemory(error) ? 'pool' : 'redis';
      if (reason === 'pool') this.set({ ...before, reason, redis: 'ok', pool: 'full' });
      else this.set({ ...before, reason, redis: 'away', pool: 'unknown', worker: 'unknown' }, errorCode(error));
    }
  }

  /**
   * The first command writes something that is there already: it changes nothing, yet fails as a parcel would when
   * Redis is out of memory, read-only or cannot write to its disk.
   */
  private async ask(serial: number | null): Promise<Seen> {
    const batch = this.redis.pipeline();
    const seen = keys.seen(serial ?? 0);
    if (serial !== null) batch.sadd(seen, SET_ANCHOR);
    batch.scard(seen).hlen(keys.pool).pttl(keys.alive).get(keys.alive);
    const replies = (await batch.exec()) ?? [];
    const [ids, pool, leftMs, round] = replies.map(([error, value]) => {
      if (error !== null) throw error;
      return Number(value);
    }).slice(-4);
    if (ids === undefined || pool === undefined || leftMs === undefined || round === undefined) throw new Error('incomplete reply');
    return { ids, pool, worker: workerState(leftMs, round), roundSeconds: round > 0 ? round : this.state_.roundSeconds };
  }

  /** The filling and what follows from it, looked at once a round: a change must not say when a parcel came. */
  private samplePool(pool: number, roundSeconds: number): void {
    this.sampleAgeMs += REFRESH_MS;
    if (this.sampleAgeMs < roundSeconds * 1000) return;
    this.sampleAgeMs = 0;
    const share = pool / this.options.poolLimit;
    this.sample = fill(share);
    this.step = nextStep(this.step, share);
  }

  private set(state: DoorState, code = 'none'): void {
    const before = this.state_;
    this.state_ = state;
    if (before.redis !== state.redis) {
      if (state.redis === 'ok') log.info('redis back');
      else log.error('redis away', { code });
    }
    if (before.reason === state.reason) return;
    if (state.reason === null) log.info('door opened');
    else log.warn('door closed', { reason: state.reason });
  }
}

export function fill(share: number): Fill {
  if (share <= 0) return 'empty';
  if (share < 1 / 3) return 'low';
  if (share < 2 / 3) return 'half';
  return share < 1 ? 'high' : 'full';
}
