import type { Redis } from 'ioredis';
import { ALARMING_DROPS, type AlarmingDrop } from './drops.ts';
import { keys } from './keys.ts';

/** How counts are shown to people: only the order of magnitude, so that they never reveal one person's request. */
export const MAGNITUDES = ['0', '1-9', '10-99', '100-999', '1000-9999', '10000+'] as const;
export type Magnitude = (typeof MAGNITUDES)[number];

export function magnitude(count: number): Magnitude {
  if (count <= 0) return '0';
  if (count < 10) return '1-9';
  if (count < 100) return '10-99';
  if (count < 1000) return '100-999';
  return count < 10_000 ? '1000-9999' : '10000+';
}

/** `expiring`: the current keyring ends soon and none follows it; `none`: there is no current keyring. */
export type KeyringState = 'ok' | 'expiring' | 'none';

/** What the mix tells operators at the end of each round, in the hash `state`. */
export type MixState = {
  /** Parcels that were there when the round began. */
  pool: Magnitude;
  /** Replies that waited when the round ended. */
  replies: Magnitude;
  /** Why nothing leaves the pool: a reason and a serial; or ''. */
  paused: string;
  /** What holds back some teams' letters, or all replies: reasons, each with its inbox or serial, separated by spaces. */
  held: string;
  keyring: KeyringState;
  /** When the worker runs out of valid keyrings: the end of the current one and of those that follow it without a gap; or ''. */
  keyringUntil: string;
  /** Serial of the keyring that follows the current one, or ''. */
  keyringNext: string;
  /** The highest serial that the worker knows; '0': none. */
  keyringNewest: string;
  /** What will hold something back but does not yet: reasons, each with its subject, separated by spaces (`Warning`). */
  warnings: string;
  /** What the worker lacks because nobody has given or made it yet (`Gap`), separated by spaces. */
  gaps: string;
  /** `yes`: all keys were made on this server, to try it out. */
  trial: 'yes' | '';
  /** Files in the worker's folder of keyrings that are not used: name and code of each, `keyring-7.json:ENOENT`, separated by spaces. */
  keyringFiles: string;
  /** The flag of a drain (redis/drain.ts) under which nothing is on its way any more, or ''. */
  emptied: string;
};

/** Something that will hold something back but does not yet. */
export type Warning =
  | { readonly reason: 'next-key'; readonly problem: string; readonly serial: number; readonly file?: string }
  /** A file in the worker's folder of keys that cannot be used. */
  | { readonly reason: 'key-file'; readonly problem: string; readonly file: string }
  /** A team of the present keyring is not in a coming one. */
  | { readonly reason: 'team-leaves'; readonly serial: number }
  | { readonly reason: 'outbox-filling'; readonly inbox: string }
  | { readonly reason: 'replies-filling' };

/** What housekeeping tells operators, in the same hash. */
export type HousekeepingState = {
  /** The tasks that fail, each with a code, separated by spaces; or ''. */
  housekeeping: string;
  /** By how many whole days the clock is ahead of that by which keys and replies are deleted (worker/deletion-clock.ts). */
  clockAheadDays: string;
  /** `filling`: Redis has used most of the memory it may use. */
  memory: 'filling' | 'ok';
  /** The relays' limits as configured for this worker: Redis' memory is planned for them. */
  relayLimits: string;
  /** `failing`: Redis could not write its append-only file, or not rewrite it, or does not write one. */
  aof: 'ok' | 'failing';
  /** The end of the last week for which the worker has a key, by the names of their files; or ''. */
  keysUntil: string;
  /** Of the worker's program. */
  version: string;
  /** Settings of Redis that are not as they must be (redis/settings.ts), separated by spaces; or ''. */
  redisSettings: string;
};

/** The most that relays let in: parcels in the pool, and remembered ids per keyring. */
export type RelayLimits = { readonly pool: number; readonly seen: number };

export const limitsText = ({ pool, seen }: RelayLimits): string => `RELAY_POOL_LIMIT=${String(pool)} RELAY_SEEN_LIMIT=${String(seen)}`;

export async function publishMix(redis: Redis, state: MixState): Promise<void> {
  await redis.hset(keys.state, state);
}

