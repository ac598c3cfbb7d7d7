import type { Redis } from 'ioredis';
import { ready } from '../crypto/sodium.ts';
import { KeyringShelf } from '../runtime/keyrings.ts';
import type { Service } from '../runtime/lifecycle.ts';
import { asWord, log } from '../runtime/log.ts';
import { connect } from '../redis/connection.ts';
import { MAX_PASSED_OVER } from '../redis/presence.ts';
import { minutesOf } from '../redis/state.ts';
import { VERSION } from '../runtime/version.ts';
import { refuseNewerData } from '../redis/version.ts';
import { endMisconfigured } from '../runtime/env.ts';
import type { RelayConfig } from './config.ts';
import { Door } from './door.ts';
import { ServedForm } from './form.ts';
import { createHealthApp } from './health.ts';
import { Listener } from './listener.ts';
import { MailboxReader } from './mailboxes.ts';
import { Pool } from './pool.ts';
import { Presence } from './presence.ts';

/** The relay: accepts parcels, all of one size, and puts them into the pool. It can open no parcel and cannot read the pool. */
export class Relay implements Service {
  readonly #config: RelayConfig;
  readonly #redis: Redis;
  readonly #shelf: KeyringShelf;
  readonly #door: Door;
  #form: ServedForm | undefined;
  #presence: Presence | undefined;
  readonly #listeners: Listener[] = [];

  constructor(config: RelayConfig) {
    this.#config = config;
    this.#redis = connect(config.redis, 'relay');
    // Until then the door is closed: the newer worker has taken this version's functions away (redis/functions.ts).
    this.#redis.on('ready', () => void refuseNewerData(this.#redis, (problem) => endMisconfigured([problem])).catch(() => undefined));
    this.#shelf = new KeyringShelf(config.keyrings);
    this.#door = new Door(this.#redis, this.#shelf, config);
  }

  async start(): Promise<void> {
    const config = this.#config;
    const shelf = this.#shelf;
    const door = this.#door;
    const { requestTimeoutMs } = config;
    await ready;
    await shelf.start();
    if (shelf.isTrial) log.warn('trial keys');
    const parts = { shelf, door, pool: new Pool(this.#redis, config), mailboxes: new MailboxReader(this.#redis, config.replyWeeks) };
    const form = new ServedForm(config.webDirectory, () => shelf.rootKey, parts);
    this.#form = form;
    await Promise.all([form.start(), door.start()]);
    const listeners = [
      ['public', new Listener(config.listen, form.app, { requestTimeoutMs, page: form.page })],
      ['private', new Listener(config.privateListen, createHealthApp(door, shelf), { requestTimeoutMs })],
    ] as const;
    for (const [name, listener] of listeners) {
      await listener.start();
      this.#listeners.push(listener);
      log.info('listening', { listener: name });
    }
    // Last, so that only a relay that people can reach reports its presence.
    this.#presence = new Presence(config.redis, this.#redis, () => ({
      door: door.state.reason,
      newestKeyring: shelf.all().at(-1)?.serial ?? 0,
      passedOver: shelf.passedOver.slice(0, MAX_PASSED_OVER).map(({ file, code }) => ({ file: asWord(file), code: asWord(code) })),
      offlineFormEnded: form.offlineFormEnded,
      gaps: [
        ...(shelf.rootState === 'ok' ? [] : [`root-${shelf.rootState}` as const]),
        ...(form.state === 'ok' ? [] : [`form-${form.state}` as const]),
      ],
      isTrial: shelf.isTrial,
      limits: { pool: config.poolLimit, seen: config.seenLimit },
      taken: door.acceptedKeyrings,
      version: VERSION,
      clockMinutes: minutesOf(shelf.now()),
    }));
    this.#presence.start();
  }

  /** TCP ports of the public and the private listener, if they have any. */
  get ports(): number[] {
    return this.#listeners.map(({ port }) => port);
  }

  async destroy(): Promise<void> {
    this.#presence?.destroy();
    await Promise.all(this.#listeners.map((listener) => listener.destroy()));
    this.#form?.destroy();
    this.#door.destroy();
    this.#shelf.destroy();
    this.#redis.disconnect();
  }
}
