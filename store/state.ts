import type { Redis } from 'ioredis';
import { keys } from './keys.ts';

/** How a count is shown to people: only its order of magnitude, so that it never tells of one person's request. */
export type Step = '0' | '1-9' | '10-99' | '100-999' | '1000-9999' | '10000+';

export function step(count: number): Step {
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
  pool: Step;
  /** How many replies waited when it ended. */
  replies: Step;
  /** Why nothing leaves the pool: a reason and a serial, or ''. */
  paused: string;
  /** What holds back the letters of single teams, or all replies: reasons, with the inbox or serial of each, with spaces between. */
  held: string;
  keyring: KeyringState;
};

export async function publishMix(redis: Redis, state: MixState): Promise<void> {
  await redis.hset(keys.state, state);
}

/** Whether an inbox refused, for now, what it was given last. */
export async function publishFailing(redis: Redis, inbox: string, failing: boolean): Promise<void> {
  if (failing) await redis.hset(keys.state, failingField(inbox), '1');
  else await redis.hdel(keys.state, failingField(inbox));
}

export type State = { mix: Partial<MixState>; failing: (inbox: string) => boolean };

/** Empty before the first round. */
export async function readState(redis: Redis): Promise<State> {
  const fields = await redis.hgetall(keys.state);
  return { mix: fields, failing: (inbox) => fields[failingField(inbox)] !== undefined };
}

const failingField = (inbox: string): string => `failing:${inbox}`;
