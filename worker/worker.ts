import type { Redis } from 'ioredis';
import { randomBytes, toHex } from '../crypto/bytes.ts';
import { ready } from '../crypto/sodium.ts';
import { KeyringShelf } from '../runtime/keyrings.ts';
import type { Service } from '../runtime/lifecycle.ts';
import { log } from '../runtime/log.ts';
import { connect } from '../redis/connection.ts';
import { AdministratorMail } from './administrator.ts';
import { BatchLease } from './batch-lease.ts';
import { Beginning } from './beginning.ts';
import { haveInboxesChanged, type WorkerConfig } from './config.ts';
import { DeletionClock } from './deletion-clock.ts';
import { deliveryDuty } from './delivery-duty.ts';
import { OutboxDelivery } from './deliver.ts';
import { Housekeeping } from './housekeeping.ts';
import { guardedInbox } from './inboxes/kinds.ts';
import { roundLease, withLease } from './lease.ts';
import { Mailboxes } from './mailboxes.ts';
import { Mix } from './mix.ts';
import { mixDuty } from './mix-duty.ts';
import { MixReport } from './mix-report.ts';
import { Outbox } from './outbox.ts';
import { Rounds, type Duty } from './rounds.ts';
import { TestLetters } from './test-letter.ts';

const INSTANCE_BYTES = 16;

/** The worker: takes parcels from the pool, mixes them, and forwards the letters in them. */
export async function createWorker(config: WorkerConfig): Promise<Service> {
  await ready;
  const roundMs = config.roundSeconds * 1000;
  // A new name at every start: a killed worker's batch belongs to another instance, and is taken over like any other.
  const instance = toHex(randomBytes(INSTANCE_BYTES));
  const shelf = new KeyringShelf({ directory: config.keyrings, rootKeyFile: config.rootKeyFile });
  const redis = connect(config.redis, 'worker');
  const stopReporting = reportRedis(redis);

  const outboxes = new Map(config.inboxes.map(({ id }) => [id, new Outbox(redis, id)]));
  const mailboxes = new Mailboxes(redis, config.replyWeeks);
  const mixSettings = { ...config, haveInboxesChanged: () => haveInboxesChanged(config) };
  const mix = new Mix(redis, new BatchLease(redis, instance), shelf, groupByTeam(config, outboxes), mailboxes, mixSettings);
  const housekeeping = new Housekeeping(redis, shelf, mailboxes, { ...config, inboxes: [...outboxes.keys()] }, new DeletionClock(redis));

  const duties = new Map<string, Duty>([
    ['mix', mixDuty(mix, new MixReport(redis, shelf, mailboxes), housekeeping, config.roundSeconds)],
    ['housekeeping', () => housekeeping.run()],
  ]);
  for (const [name, duty] of exclusiveDuties(redis, shelf, outboxes, config)) {
    const lease = roundLease(name, instance, roundMs);
    duties.set(name, (stopping) => withLease(redis, lease, () => duty(stopping)));
  }
  const rounds = new Rounds(config.redis, roundMs, duties);
  const beginning = new Beginning(redis, config, () => rounds.start());

  return {
    async start() {
      await shelf.start();
      if (shelf.isTrial) log.warn('trial keys');
      beginning.start();
    },
    async destroy() {
      beginning.destroy();
      await rounds.destroy();
      shelf.destroy();
      stopReporting();
      redis.disconnect();
    },
  };
}

/** What one worker at a time does: delivering to each inbox, and the mail to the administrator. */
function exclusiveDuties(
  redis: Redis,
  shelf: KeyringShelf,
  outboxes: ReadonlyMap<string, Outbox>,
  config: WorkerConfig,
): Map<string, Duty> {
  const { administrator, inboxes, torSocks } = config;
  const duties = new Map<string, Duty>();
  for (const settings of inboxes) {
    const outbox = outboxes.get(settings.id);
    if (!outbox) continue;
    const name = `deliver-${settings.id}`;
    const delivery = new OutboxDelivery(outbox, guardedInbox(settings, torSocks));
    duties.set(name, deliveryDuty(name, outbox, delivery, new TestLetters(redis, shelf, outbox, settings.team)));
  }
  const mail = administrator && new AdministratorMail(redis, administrator, torSocks);
  if (mail !== null) duties.set('administrator', () => mail.run());
  return duties;
}

/** Logs changes only: while Redis is away, every attempt to reach it ends in another 'close'. Returns how to stop. */
function reportRedis(redis: Redis): () => void {
  let away = true;
  const back = () => {
    away = false;
    log.info('redis back');
  };
  const gone = () => {
    if (!away) log.warn('redis away');
    away = true;
  };
  redis.on('ready', back).on('close', gone);
  return () => redis.off('ready', back).off('close', gone);
}

function groupByTeam(config: WorkerConfig, outboxes: ReadonlyMap<string, Outbox>): Map<string, Outbox[]> {
  const teams = new Map<string, Outbox[]>();
  for (const { id, team } of config.inboxes) {
    const outbox = outboxes.get(id);
    if (outbox) teams.set(team, [...(teams.get(team) ?? []), outbox]);
  }
  return teams;
}
