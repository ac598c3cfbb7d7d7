import type { Redis } from 'ioredis';
import { endMisconfigured } from '../runtime/env.ts';
import { log } from '../runtime/log.ts';
import { connect } from '../redis/connection.ts';
import { refuseNewerData } from '../redis/version.ts';
import type { OperatorConfig } from './config.ts';
import { History } from './history.ts';
import { PrivateListener, type ServedPage } from './listener.ts';
import { METRICS_TYPE, metricsOf } from './metrics.ts';
import { renderOperatorPage } from './page/page.ts';
import { OperatorRounds } from './rounds.ts';
import type { Sight } from './sight.ts';
import { SURROUNDINGS_PATH, type ServedSurroundings } from './surroundings.ts';

const HTML_TYPE = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** What is served until the next look: made once a round, so that nothing here can tell more than a round does. */
type Published = Readonly<Record<'page' | 'metrics' | 'ready' | 'surroundings', ServedPage>>;

/** The operator's view: looks once a round, and serves what it saw. */
export class OperatorService {
  readonly #redis: Redis;
  readonly #rounds: OperatorRounds;
  readonly #history = new History();
  readonly #listeners: readonly (readonly [name: string, PrivateListener])[];
  #published: Published = { page: STARTING, metrics: STARTING, ready: STARTING, surroundings: STARTING };

  constructor({ redis, listen, metricsListen, onion, disk, commands }: OperatorConfig) {
    this.#redis = connect(redis, 'operator');
    this.#redis.on('ready', () => void refuseNewerData(this.#redis, (problem) => endMisconfigured([problem])).catch(() => undefined));
    this.#rounds = new OperatorRounds(this.#redis, { onion, disk }, commands, (sight) => this.#publish(sight));
    const metrics = (): ServedPage => this.#published.metrics;
    const routes = {
      '/': (): ServedPage => this.#published.page,
      '/metrics': metrics,
      '/livez': (): ServedPage => json(this.#rounds.areOverdue ? 503 : 200, { live: !this.#rounds.areOverdue }),
      '/readyz': (): ServedPage => this.#published.ready,
      [SURROUNDINGS_PATH]: (): ServedPage => this.#published.surroundings,
    };
    this.#listeners = [
      ['private', new PrivateListener(listen, routes)] as const,
      ...(metricsListen === null ? [] : [['metrics', new PrivateListener(metricsListen, { '/metrics': metrics })] as const]),
    ];
  }

  async start(): Promise<void> {
    for (const [name, listener] of this.#listeners) {
      await listener.start();
      log.info('listening', { listener: name });
    }
    this.#rounds.start();
  }

  /** TCP ports of the listeners that have one. */
  get ports(): number[] {
    return this.#listeners.flatMap(([, { port }]) => port ?? []);
  }

  async destroy(): Promise<void> {
    this.#rounds.destroy();
    await Promise.all(this.#listeners.map(([, listener]) => listener.destroy()));
    this.#redis.disconnect();
  }

  async #publish(sight: Sight): Promise<void> {
    this.#history.add(sight);
    const isReady = sight.status !== null;
    this.#published = {
      page: { status: 200, type: HTML_TYPE, body: Buffer.from(renderOperatorPage(sight, this.#history)) },
      metrics: { status: 200, type: METRICS_TYPE, body: Buffer.from(await metricsOf(sight)) },
      ready: json(isReady ? 200 : 503, { ready: isReady, reason: isReady ? null : 'redis' }),
      surroundings: json(200, servedBy(sight)),
    };
  }
}

/** For the status in a terminal. */
function servedBy({ at, isVisiting, surroundings }: Sight): ServedSurroundings {
  return { round: at.toISOString(), isVisiting, ...surroundings };
}

function json(status: number, value: unknown): ServedPage {
  return { status, type: JSON_TYPE, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

const STARTING = json(503, { ready: false, reason: 'starting' });
