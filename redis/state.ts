import type { Redis } from 'ioredis';
import { ALARMING_DROPS, type AlarmingDrop } from './drops.ts';
import { keys } from './keys.ts';

/** How a count is shown to people: only its order of magnitude, so that it never tells of one person's request. */
export type Magnitude = '0' | '1-9' | '10-99' | '100-999' | '1000-9999' | '10000+';

export function magnitude(count: number): Magnitude {
  if (count <= 0) return '0';
  if (count < 10) return '1-9';
  if (count < 100) return '10-99';
  if (count < 1000) return '100-999';
  return count < 10_000 ? '1000-9999' : '10000+';
}

/** `expiring`: the current keyring ends soon and none follows it; `none`: there is none. */
export type KeyringState = 'ok' | 'expiring' | 'none';

/** What the mix tells operators at the end of its round, in the hash `state`. */
export type MixState = {
  /** How many parcels there were when the round began. */
  pool: Magnitude;
  /** How many replies waited when it ended. */
  replies: Magnitude;
  /** Why nothing leaves the pool: a reason and a serial, or ''. */
  paused: string;
  /** What holds back the letters of single teams, or all replies: reasons, with the inbox or serial of each, with spaces between. */
  held: string;
  keyring: KeyringState;
  /** From then on no keyring that the worker has is valid: the end of the current one and of those that follow without a gap; or ''. */
  keyringUntil: string;
  /** Serial of the keyring that follows the current one, or ''. */
  keyringNext: string;
  /** The highest serial that the worker knows; '0': none. */
  keyringNewest: string;
  /** What holds nothing back yet and will: reasons, with what each is about, with spaces between (`Warning`). */
  warnings: string;
};

/** What holds nothing back yet and will. */
export type Warning =
  | { readonly reason: 'next-key'; readonly problem: string; readonly serial: number }
  | { readonly reason: 'outbox-filling'; readonly inbox: string }
  | { readonly reason: 'replies-filling' };

/** What housekeeping tells operators, in the same hash. */
export type HousekeepingState = {
  /** What fails of it, with a code each, with spaces between; or ''. */
  housekeeping: string;
  /** Redis has used most of the memory that it may. */
  memory: 'filling' | 'ok';
  /** What relays let in at most, as this worker was told: Redis' memory is planned for it. */
  relayLimits: string;
};

/** What relays let in at most: parcels in the pool, and remembered ids of a keyring. */
export type RelayLimits = { readonly pool: number; readonly seen: number };

export const limitsText = ({ pool, seen }: RelayLimits): string => `RELAY_POOL_LIMIT=${String(pool)} RELAY_SEEN_LIMIT=${String(seen)}`;

export async function publishMix(redis: Redis, state: MixState): Promise<void> {
  await redis.hset(keys.state, state);
}

export async function publishHousekeeping(redis: Redis, state: HousekeepingState): Promise<void> {
  await redis.hset(keys.state, state);
}

/** What a worker says of an inbox, each with a reason in one word. */
export type InboxTrouble =
  /** It takes nothing at the moment. */
  | 'failing'
  /** It took others and refused some letters, which wait and are tried again. */
  | 'deferring'
  /** No worker has it in its configuration, and letters wait for it. */
  | 'unconfigured';

/** @param reason a word of ours; null: there is no such trouble */
export async function publishTrouble(redis: Redis, inbox: string, trouble: InboxTrouble, reason: string | null): Promise<void> {
  if (reason !== null) await redis.hset(keys.state, troubleField(inbox, trouble), reason);
  else await redis.hdel(keys.state, troubleField(inbox, trouble));
}

/** How long a drop is news: a day, since nobody looks at the status more often by duty. */
const NEWS_HOURS = 24;
const HOUR_MS = 3_600_000;

/**
 * Once a round: remembers in which hour each of the alarming drops was last counted. Compared are the counters themselves, so
 * that nothing is missed whichever worker counted it, and whatever broke off.
 */
export async function noteDrops(redis: Redis, now: Date): Promise<void> {
  const counts = await redis.hmget(keys.dropped, ...ALARMING_DROPS);
  const noted = await redis.hmget(keys.state, ...ALARMING_DROPS.map(dropField));
  for (const [index, reason] of ALARMING_DROPS.entries()) {
    const count = counts[index] ?? '0';
    const [known = '0', hour = '0'] = noted[index]?.split(' ') ?? [];
    if (count === known) continue;
    // A counter that is smaller than before was set back by hand.
    const last = Number(count) > Number(known) ? String(Math.floor(now.getTime() / HOUR_MS)) : hour;
    await redis.hset(keys.state, dropField(reason), `${count} ${last}`);
  }
}

export type State = {
  mix: Partial<MixState>;
  housekeeping: Partial<HousekeepingState>;
  trouble: (inbox: string, trouble: InboxTrouble) => string | null;
  /** The alarming drops of the last day. */
  drops: readonly AlarmingDrop[];
};

/** Empty before the first round. */
export async function readState(redis: Redis, now = new Date()): Promise<State> {
  const fields = await redis.hgetall(keys.state);
  const isNews = (reason: AlarmingDrop): boolean => {
    const hour = Number(fields[dropField(reason)]?.split(' ')[1] ?? 0);
    // Also one in the future: the clock was set back since.
    return hour > 0 && now.getTime() / HOUR_MS - hour < NEWS_HOURS;
  };
  return {
    mix: fields,
    housekeeping: fields,
    trouble: (inbox, trouble) => fields[troubleField(inbox, trouble)] ?? null,
    drops: ALARMING_DROPS.filter(isNews),
  };
}

const troubleField = (inbox: string, trouble: InboxTrouble): string => `${trouble}:${inbox}`;
const dropField = (reason: AlarmingDrop): string => `drop:${reason}`;
