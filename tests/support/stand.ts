// A worker over a real Redis, round by round, with a clock that the test sets.
import type { Redis } from 'ioredis';
import { encrypt } from '../../crypto/age/age.ts';
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { parcelId } from '../../crypto/parcel.ts';
import { KeyringShelf } from '../../runtime/keyrings.ts';
import { provideFunctions } from '../../redis/functions.ts';
import { BatchLease } from '../../worker/batch-lease.ts';
import { DeletionClock } from '../../worker/deletion-clock.ts';
import { Housekeeping } from '../../worker/housekeeping.ts';
import { Mailboxes } from '../../worker/mailboxes.ts';
import { Mix, type MixSettings } from '../../worker/mix.ts';
import { mixDuty } from '../../worker/mix-duty.ts';
import { MixReport } from '../../worker/mix-report.ts';
import { Outbox } from '../../worker/outbox.ts';
import type { Sweep } from '../../worker/sweep.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { workerBench, type Bench } from './worker.ts';

export type StandOptions = Readonly<{
  settings?: Partial<MixSettings>;
  lease?: BatchLease;
  /** Of the bench's team. */
  inboxes?: readonly string[];
  /** Of other teams. */
  others?: ReadonlyMap<string, Outbox[]>;
}>;

/** The mix, and what housekeeping last learned from it. */
export type MixRounds = { round(stopping: () => boolean): Promise<void>; readonly lastSweep: Sweep | null };

export type Parts = Readonly<{ redis: TestRedis; bench: Bench; admin: Redis; client: Redis }>;

export async function startParts(redis: TestRedis): Promise<Parts> {
  const client = await redis.connect('worker');
  await provideFunctions(client);
  return { redis, bench: await workerBench(redis), admin: await redis.connect('admin'), client };
}

/** What a stand needs of its bench. */
export type Files = Pick<Bench, 'team' | 'workerIdentity' | 'config' | 'remove'>;
export type PartsWith<Of extends Files> = Omit<Parts, 'bench'> & { readonly bench: Of };

export class WorkerStand<Of extends Files = Bench> {
  now = new Date();
  /** Of a clock that nobody sets. */
  steadyMs = 0;
  readonly redis: TestRedis;
  readonly bench: Of;
  /** May do everything, for inspection. */
  readonly admin: Redis;
  /** The worker's own connection. */
  client: Redis;

  constructor({ redis, bench, admin, client }: PartsWith<Of>) {
    this.redis = redis;
    this.bench = bench;
    this.admin = admin;
    this.client = client;
  }

  static async start(redis?: TestRedis): Promise<WorkerStand> {
    return new WorkerStand(await startParts(redis ?? (await startRedis())));
  }

  async stop(): Promise<void> {
    await this.redis.stop();
    await this.bench.remove();
  }

  /** Time passes. */
  later(hours: number): void {
    this.steadyMs += hours * 3_600_000;
    this.jump(hours);
  }

  /** The clock is set. */
  jump(hours: number): void {
    this.now = new Date(this.now.getTime() + hours * 3_600_000);
  }

  lease(instance = toHex(randomBytes(16))): BatchLease {
    return new BatchLease(this.client, instance);
  }

  /** A worker that has just started. */
  async worker(options: StandOptions = {}): Promise<{ mix: MixRounds; housekeeping: Housekeeping; shelf: KeyringShelf }> {
    const { settings, lease = this.lease(), inboxes = ['inbox-1'], others } = options;
    const {
      client,
      bench: { config, team },
    } = this;
    const now = (): Date => this.now;
    const shelf = new KeyringShelf({ directory: config.keyrings, rootKeyFile: config.rootKeyFile, now });
    await shelf.load();
    const outboxes = new Map([[team, inboxes.map((id) => new Outbox(client, id))], ...(others ?? [])]);
    const mailboxes = new Mailboxes(client, config.replyWeeks);
    const clock = new DeletionClock(client, now, () => this.steadyMs);
    const mixSettings = { haveInboxesChanged: () => false, ...config, ...settings };
    const mix = new Mix(client, lease, shelf, outboxes, mailboxes, mixSettings, now);
    const housekeeping = new Housekeeping(client, shelf, mailboxes, { ...config, inboxes }, clock);
    const rounds = {
      lastSweep: null as Sweep | null,
      round: mixDuty(
        mix,
        new MixReport(client, shelf, mailboxes, now),
        {
          get due() {
            return housekeeping.due;
          },
          noteSweep(sweep) {
            rounds.lastSweep = sweep ?? rounds.lastSweep;
            housekeeping.noteSweep(sweep);
          },
        },
        mixSettings.roundSeconds,
      ),
    };
    return { mix: rounds, housekeeping, shelf };
  }

  /** One round of a worker that has just started. */
  async round(options: StandOptions = {}): Promise<void> {
    const { mix } = await this.worker(options);
    await mix.round(() => false);
  }

  /** A parcel whose sealed part is an age file with this plaintext, to the worker by default. */
  sealed(plaintext: Uint8Array, recipient = identityToRecipient(this.bench.workerIdentity)): { id: Buffer; sealed: Buffer } {
    const sealed = Buffer.from(encrypt(plaintext, [recipient]));
    return { id: Buffer.from(parcelId(sealed)), sealed };
  }
}