export async function publishHousekeeping(redis: Redis, state: HousekeepingState): Promise<void> {
  await redis.hset(keys.state, state);
}

/** Once a round, together with `worker:alive`: the worker's clock to the minute, so that an operator sees one that differs. */
export async function publishClock(redis: Redis, now: Date): Promise<void> {
  await redis.hset(keys.state, 'clock', String(minutesOf(now)));
}

/** A time in minutes since 1970: parts tell each other no finer one. */
export const minutesOf = (now: Date): number => Math.floor(now.getTime() / MINUTE_MS);

/** What a worker says about an inbox, each with a reason in one word. */
export const INBOX_TROUBLES = [
  /** Accepts nothing at the moment. */
  'failing',
  /** Accepted some letters and refused others, which wait and are tried again. */
  'deferring',
  /** Letters wait for it, but no worker has it in its configuration. */
  'unconfigured',
] as const;
export type InboxTrouble = (typeof INBOX_TROUBLES)[number];

/** @param reason a word of ours; null: there is no such trouble */
export async function publishTrouble(redis: Redis, inbox: string, trouble: InboxTrouble, reason: string | null): Promise<void> {
  if (reason !== null) await redis.hset(keys.state, troubleField(inbox, trouble), reason);
  else await redis.hdel(keys.state, troubleField(inbox, trouble));
}

/** Once a round: how many letters wait for an inbox. Operators' tools do not count for themselves, which they could at any moment. */
export async function publishWaiting(redis: Redis, inbox: string, count: number): Promise<void> {
  await redis.hset(keys.state, waitingField(inbox), magnitude(count));
}

/** How long a drop is news: a day, since nobody has to look at the status more often. */
const NEWS_HOURS = 24;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/**
 * Once a round: records the hour in which each alarming drop was last counted. It compares the counters themselves, so that
 * nothing is missed, whichever worker counted it and whatever broke off.
 */
export async function recordDrops(redis: Redis, now: Date): Promise<void> {
  const counts = await redis.hmget(keys.dropped, ...ALARMING_DROPS);
  const recorded = await redis.hmget(keys.state, ...ALARMING_DROPS.map(dropField));
  for (const [index, reason] of ALARMING_DROPS.entries()) {
    const count = counts[index] ?? '0';
    const [known = '0', hour = '0'] = recorded[index]?.split(' ') ?? [];
    if (count === known) continue;
    // A counter below its recorded value was reset by hand.
    const last = Number(count) > Number(known) ? String(Math.floor(now.getTime() / HOUR_MS)) : hour;
    await redis.hset(keys.state, dropField(reason), `${count} ${last}`);
  }
}

export type State = {
  mix: Partial<MixState>;
  housekeeping: Partial<HousekeepingState>;
  trouble: (inbox: string, trouble: InboxTrouble) => string | null;
  /** Letters that wait for an inbox, when the last round counted them; null: none has. */
  waiting: (inbox: string) => Magnitude | null;
  /** The alarming drops of the last day. */
  drops: readonly AlarmingDrop[];
  /** The worker's clock when it renewed `worker:alive`, in minutes since 1970; null: it has not yet. */
  clockMinutes: number | null;
};

/** Reads the state, which is empty before the first round. */
export async function readState(redis: Redis, now = new Date()): Promise<State> {
  const fields = await redis.hgetall(keys.state);
  const isNews = (reason: AlarmingDrop): boolean => {
    const hour = Number(fields[dropField(reason)]?.split(' ')[1] ?? 0);
    // An hour in the future counts too: the clock was set back since.
    return hour > 0 && now.getTime() / HOUR_MS - hour < NEWS_HOURS;
  };
  return {
    mix: fields,
    housekeeping: fields,
    trouble: (inbox, trouble) => fields[troubleField(inbox, trouble)] ?? null,
    waiting: (inbox) => MAGNITUDES.find((step) => step === fields[waitingField(inbox)]) ?? null,
    drops: ALARMING_DROPS.filter(isNews),
    clockMinutes: Number(fields['clock'] ?? 0) || null,
  };
}

const troubleField = (inbox: string, trouble: InboxTrouble): string => `${trouble}:${inbox}`;
const waitingField = (inbox: string): string => `waiting:${inbox}`;
const dropField = (reason: AlarmingDrop): string => `drop:${reason}`;
