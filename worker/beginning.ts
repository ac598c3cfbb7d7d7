import type { Redis } from 'ioredis';
import { provideFunctions } from '../redis/functions.ts';
import { versionText } from '../redis/version.ts';
import { endMisconfigured } from '../runtime/env.ts';
import { errorCode, log } from '../runtime/log.ts';
import { maxMemoryOf, memoryProblem } from './memory.ts';
import { bringUpToDate } from './upgrade.ts';
import type { WorkerConfig } from './config.ts';

const AGAIN_MS = 5_000;

/**
 * What has to hold before a worker touches anything in Redis: enough memory, and data of its own version. Looks each time Redis comes back,
 * since it may be another one then. Ends the process where it does not hold.
 */
export class Beginning {
  readonly #redis: Redis;
  readonly #config: WorkerConfig;
  readonly #begin: () => void;
  #hasBegun = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param begin called once */
  constructor(redis: Redis, config: WorkerConfig, begin: () => void) {
    this.#redis = redis;
    this.#config = config;
    this.#begin = begin;
  }

  start(): void {
    this.#redis.on('ready', this.#look);
    if (this.#redis.status === 'ready') this.#look();
  }

  destroy(): void {
    this.#redis.off('ready', this.#look);
    clearTimeout(this.#timer);
    this.#hasBegun = true;
  }

  readonly #look = (): void => {
    clearTimeout(this.#timer);
    this.#attempt().catch((error: unknown) => {
      if (this.#redis.status !== 'ready') return;
      log.error('data not looked at', { code: errorCode(error) });
      this.#timer = setTimeout(this.#look, AGAIN_MS);
    });
  };

  async #attempt(): Promise<void> {
    const { inboxes, limits, relay, upgradeTo } = this.#config;
    const memory = memoryProblem(maxMemoryOf(await this.#redis.info('memory')), inboxes.length, limits, relay);
    const version = await bringUpToDate(this.#redis, upgradeTo);
    // Where the process ended, systemd would not start it again.
    if (version?.code === 'UPGRADE_RUNS') throw Object.assign(new Error(version.what), { code: version.code });
    const problems = [memory ?? [], version === null ? [] : versionText(version)].flat();
    if (problems.length > 0) endMisconfigured(problems);
    // At once, since the relay stays closed without them; if it fails, housekeeping retries and reports it.
    await provideFunctions(this.#redis).catch(() => undefined);
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#begin();
  }
}
