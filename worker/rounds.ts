import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { errorCode, log } from '../runtime/log.ts';
import { TICKS_PREFIX } from '../redis/keys.ts';
import type { RedisTarget } from '../redis/connection.ts';
import { askSlowlyAfterFailure, assumeRedisVersion, BullmqConnections, RETRY_MS } from './bullmq-quirks.ts';

const QUEUE = 'rounds';
/** Minimum time for which a dead worker's tick stays locked. */
const MIN_JOB_LOCK_MS = 10_000;
/** Maximum time between two checks that ticks are still scheduled. */
const CHECK_MS = 30_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** The work of one tick. It must check `stopping` between pieces of work, and may throw. */
export type Duty = (stopping: () => boolean) => Promise<void>;

/**
 * The clock: BullMQ job schedulers send each duty one tick per round, to one of the workers. A tick carries nothing, and comes
 * at the same rate whether or not there is anything to do.
 *
 * Everything BullMQ writes carries milliseconds, and stands in the append-only file between the parcels that came before and
 * after it. So nothing is written between two ticks: what BullMQ would do on its own timers is done within ticks, locks last for
 * two rounds, and all duties tick at the same moment.
 */
export class Rounds {
  readonly #duties: ReadonlyMap<string, Duty>;
  readonly #roundMs: number;
  readonly #connections: BullmqConnections;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #busy = new Map<string, Promise<void>>();
  /** When the duties last ran without ticks, in ms of `performance.now()`. */
  #lastRunWithoutTicks = Number.NEGATIVE_INFINITY;
  #stopping = false;
  #checking: NodeJS.Timeout | undefined;
  #lastFailure = '';

  constructor(target: RedisTarget, roundMs: number, duties: ReadonlyMap<string, Duty>) {
    this.#duties = duties;
    this.#roundMs = roundMs;
    assumeRedisVersion();
    this.#connections = new BullmqConnections(target);
    const common = { connection: this.#connections.main, prefix: TICKS_PREFIX, skipVersionCheck: true };
    this.#queue = new Queue(QUEUE, {
      ...common,
      // Otherwise the event stream would keep the times of 10,000 events.
      streams: { events: { maxLen: 0 } },
    });
    this.#worker = new Worker(QUEUE, async (job) => this.#tick(job.name), {
      ...common,
      autorun: false,
      // A slow duty must not keep the others waiting.
      concurrency: duties.size + 1,
      // BullMQ renews it at half of this.
      lockDuration: Math.max(MIN_JOB_LOCK_MS, 2 * roundMs),
      // Each tick checks for ticks of dead workers itself. The interval is how long BullMQ suppresses the next check, at its minimum.
      skipStalledCheck: true,
      stalledInterval: 1,
      // By default BullMQ gives up a job whose worker died twice.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      runRetryDelay: RETRY_MS,
    });
    askSlowlyAfterFailure(this.#worker.backend);
    this.#queue.on('error', this.#reportFailure);
    this.#worker.on('error', this.#reportFailure);
  }

  start(): void {
    void this.#worker.run().catch(this.#reportFailure);
    // Writing a scheduler again does not move its next tick, but wakes a worker that missed it while Redis was away.
    const schedule = () => void this.#schedule();
    this.#connections.main.on('ready', schedule);
    this.#checking = setInterval(() => void this.#check(), Math.min(CHECK_MS, this.#roundMs));
    if (this.#connections.main.status === 'ready') schedule();
  }

  /** Stops the ticks, and waits for the duties to finish their current work. */
  async destroy(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#checking);
    await Promise.all(this.#busy.values());
    // On closing, BullMQ writes to Redis, and would wait for one that is away.
    await Promise.race([this.#worker.close().then(() => this.#queue.close()), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    this.#connections.disconnect();
  }

  async #schedule(): Promise<void> {
    await this.#attempt(async () => {
      const known = await this.#queue.getJobSchedulers();
      const kept = known.filter(this.#isPlausible);
      const odd = known.filter((scheduler) => !this.#isPlausible(scheduler));
      // Writing a scheduler again repairs one that is late; one in the far future must be removed first.
      for (const { key, next = 0 } of odd) {
        if (!this.#duties.has(key) || next > new Date().getTime()) await this.#queue.removeJobScheduler(key);
      }
      const together = kept[0]?.next;
      for (const name of this.#duties.keys()) {
        const joins = together !== undefined && !known.some(({ key }) => key === name);
        const every = { every: this.#roundMs, ...(joins && { startDate: together }) };
        await this.#queue.upsertJobScheduler(name, every, { name, data: {}, opts: { removeOnComplete: true, removeOnFail: true } });
      }
    });
  }

  /** Reads only, unless a duty has no next tick: either it was lost, or the clock was set back and it is in the far future. */
  async #check(): Promise<void> {
    if (!(await this.#hasLostTick()) || this.#stopping) return;
    log.warn('ticks failed', { code: 'lost' });
    await this.#schedule();
    if (await this.#hasLostTick()) this.#runWithoutTicks();
  }

  /** True when a duty has no next tick; false while Redis is away. */
  async #hasLostTick(): Promise<boolean> {
    let lost = false;
    await this.#attempt(async () => {
      const known = await this.#queue.getJobSchedulers();
      const scheduled = known.filter(this.#isPlausible).map(({ key }) => key);
      lost = [...this.#duties.keys()].some((name) => !scheduled.includes(name));
    });
    return lost;
  }

  /** While Redis' memory is full BullMQ cannot write ticks, but only the duties can free memory. */
  #runWithoutTicks(): void {
    const now = performance.now();
    if (this.#stopping || now - this.#lastRunWithoutTicks < this.#roundMs) return;
    this.#lastRunWithoutTicks = now;
    for (const name of this.#duties.keys()) void this.#run(name);
  }

  /** True for a scheduler of one of our duties, with our interval, whose next tick is within two rounds of now. */
  readonly #isPlausible = ({ key, every, next = 0 }: { key: string; every?: number; next?: number }): boolean =>
    this.#duties.has(key) && every === this.#roundMs && Math.abs(next - new Date().getTime()) <= 2 * this.#roundMs;

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.#lastFailure = '';
    } catch (error) {
      this.#reportFailure(error);
    }
  }

  async #tick(name: string): Promise<void> {
    await Promise.all([this.#run(name), this.#attempt(() => this.#worker.backend.moveStalledJobsToWait())]);
  }

  /** Never throws: a failed job would leave its error in Redis, and the next tick is the retry. */
  async #run(name: string): Promise<void> {
    const duty = this.#duties.get(name);
    // A duty that is still running when its next tick comes skips that tick.
    if (!duty || this.#busy.has(name) || this.#stopping) return;
    const work = duty(() => this.#stopping).catch((error: unknown) => {
      log.error('round failed', { kind: name, code: errorCode(error) });
    });
    this.#busy.set(name, work);
    await work;
    this.#busy.delete(name);
  }

  readonly #reportFailure = (error: unknown): void => {
    const code = errorCode(error);
    if (this.#stopping || code === this.#lastFailure) return;
    this.#lastFailure = code;
    log.warn('ticks failed', { code });
  };
}
