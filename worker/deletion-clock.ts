import type { Redis } from 'ioredis';
import { keys } from '../redis/keys.ts';

const HOUR_MS = 3_600_000;
const FIELD = 'deletionHour';
/** What an outage of three days held up is made good in three more. */
const RATE = 2;
/** Machines come up in 1970 until they have asked a time server: following such a clock back would hold up deleting for decades. */
const BACK_AFTER_MS = 24 * HOUR_MS;

/**
 * The time by which keys and replies are deleted. It is never ahead of the clock, and where the clock jumps ahead it follows at twice the
 * pace of the time that this worker really ran: so a clock that was set wrong, or came up wrong after an outage, deletes nothing at once,
 * and is noticed first (`lagMs`). A clock that is behind it takes it along only when that has lasted for a day.
 */
export class DeletionClock {
  readonly #redis: Redis;
  readonly #now: () => Date;
  readonly #steadyMs: () => number;
  #timeMs: number | null = null;
  #tickedAtMs = 0;
  #behindForMs = 0;
  #hour = 0;

  /** @param steadyMs a clock that nobody can set, ms */
  constructor(redis: Redis, now = () => new Date(), steadyMs = () => performance.now()) {
    this.#redis = redis;
    this.#now = now;
    this.#steadyMs = steadyMs;
  }

  now(): Date {
    return this.#now();
  }

  /** By how much the clock was ahead of the last `tick`, ms. */
  get lagMs(): number {
    return this.#timeMs === null ? 0 : Math.max(0, this.#now().getTime() - this.#timeMs);
  }

  /** The time by which to delete. To be called once a round; after a restart it goes on from what was remembered. */
  async tick(): Promise<Date> {
    const [nowMs, steadyMs] = [this.#now().getTime(), this.#steadyMs()];
    const before = this.#timeMs ?? (await this.#remembered()) ?? nowMs;
    const ran = this.#timeMs === null ? 0 : steadyMs - this.#tickedAtMs;
    this.#behindForMs = nowMs < before ? this.#behindForMs + ran : 0;
    const stays = nowMs < before && this.#behindForMs < BACK_AFTER_MS;
    this.#timeMs = stays ? before : Math.min(nowMs, before + RATE * ran);
    this.#tickedAtMs = steadyMs;
    return new Date(Math.min(nowMs, this.#timeMs));
  }

  /** Writes the time of the last `tick` into Redis, to the hour: that says nothing of any parcel. */
  async remember(): Promise<void> {
    if (this.#timeMs === null) return;
    const hour = Math.floor(this.#timeMs / HOUR_MS);
    if (hour !== this.#hour) await this.#redis.hset(keys.state, FIELD, String(hour));
    this.#hour = hour;
  }

  async #remembered(): Promise<number | null> {
    const hour = await this.#redis.hget(keys.state, FIELD);
    return hour === null ? null : Number(hour) * HOUR_MS;
  }
}
