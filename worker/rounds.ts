import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { errorCode, log } from '../service/log.ts';
import { TICKS_PREFIX } from '../store/keys.ts';
import { blockingRedisOptions, redisOptions, type RedisTarget } from '../store/redis.ts';

const QUEUE = 'rounds';
/** A tick whose worker died comes again after at most about three of these. */
const LOCK_MS = 10_000;
const RESTORE_MS = 30_000;
const GOODBYE_MS = 2_000;

/** What one tick sets off. It must look at `stopping` between pieces of work, and may throw. */
export type Duty = (stopping: () => boolean) => Promise<void>;

/**
 * The clock: BullMQ job schedulers send each duty one tick a round, to one of the workers. A tick carries nothing, and
 * comes at the same rate whether or not there is anything to do.
 */
export class Rounds {
  readonly #duties: ReadonlyMap<string, Duty>;
  readonly #roundMs: number;
  readonly #connections: Connections;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #busy = new Map<string, Promise<void>>();
  #stopping = false;
  #restoring: NodeJS.Timeout | undefined;
  #lastCode = '';

  constructor(target: RedisTarget, roundMs: number, duties: ReadonlyMap<string, Duty>) {
    this.#duties = duties;
    this.#roundMs = roundMs;
    this.#connections = new Connections(target);
    this.#queue = new Queue(QUEUE, {
      connection: this.#connections.main,
      prefix: TICKS_PREFIX,
      // Without this an events stream remembers 10,000 moments.
      streams: { events: { maxLen: 0 } },
    });
    this.#worker = new Worker(QUEUE, async (job) => this.#tick(job.name), {
      connection: this.#connections.main,
      prefix: TICKS_PREFIX,
      autorun: false,
      // A duty that takes long must not keep the others waiting.
      concurrency: duties.size + 1,
      lockDuration: LOCK_MS,
      stalledInterval: LOCK_MS,
      // The default gives a job up after its worker died twice.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      runRetryDelay: 1_000,
    });
    this.#queue.on('error', this.#fails);
    this.#worker.on('error', this.#fails);
  }

  start(): void {
    void this.#worker.run().catch(this.#fails);
    // Writing a scheduler anew does not move its next tick, but wakes a worker that missed it while Redis was away.
    const schedule = () => void this.#schedule();
    this.#connections.main.on('ready', schedule);
    this.#restoring = setInterval(schedule, RESTORE_MS);
    if (this.#connections.main.status === 'ready') schedule();
  }

  /** No more ticks; what a tick set off finishes what it has in hand. */
  async destroy(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#restoring);
    await Promise.all(this.#busy.values());
    // BullMQ wants to say goodbye to Redis, and waits for one that is away.
    await Promise.race([this.#worker.close().then(() => this.#queue.close()), sleep(GOODBYE_MS, undefined, { ref: false })]);
    this.#connections.disconnect();
  }

  async #schedule(): Promise<void> {
    try {
      for (const name of this.#duties.keys()) {
        const job = { name, data: {}, opts: { removeOnComplete: true, removeOnFail: true } };
        await this.#queue.upsertJobScheduler(name, { every: this.#roundMs }, job);
      }
      for (const { key } of await this.#queue.getJobSchedulers()) {
        if (!this.#duties.has(key)) await this.#queue.removeJobScheduler(key);
      }
    } catch (error) {
      this.#fails(error);
    }
  }

  /** Never throws: a failed job would leave its error in Redis, and the next tick is the retry. */
  async #tick(name: string): Promise<void> {
    const duty = this.#duties.get(name);
    // A duty that is not done yet when its next tick comes does it all in one.
    if (!duty || this.#busy.has(name) || this.#stopping) return;
    const work = duty(() => this.#stopping).catch((error: unknown) => {
      log.error('round failed', { kind: name, code: errorCode(error) });
    });
    this.#busy.set(name, work);
    await work;
    this.#busy.delete(name);
  }

  readonly #fails = (error: unknown): void => {
    const code = errorCode(error);
    if (this.#stopping || code === this.#lastCode) return;
    this.#lastCode = code;
    log.warn('ticks failed', { code });
  };
}

/**
 * BullMQ loops without pause on a connection that refuses at once, so here, unlike where letters are moved, commands
 * wait for Redis to come back, each for as long as `commandTimeout` lets it. BullMQ makes its blocking connection with
 * `duplicate()`: that one waits for seconds by design, and must not time out.
 */
class Connections {
  readonly main: Redis;
  readonly #all: Redis[] = [];

  constructor(target: RedisTarget) {
    this.main = this.#keep(new Redis({ ...redisOptions(target, 'worker'), enableOfflineQueue: true, maxRetriesPerRequest: null }));
    this.main.duplicate = ((name?: { connectionName: string }) =>
      this.#keep(new Redis({ ...blockingRedisOptions(target, 'worker'), ...name }))) as Redis['duplicate'];
  }

  disconnect(): void {
    for (const redis of this.#all) redis.disconnect();
  }

  #keep(redis: Redis): Redis {
    // BullMQ takes its listeners away when it closes; without any, ioredis writes what happens later to stderr.
    redis.on('error', () => undefined);
    this.#all.push(redis);
    return redis;
  }
}
