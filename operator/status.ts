import type { Redis } from 'ioredis';
import { keys, workerState, type WorkerState } from '../store/keys.ts';
import { readState, step, type KeyringState, type MixState, type Step } from '../store/state.ts';

export type InboxStatus = { id: string; waiting: Step; dead: Step };

/** What an operator may know: orders of magnitude, and no time finer than a round. */
export type Status = {
  /** As the last round found it; null before the first. */
  pool: Step | null;
  /** That wait in mailboxes; as the last round left them. */
  replies: Step | null;
  keyring: KeyringState | null;
  worker: WorkerState;
  roundSeconds: number | null;
  inboxes: InboxStatus[];
  dropped: { reason: string; count: Step }[];
  attention: Attention[];
};

type Code =
  | 'WORKER_GONE'
  | 'WORKER_LATE'
  | 'MIX_PAUSED'
  | 'LETTERS_HELD'
  | 'REPLIES_FULL'
  | 'KEYRING_NONE'
  | 'KEYRING_EXPIRING'
  | 'POOL_DEEP'
  | 'INBOX_FAILING'
  | 'INBOX_DEAD'
  | 'INBOX_BACKLOG';
export type Attention = { code: Code; what: string; advice: string };

/** As the worker names it (worker/obstacles.ts). */
const REPLIES_FULL = 'replies-full';
const BACKLOG: readonly Step[] = ['1000-9999', '10000+'];

export async function readStatus(redis: Redis): Promise<Status> {
  const [state, value, leftMs, inboxIds, dropped] = await Promise.all([
    readState(redis),
    redis.get(keys.alive),
    redis.pttl(keys.alive),
    redis.smembers(keys.inboxes),
    redis.hgetall(keys.dropped),
  ]);
  const inboxes = await Promise.all(inboxIds.sort().map((id) => readInbox(redis, id)));
  const roundSeconds = Number(value ?? 0);
  const worker = workerState(leftMs, roundSeconds);
  return {
    pool: state.mix.pool ?? null,
    replies: state.mix.replies ?? null,
    keyring: state.mix.keyring ?? null,
    worker,
    roundSeconds: roundSeconds > 0 ? roundSeconds : null,
    inboxes,
    dropped: Object.entries(dropped)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([reason, count]) => ({ reason, count: step(Number(count)) })),
    attention: [...ofWorker(worker), ...ofMix(state.mix), ...inboxes.flatMap((inbox) => ofInbox(inbox, state.failing(inbox.id)))],
  };
}

async function readInbox(redis: Redis, id: string): Promise<InboxStatus> {
  const [waiting, dead] = await Promise.all([redis.hlen(keys.outbox(id)), redis.hlen(keys.dead(id))]);
  return { id, waiting: step(waiting), dead: step(dead) };
}

function ofWorker(worker: WorkerState): Attention[] {
  switch (worker) {
    case 'gone':
      return [{ code: 'WORKER_GONE', what: 'no worker has done a round for an hour', advice: 'start the worker; its log says why it ended. The form is closed meanwhile' }];
    case 'late':
      return [{ code: 'WORKER_LATE', what: 'the worker has missed three rounds', advice: "look at the worker's log; if it hangs, restart it: nothing is lost by that" }];
    case 'working':
      return [];
  }
}

function ofMix({ pool, paused, held, keyring }: Partial<MixState>): Attention[] {
  const list: Attention[] = [];
  if (paused) {
    list.push({ code: 'MIX_PAUSED', what: `nothing leaves the pool (${paused})`, advice: 'give the worker the keyring or the key of this serial, readable by it alone; nothing is lost meanwhile' });
  }
  const reasons = held?.split(' ') ?? [];
  const letters = reasons.filter((reason) => reason !== REPLIES_FULL).join(' ');
  if (letters) {
    list.push({ code: 'LETTERS_HELD', what: `letters of a team are held back (${letters})`, advice: 'repair this inbox, or give the worker an inbox for each team of this keyring; nothing is lost meanwhile' });
  }
  if (reasons.includes(REPLIES_FULL)) {
    list.push({
      code: 'REPLIES_FULL',
      what: 'as many answers wait in mailboxes as may, and further ones are held back',
      advice: 'raise WORKER_REPLY_LIMIT; if it came suddenly, ask the administrator whether a signer was stolen. Nothing is lost meanwhile',
    });
  }
  if (keyring === 'none') {
    list.push({ code: 'KEYRING_NONE', what: 'no keyring is valid', advice: "install the administrator's next keyring. The form is closed meanwhile" });
  }
  if (keyring === 'expiring') {
    list.push({ code: 'KEYRING_EXPIRING', what: 'the keyring ends within two days and none follows', advice: 'ask the administrator for the next one' });
  }
  if (pool === '10000+') {
    list.push({ code: 'POOL_DEEP', what: 'the pool holds 10,000 parcels or more', advice: 'see that the worker runs; a flood raises the stamp: RELAY_DIFFICULTY' });
  }
  return list;
}

function ofInbox({ id, waiting, dead }: InboxStatus, failing: boolean): Attention[] {
  const list: Attention[] = [];
  if (failing) {
    list.push({ code: 'INBOX_FAILING', what: `inbox ${id} takes nothing at the moment`, advice: "see that its server or disk is there; the worker's log has the reason, and the worker tries again by itself" });
  }
  if (dead !== '0') {
    list.push({
      code: 'INBOX_DEAD',
      what: `inbox ${id} refused letters for good (${dead})`,
      advice: `repair the inbox (address, disk, quota), then: support-relay operator redrive ${id}`,
    });
  }
  if (BACKLOG.includes(waiting)) {
    list.push({ code: 'INBOX_BACKLOG', what: `inbox ${id} has ${waiting} letters waiting`, advice: 'see that its server is up, reachable, and fast enough' });
  }
  return list;
}
