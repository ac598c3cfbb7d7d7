// Delivery from one outbox in a real Redis into an inbox, with a clock that the test sets.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { randomBytes } from '../../crypto/bytes.ts';
import { LETTER_BYTES } from '../../crypto/letter.ts';
import { ready } from '../../crypto/sodium.ts';
import { keys } from '../../redis/keys.ts';
import { OutboxDelivery } from '../../worker/deliver.ts';
import type { Guard } from '../../worker/inboxes/guard.ts';
import { guardedInbox, inboxesSchema } from '../../worker/inboxes/kinds.ts';
import { Outbox } from '../../worker/outbox.ts';
import type { TestRedis } from './redis.ts';
import { startSmtp, type TestSmtp } from './smtp.ts';

const TEAM = '00112233445566aa';

export class DeliveryStand {
  readonly redis: TestRedis;
  /** May do everything, for inspection. */
  readonly admin: Redis;
  readonly outbox: Outbox;
  readonly dir: string;
  nowMs = 0;
  readonly #servers: TestSmtp[] = [];

  constructor(redis: TestRedis, admin: Redis, outbox: Outbox, dir: string) {
    this.redis = redis;
    this.admin = admin;
    this.outbox = outbox;
    this.dir = dir;
  }

  static async start(redis: TestRedis): Promise<DeliveryStand> {
    await ready;
    const admin = await redis.connect('admin');
    const outbox = new Outbox(await redis.connect('worker'), 'inbox-1');
    return new DeliveryStand(redis, admin, outbox, await mkdtemp(join(tmpdir(), 'relay-deliver-')));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
    await this.redis.stop();
    await rm(this.dir, { recursive: true });
  }

  /** Closed with the stand. */
  async startSmtp(...options: Parameters<typeof startSmtp>): Promise<TestSmtp> {
    const server = await startSmtp(...options);
    this.#servers.push(server);
    return server;
  }

  /** @returns the ids of the letters */
  async fill(count: number): Promise<Buffer[]> {
    const ids = Array.from({ length: count }, () => Buffer.from(randomBytes(16)));
    for (const id of ids) await this.admin.hset(keys.outbox('inbox-1'), id, Buffer.from(randomBytes(LETTER_BYTES)));
    return ids;
  }

  deliveryTo(inbox: Guard): OutboxDelivery {
    return new OutboxDelivery(this.outbox, inbox, () => this.nowMs);
  }

  maildir(): Guard {
    return open({ kind: 'maildir', path: join(this.dir, 'box') });
  }

  smtp(port: number): Guard {
    return open({ kind: 'smtp', host: '127.0.0.1', port, tls: 'none', from: 'a@example.org', to: 'b@example.org' });
  }
}

function open(settings: object): Guard {
  const [parsed] = inboxesSchema.parse([{ id: 'inbox-1', team: TEAM, ...settings }]);
  if (!parsed) throw new Error('no inbox');
  return guardedInbox(parsed, null);
}
