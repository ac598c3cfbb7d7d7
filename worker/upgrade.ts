import type { Redis } from 'ioredis';
import { keys } from '../redis/keys.ts';
import { dataVersion, isNewerData, newerProblem, STATE_VERSION, upgradeProblem, type VersionProblem } from '../redis/version.ts';
import { LOCK_MS, withUpgradeLock } from './upgrade-lock.ts';

/**
 * Brings what is in Redis to a version from the one before it. It may break off anywhere, as when `redis` stops taking commands, and is
 * then run again from its beginning. It goes in pieces of a second at most: Redis renews no lock meanwhile.
 */
export type DataStep = { readonly to: number; readonly change: string; readonly run: (redis: Redis) => Promise<void> };

/** By rising version. Version 1 is the first. */
export const DATA_STEPS: readonly DataStep[] = [];

/** What a worker leaves in Redis in its first round, and a relay with its first parcel: where none is there, nothing has to be changed. */
const FIRST_KEYS = [keys.state, keys.pool, keys.claims, keys.inboxes, keys.dropped, keys.alive];

const RUNS: VersionProblem = {
  code: 'UPGRADE_RUNS',
  what: 'another worker brings what is in Redis to this version, or died doing it',
  advice: 'wait: this worker goes on as soon as that one has ended',
};

export type Upgrade = Readonly<{ version?: number; steps?: readonly DataStep[]; lockMs?: number }>;

/**
 * Brings what is in Redis to this program's version. Returns what keeps it from that, for the operator: a newer version, or steps that
 * nobody has agreed to; null: it is of this version.
 * @param agreed the version that the operator has named (SUPPORT_RELAY_UPGRADE); null: none
 */
export async function bringUpToDate(
  redis: Redis,
  agreed: number | null,
  { version = STATE_VERSION, steps = DATA_STEPS, lockMs = LOCK_MS }: Upgrade = {},
): Promise<VersionProblem | null> {
  const found = await dataVersion(redis);
  if (isNewerData(found, version)) return newerProblem(found, version);
  const ahead = (await redis.exists(...FIRST_KEYS)) === 0 ? [] : steps.filter(({ to }) => to > found && to <= version);
  if (ahead.length > 0) {
    if (agreed !== version) {
      const changes = ahead.map(({ change }) => change);
      return upgradeProblem(found, version, changes);
    }
    const isDone = await withUpgradeLock(redis, lockMs, async (locked) => {
      // Another one may have done some of it since.
      const since = await dataVersion(locked);
      for (const { to, run } of ahead.filter((step) => step.to > since)) {
        await run(locked);
        await locked.set(keys.version, String(to));
      }
    });
    if (!isDone) return RUNS;
  }
  // A Redis that is full takes nothing, and what has no version is of the first.
  if ((await redis.get(keys.version)) !== String(version)) await redis.set(keys.version, String(version)).catch(() => undefined);
  return null;
}
