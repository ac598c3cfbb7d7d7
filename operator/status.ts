import type { Redis } from 'ioredis';
import { readDrain } from '../redis/drain.ts';
import { keys, workerState, type WorkerState } from '../redis/keys.ts';
import { readState, magnitude, type KeyringState, type Magnitude, type MixState } from '../redis/state.ts';
import type { PassedOver, Taken } from '../redis/presence.ts';
import { noticesOf, type Ahead } from './attention/ahead.ts';
import type { Attention } from './attention/attention.ts';
import { ofDrops } from './attention/drops.ts';
import { ofInbox, type InboxStatus } from './attention/inboxes.ts';
import { ofKeyringFiles, ofMaintenance, ofRelays, ofTaken } from './attention/relays.ts';
import { ofHousekeeping, ofMix, ofWorker } from './attention/worker.ts';
import { askRelays, takenBy, type Relays } from './relay.ts';

/** `answers`: every relay connected to Redis; `silent`: not all of them; `away`: none is connected. */
export type RelayState = 'answers' | 'silent' | 'away' | 'not asked';

/** What an operator may know: counts as orders of magnitude, and no time finer than a round. */
export type Status = {
  /** Parcels in the pool when the last round began; null before the first round. */
  pool: Magnitude | null;
  /** Replies waiting in mailboxes when the last round ended. */
  replies: Magnitude | null;
  keyring: KeyringState | null;
  /** When the valid keyrings run out. */
  keyringUntil: string | null;
  /** Serial of the keyring that follows the current one. */
  keyringNext: number | null;
  /** The keyrings under which relays accept parcels, and how much of each limit is used up; empty if no relay answers. */
  taken: Taken[];
  relay: RelayState;
  worker: WorkerState;
  /** The operator has closed the door (operator drain). `emptied`: nothing is on its way any more. */
  maintenance: 'no' | 'draining' | 'emptied';
  roundSeconds: number | null;
  inboxes: InboxStatus[];
  dropped: { reason: string; count: Magnitude }[];
  attention: Attention[];
  /** What will be missing in a coming week: four weeks, two weeks and a week before. */
  notices: Ahead[];
};

/** @param part `worker`: asks no relay and reports only on the worker, which the worker's own Redis user may read */
export async function readStatus(redis: Redis, now: Date, part: 'all' | 'worker' = 'all'): Promise<Status> {
  const relays = part === 'all' ? await askRelays(redis) : null;
  const [state, value, leftMs, inboxIds, dropped, drain] = await Promise.all([
    readState(redis, now),
    redis.get(keys.alive),
    redis.pttl(keys.alive),
    redis.smembers(keys.inboxes),
    redis.hgetall(keys.dropped),
    readDrain(redis),
  ]);
  const { mix, housekeeping, trouble, drops } = state;
  const inboxes = await Promise.all(inboxIds.sort().map((id) => readInbox(redis, id)));
  const roundSeconds = Number(value ?? 0);
  const worker = workerState(leftMs, roundSeconds);
  const taken = relays === null ? [] : takenBy(relays);
  const onlyForAll =
    relays === null
      ? []
      : [
          ...ofMaintenance(drain !== null),
          ...ofRelays(relays, { ...mix, ...housekeeping }),
          ...ofTaken(taken),
          ...ofKeyringFiles(workerFiles(mix), "the worker's"),
          ...ofHousekeeping(housekeeping),
          ...ofDrops(drops),
          ...inboxes.flatMap((inbox) => ofInbox(inbox, trouble)),
        ];
  return {
    pool: mix.pool ?? null,
    replies: mix.replies ?? null,
    keyring: mix.keyring ?? null,
    keyringUntil: mix.keyringUntil || null,
    keyringNext: Number(mix.keyringNext ?? 0) || null,
    taken,
    relay: relayState(relays),
    worker,
    maintenance: drain === null ? 'no' : drain === mix.emptied ? 'emptied' : 'draining',
    roundSeconds: roundSeconds > 0 ? roundSeconds : null,
    inboxes,
    dropped: Object.entries(dropped)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([reason, count]) => ({ reason, count: magnitude(Number(count)) })),
    attention: [...ofWorker(worker), ...ofMix(mix, part), ...onlyForAll],
    notices: noticesOf(mix, now),
  };
}

/** As the worker wrote them: `keyring-7.json:ENOENT keyring-8.json:FILE_LINK`. */
function workerFiles({ keyringFiles = '' }: Partial<MixState>): PassedOver[] {
  return keyringFiles.split(' ').flatMap((word) => {
    const [file = '', code] = word.split(':');
    return code === undefined ? [] : [{ file, code }];
  });
}

function relayState(relays: Relays | null): RelayState {
  if (relays === null) return 'not asked';
  if (relays.asked === 0) return 'away';
  return relays.answers.length < relays.asked ? 'silent' : 'answers';
}

async function readInbox(redis: Redis, id: string): Promise<InboxStatus> {
  const [waiting, dead] = await Promise.all([redis.hlen(keys.outbox(id)), redis.hlen(keys.dead(id))]);
  return { id, waiting: magnitude(waiting), dead: magnitude(dead) };
}
