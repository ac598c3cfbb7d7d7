import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { log } from '../runtime/log.ts';
import { ALIVE_SECONDS, keys } from '../redis/keys.ts';
import { whenReady } from '../redis/connection.ts';
import type { OperatorCommands } from '../runtime/installation.ts';
import { readOnion } from './onion.ts';
import { readParts, sightOf, type Sight } from './sight.ts';
import { lookAtDisk, type Places } from './surroundings.ts';

/** Redis that is away tells nothing about anybody, so it is looked for more often. */
const AWAY_MS = 10_000;
const READY_WITHIN_MS = 2_500;
/** Looks that failed to end for so long are not slow: they hang. */
const OVERDUE_ROUNDS = 3;
const SLOWEST_LOOK_MS = 120_000;

/** Looks once a round, soon after the worker's own has ended. */
export class OperatorRounds {
  readonly #redis: Redis;
  readonly #places: Places;
  readonly #commands: OperatorCommands;
  readonly #publish: (sight: Sight) => Promise<void>;
  readonly #stopping = new AbortController();
  #last: Sight | undefined;
  /** Of `performance.now()`. */
  #lookedAtMs = performance.now();

  constructor(redis: Redis, places: Places, commands: OperatorCommands, publish: (sight: Sight) => Promise<void>) {
    this.#redis = redis;
    this.#places = places;
    this.#commands = commands;
    this.#publish = publish;
  }

  start(): void {
    void this.#run();
  }

  destroy(): void {
    this.#stopping.abort();
  }

  get areOverdue(): boolean {
    const roundMs = this.#last?.roundMs ?? AWAY_MS;
    return performance.now() - this.#lookedAtMs > OVERDUE_ROUNDS * roundMs + SLOWEST_LOOK_MS;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    await whenReady(this.#redis, READY_WITHIN_MS).catch(() => undefined);
    while (!signal.aborted) {
      const sight = await this.#look();
      this.#lookedAtMs = performance.now();
      await sleep(await this.#untilNext(sight), undefined, { signal }).catch(() => undefined);
    }
  }

  /** What Redis says is published before tor is asked, which may take a minute. */
  async #look(): Promise<Sight> {
    const { onion: check, disk } = this.#places;
    const reading = await readParts(this.#redis, this.#commands, new Date(), this.#last?.roundMs);
    const before = { disk: await lookAtDisk(disk), onion: check && (this.#last?.surroundings.onion ?? null) };
    const sight = await this.#show(sightOf(reading, before, check !== null, this.#commands));
    if (check === null) return sight;
    return this.#show(sightOf(reading, { ...before, onion: await readOnion(check) }, false, this.#commands));
  }

  async #show(sight: Sight): Promise<Sight> {
    this.#report(sight);
    await this.#publish(sight);
    this.#last = sight;
    return sight;
  }

  /** A tenth of a round after the worker's next one has ended. */
  async #untilNext({ status, roundMs }: Sight): Promise<number> {
    if (status === null) return Math.min(roundMs, AWAY_MS);
    const leftMs = await this.#redis.pttl(keys.alive).catch(() => -1);
    const ageMs = leftMs > 0 ? ALIVE_SECONDS * 1000 - leftMs : 0;
    return roundMs - (Math.max(ageMs, 0) % roundMs) + roundMs / 10;
  }

  #report({ status }: Sight): void {
    const wasAway = this.#last?.status === null;
    if (status === null && !wasAway) log.warn('redis away');
    if (status !== null && wasAway) log.info('redis back');
  }
}
