import type { Redis } from 'ioredis';
import { readDrain, type DrainFlag } from '../redis/drain.ts';
import { keys, workerState, type WorkerState } from '../redis/keys.ts';
import { INBOX_TROUBLES, readState, magnitude, type KeyringState, type Magnitude, type MixState, type State } from '../redis/state.ts';
import type { PassedOver, RelayCondition, Taken } from '../redis/presence.ts';
import { VERSION } from '../runtime/version.ts';
import { noticesOf, type Ahead } from './attention/ahead.ts';
import type { Attention } from './attention/attention.ts';
import { ofDrops } from './attention/drops.ts';
import { ofGaps, trialNotice } from './attention/gaps.ts';
import { ofInbox, type InboxStatus } from './attention/inboxes.ts';
import { ofDoor, ofKeyringFiles, ofMaintenance, ofRelays, ofTaken } from './attention/relays.ts';
import { ofSurroundings, ofVersions } from './attention/surroundings.ts';
import { NO_KEYRING, ofHousekeeping, ofKeys, ofMix, ofWorker } from './attention/worker.ts';
import type { OperatorCommands } from '../runtime/installation.ts';
import { compareClocks, ofClocks, type ClockState } from './clock.ts';
import { toSeconds } from './moments.ts';
import { askRelays, takenBy, type Relays } from './relay.ts';
import type { Surroundings } from './surroundings.ts';

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
  /** Why relays accept no parcels; empty if all accept them, or none answers. */
  door: NonNullable<RelayCondition['door']>[];
  /** The operator has closed the door (operator drain). `emptied`: nothing is on its way any more. */
  maintenance: 'no' | 'draining' | 'emptied';
  /** `waiting`: for the first keyring, without which it has nothing to do. */
  worker: WorkerState | 'waiting';
  roundSeconds: number | null;
  inboxes: InboxStatus[];
  dropped: { reason: string; count: Magnitude }[];
  attention: Attention[];
  /** What will be missing in a coming week: four weeks, two weeks and a week before. */
  notices: Ahead[];
  /** Whether Redis writes its append-only file, and what it has used of its memory, as the worker saw it in its last round. */
  redis: { file: 'ok' | 'failing' | null; memory: 'ok' | 'filling' | null };
  /** The end of the last week for which the worker has a key; null: the names of its files do not say. */
  keysUntil: string | null;
  clock: ClockState;
  /** By how many days the clock is ahead of the time that the worker has run. */
  clockAheadDays: number;
  versions: { operator: string; worker: string | null; relays: string[] };
} & Surroundings;

/** Whether a relay answers, and each that does takes parcels. A relay that answers says its version. */
export const isDoorOpen = ({ door, versions }: Status): boolean => versions.relays.length > 0 && door.length === 0;

/**
 * Reads what is in Redis, and asks relays; nothing of what is around them.
 * @param part `worker`: asks no relay and reports only on the worker, which the worker's own Redis user may read
 */
export async function readStatus(redis: Redis, now: Date, commands: OperatorCommands, part: 'all' | 'worker' = 'all'): Promise<Status> {
  const relays = part === 'all' ? await askRelays(redis) : null;
  const [state, round, leftMs, inboxIds, dropped, drain] = await Promise.all([
    readState(redis, now),
    redis.get(keys.alive),
    redis.pttl(keys.alive),
    redis.smembers(keys.inboxes),
    redis.hgetall(keys.dropped),
    readDrain(redis),
  ]);
  const inboxes = await Promise.all(inboxIds.sort().map((id) => readInbox(redis, id, state)));
  return statusOf({ now, part, commands, relays, state, roundSeconds: Number(round ?? 0), leftMs, inboxes, dropped, drain });
}

/** The same with what was found around. */
export function withSurroundings(status: Status, { disk, onion }: Surroundings, commands: OperatorCommands): Status {
  return { ...status, disk, onion, attention: [...status.attention, ...ofSurroundings({ disk, onion }, commands)] };
}

type Found = {
  readonly now: Date;
  readonly part: 'all' | 'worker';
  readonly commands: OperatorCommands;
  /** Null: not asked. */
  readonly relays: Relays | null;
  readonly state: State;
  /** 0: not known. */
  readonly roundSeconds: number;
  /** PTTL of `worker:alive`. */
  readonly leftMs: number;
  readonly inboxes: readonly InboxStatus[];
  readonly dropped: Readonly<Record<string, string>>;
  /** Null: the door is not closed for maintenance. */
  readonly drain: DrainFlag | null;
};

