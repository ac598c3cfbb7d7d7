import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { errorCode, log } from '../runtime/log.ts';
import { TICKS_PREFIX } from '../redis/keys.ts';
import type { RedisTarget } from '../redis/connection.ts';
import { askSlowlyAfterFailure, assumeRedisVersion, BullmqConnections, RETRY_MS } from './bullmq-quirks.ts';

const QUEUE = 'rounds';
/** How long the tick of a worker that died stays its own, at the least. */
const LOCK_MS = 10_000;
/** How often it is looked whether the ticks go on, at the least. */
const CHECK_MS = 30_000;
const GOODBYE_MS = 2_000;

/** The work of one tick. It must look at `stopping` between pieces of work, and may throw. */
export type Duty = (stopping: () => boolean) => Promise<void>;

/**
 * The clock: BullMQ job schedulers send each duty one tick a round, to one of the workers. A tick carries nothing, and
 * comes at the same rate whether or not there is anything to do.
 *
 * Everything BullMQ writes carries milliseconds, and in the append-only file it stands between the parcels that came
 * before and after it. So between two ticks nothing is written: what BullMQ would do on timers of its own is done within
 * ticks, locks last for two rounds, and all duties tick at the same moment.
 */
export class Rounds {
  readonly #duties: ReadonlyMap<string, Duty>;
  readonly #roundMs: number;
  readonly #connections: BullmqConnections;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #busy = new Map<string, Promise<void>>();
  /** When the duties were set off without ticks, in ms. */
  #lastRunWithoutTicks = Number.NEGATIVE_INFINITY;
  #stopping = false;
  #checking: NodeJS.Timeout | undefined;
  #lastCode = '';

  constructor(target: RedisTarget, roundMs: number, duties: ReadonlyMap<string, Duty>) {
    this.#duties = duties;
    this.#roundMs = roundMs;
    assumeRedisVersion();
    this.#connections = new BullmqConnections(target);
    const common = { connection: this.#connections.main, prefix: TICKS_PREFIX, skipVersionCheck: true };
    this.#queue = new Queue(QUEUE, {
      ...common,
      // Without this an events stream remembers 10,000 moments.
      streams: { events: { maxLen: 0 } },
    });
    this.#worker = new Worker(QUEUE, async (job) => this.#tick(job.name), {
      ...common,
      autorun: false,
      // A duty that takes long must not keep the others waiting.
      concurrency: duties.size + 1,
      // Renewed twice in that time.
      lockDuration: Math.max(LOCK_MS, 2 * roundMs),
      // Each tick looks for ticks whose worker died. This is how long the next one to look is kept from it, at the least.
      skipStalledCheck: true,
      stalledInterval: 1,
      // The default gives a job up after its worker died twice.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      runRetryDelay: RETRY_MS,
    });
    askSlowlyAfterFailure(this.#worker.backend);
    this.#queue.on('error', this.#fails);
    this.#worker.on('error', this.#fails);
  }

  start(): void {
    void this.#worker.run().catch(this.#fails);
    // Writing a scheduler anew does not move its next tick, but wakes a worker that missed it while Redis was away.
    const schedule = () => void this.#schedule();
    this.#connections.main.on('ready', schedule);
    this.#checking = setInterval(() => void this.#check(), Math.min(CHECK_MS, this.#roundMs));
    if (this.#connections.main.status === 'ready') schedule();
  }

  /** Stops the ticks, and waits for the duties to finish what they have in hand. */
  async destroy(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#checking);
    await Promise.all(this.#busy.values());
    // BullMQ wants to say goodbye to Redis, and waits for one that is away.
    await Promise.race([this.#worker.close().then(() => this.#queue.close()), sleep(GOODBYE_MS, undefined, { ref: false })]);
    this.#connections.disconnect();
  }

  async #schedule(): Promise<void> {
    await this.#attempt(async () => {
      const known = await this.#queue.getJobSchedulers();
      const kept = known.filter(this.#isPlausible);
      const odd = known.filter((scheduler) => !this.#isPlausible(scheduler));
      // One that is merely late is set right by writing it anew; one in the far future keeps its place unless removed.
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

  /** Only reads, unless a duty has no next tick: it was lost, or the clock was set back and it is in the far future. */
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
      const going = known.filter(this.#isPlausible).map(({ key }) => key);
      lost = [...this.#duties.keys()].some((name) => !going.includes(name));
    });
    return lost;
  }

  /** While Redis' memory is full BullMQ can write no tick, and only the duties make room in it. */
  #runWithoutTicks(): void {
    const now = performance.now();
    if (this.#stopping || now - this.#lastRunWithoutTicks < this.#roundMs) return;
    this.#lastRunWithoutTicks = now;
    for (const name of this.#duties.keys()) void this.#run(name);
  }

  /** True for a scheduler of ours, as often as ours, whose next tick is within two rounds. */
  readonly #isPlausible = ({ key, every, next = 0 }: { key: string; every?: number; next?: number }): boolean =>
    this.#duties.has(key) && every === this.#roundMs && Math.abs(next - new Date().getTime()) <= 2 * this.#roundMs;

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.#lastCode = '';
    } catch (error) {
      this.#fails(error);
    }
  }

  async #tick(name: string): Promise<void> {
    await Promise.all([this.#run(name), this.#attempt(() => this.#worker.backend.moveStalledJobsToWait())]);
  }

  /** Never throws: a failed job would leave its error in Redis, and the next tick is the retry. */
  async #run(name: string): Promise<void> {
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
