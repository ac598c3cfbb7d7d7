// For tests of the operator's tool: a real Redis in which all is well, relays that report their state, and the tool.
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import type { Status } from '../../operator/status.ts';
import { connect } from '../../redis/connection.ts';
import { ALIVE_SECONDS, keys } from '../../redis/keys.ts';
import { channels, type RelayCondition } from '../../redis/presence.ts';
import { minutesOf, publishMix, publishWaiting, type MixState } from '../../redis/state.ts';
import { VERSION } from '../../runtime/version.ts';
import { Presence } from '../../server/presence.ts';
import { cli, temporaryDirectory, writeTo, type CliInput, type CliResult } from './cli.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { until } from './worker.ts';

export const WELL: MixState = {
  pool: '1-9',
  replies: '10-99',
  paused: '',
  held: '',
  keyring: 'ok',
  keyringUntil: '2026-03-21T00:00:00Z',
  keyringNext: '13',
  keyringNewest: '13',
  warnings: '',
  keyringFiles: '',
  emptied: '',
  gaps: '',
  trial: '',
};
export const OPEN: RelayCondition = {
  door: null,
  newestKeyring: 13,
  passedOver: [],
  offlineFormEnded: false,
  gaps: [],
  isTrial: false,
  limits: { pool: 20_000, seen: 1_000_000 },
  taken: [
    { serial: 12, share: 'half', dearer: 4 },
    { serial: 13, share: 'low', dearer: 0 },
  ],
  version: VERSION,
  get clockMinutes() {
    return minutesOf(new Date());
  },
};

type Directory = Awaited<ReturnType<typeof temporaryDirectory>>;

export class OperatorStand {
  readonly redis: TestRedis;
  /** May do everything, for inspection. */
  readonly admin: Redis;
  readonly dir: Directory;
  readonly passwordFile: string;
  /** Used by relays without one of their own. */
  condition = OPEN;
  #relays: { presence: Presence; stop: () => void }[] = [];

  constructor(redis: TestRedis, admin: Redis, dir: Directory, passwordFile: string) {
    this.redis = redis;
    this.admin = admin;
    this.dir = dir;
    this.passwordFile = passwordFile;
  }

  /** With one relay. */
  static async start(): Promise<OperatorStand> {
    await ready;
    const dir = await temporaryDirectory();
    const redis = await startRedis();
    const admin = await redis.connect('admin');
    const passwordFile = await writeTo(dir.path('operator.password'), redis.passwords.operator);
    const stand = new OperatorStand(redis, admin, dir, passwordFile);
    await stand.startRelay();
    return stand;
  }

  async stop(): Promise<void> {
    for (const { stop } of this.#relays) stop();
    await this.redis.stop();
    await this.dir.remove();
  }

  /** Two inboxes, a worker that is alive, and nothing that needs attention. */
  async reset(): Promise<void> {
    this.condition = OPEN;
    await this.admin.flushall();
    await this.admin.sadd(keys.inboxes, 'inbox-1', 'inbox-2');
    await this.admin.set(keys.alive, '300', 'EX', ALIVE_SECONDS);
    await publishMix(this.admin, WELL);
    for (const inbox of ['inbox-1', 'inbox-2']) await publishWaiting(this.admin, inbox, 0);
  }

  /** What the operator's tool sees of a relay, without the rest. */
  async startRelay(own?: RelayCondition): Promise<void> {
    const client = connect(this.redis.target('relay'), 'relay');
    const presence = new Presence(this.redis.target('relay'), client, () => own ?? this.condition);
    const before = await this.listeners();
    presence.start();
    this.#relays.push({ presence, stop: () => (presence.destroy(), client.disconnect()) });
    await until('relays', async () => (await this.listeners()) === before + 1);
  }

  async stopRelays(): Promise<void> {
    for (const { stop } of this.#relays) stop();
    this.#relays = [];
    await until('relays', async () => (await this.listeners()) === 0);
  }

  async listeners(): Promise<number> {
    return Number(((await this.admin.pubsub('NUMSUB', channels.ask)) as [string, number])[1]);
  }

  operator(words: readonly string[], input: CliInput = {}): Promise<CliResult> {
    const [name = '', ...more] = words;
    return cli(['operator', name, '--redis-socket', this.redis.socketPath, '--password-file', this.passwordFile, ...more], input);
  }

  async status(): Promise<{ code: number; status: Status }> {
    const { code, text, err } = await this.operator(['status', '--json']);
    expect(err).toBe('');
    return { code, status: JSON.parse(text) as Status };
  }

  async fill(key: string, count: number, bytes: number): Promise<void> {
    const fields = Array.from({ length: count }, () => [Buffer.from(randomBytes(bytes)), Buffer.from('ciphertext')]).flat();
    await this.admin.hset(key, ...fields);
  }
}