function statusOf(found: Found): Status {
  const { now, relays, state, roundSeconds, leftMs, drain, commands } = found;
  const { mix, housekeeping } = state;
  const answers = relays?.answers ?? [];
  const status: Omit<Status, 'attention'> = {
    pool: mix.pool ?? null,
    replies: mix.replies ?? null,
    keyring: mix.keyring ?? null,
    keyringUntil: mix.keyringUntil ? toSeconds(mix.keyringUntil) : null,
    keyringNext: Number(mix.keyringNext ?? 0) || null,
    keysUntil: housekeeping.keysUntil ? toSeconds(housekeeping.keysUntil) : null,
    taken: relays === null ? [] : takenBy(relays),
    relay: relayState(relays),
    door: [...new Set(answers.flatMap(({ door }) => door ?? []))],
    worker: mix.paused === NO_KEYRING ? 'waiting' : workerState(leftMs, roundSeconds),
    maintenance: drain === null ? 'no' : drain === mix.emptied ? 'emptied' : 'draining',
    roundSeconds: roundSeconds > 0 ? roundSeconds : null,
    inboxes: [...found.inboxes],
    dropped: Object.entries(found.dropped)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([reason, count]) => ({ reason, count: magnitude(Number(count)) })),
    redis: { file: housekeeping.aof ?? null, memory: housekeeping.memory ?? null },
    clock: compareClocks(
      now,
      leftMs,
      state.clockMinutes,
      answers.map(({ clockMinutes }) => clockMinutes),
    ),
    clockAheadDays: Number(housekeeping.clockAheadDays ?? 0),
    versions: { operator: VERSION, worker: housekeeping.version ?? null, relays: [...new Set(answers.map(({ version }) => version))] },
    disk: null,
    onion: null,
    notices: [...trialNotice(answers, mix), ...noticesOf(mix, housekeeping, now, commands)],
  };
  return { ...status, attention: attentionOf(found, status) };
}

function attentionOf({ now, part, relays, state, dropped, commands }: Found, status: Omit<Status, 'attention'>): Attention[] {
  const { mix, housekeeping, drops } = state;
  const ofAll = [...ofWorker(status.worker, commands), ...ofMix(mix, part, commands)];
  if (relays === null) return ofAll;
  const { answers } = relays;
  const { worker, relays: ofRelay, operator } = status.versions;
  const isNew = Object.keys(dropped).length === 0 && hasNoKeyring(answers, mix);
  return [
    ...ofGaps({ answers, mix, isNew }, commands),
    ...ofAll.filter(({ code }) => !(isNew && code === 'KEYRING_NONE')),
    ...ofMaintenance(status.maintenance !== 'no', commands),
    ...ofRelays(relays, { ...mix, ...housekeeping }, commands),
    ...ofDoor(status.door, isNew, commands),
    ...ofTaken(status.taken),
    ...ofKeyringFiles(workerFiles(mix), "the worker's"),
    ...ofKeys(housekeeping, now, commands),
    ...ofHousekeeping(housekeeping, commands),
    ...ofDrops(drops),
    ...status.inboxes.flatMap((inbox) => ofInbox(inbox, commands)),
    ...ofClocks(status.clock),
    ...ofVersions(operator, [...ofRelay, ...(worker === null ? [] : [worker])]),
  ];
}

/** Together with no parcel ever dropped, this is a first setup: whoever loads the form sends decoys, which are counted for ever. */
function hasNoKeyring(answers: Relays['answers'], { keyringNewest = '0' }: Partial<MixState>): boolean {
  return answers.length > 0 && keyringNewest === '0' && answers.every(({ newestKeyring }) => newestKeyring === 0);
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

async function readInbox(redis: Redis, id: string, { trouble, waiting }: State): Promise<InboxStatus> {
  const dead = await redis.hlen(keys.dead(id));
  const troubles = Object.fromEntries(INBOX_TROUBLES.flatMap((kind) => (trouble(id, kind) === null ? [] : [[kind, trouble(id, kind)]])));
  return { id, waiting: waiting(id), dead: magnitude(dead), troubles };
}
