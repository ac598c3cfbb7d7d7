import type { Redis } from 'ioredis';
import { keys } from '../redis/keys.ts';
import { dataVersion, isNewerData, newerProblem, STATE_VERSION, upgradeProblem, type VersionProblem } from '../redis/version.ts';

/** Brings what is in Redis to a version from the one before it. It may break off anywhere, and is then run again from its beginning. */
export type DataStep = { readonly to: number; readonly change: string; readonly run: (redis: Redis) => Promise<void> };

/** By rising version. Version 1 is the first. */
export const DATA_STEPS: readonly DataStep[] = [];

/** For so long a worker that died in an upgrade keeps others from it. */
const LOCK_SECONDS = 300;
/** What a worker leaves in Redis in its first round, and a relay with its first parcel: where none is there, nothing has to be changed. */
const FIRST_KEYS = [keys.state, keys.pool, keys.claims, keys.inboxes, keys.dropped, keys.alive];

const RUNS: VersionProblem = {
  code: 'UPGRADE_RUNS',
  what: 'another worker brings what is in Redis to this version, or died doing it',
  advice: 'wait five minutes: then another one may go on; nothing was changed',
};

export type Upgrade = Readonly<{ version?: number; steps?: readonly DataStep[] }>;

/**
 * Brings what is in Redis to this program's version. Returns what keeps it from that, for the operator: a newer version, or steps that
 * nobody has agreed to; null: it is of this version.
 * @param agreed the version that the operator has named (SUPPORT_RELAY_UPGRADE); null: none
 */
export async function bringUpToDate(
  redis: Redis,
  agreed: number | null,
  { version = STATE_VERSION, steps = DATA_STEPS }: Upgrade = {},
): Promise<VersionProblem | null> {
  const found = await dataVersion(redis);
  if (isNewerData(found, version)) return newerProblem(found, version);
  const ahead = (await redis.exists(...FIRST_KEYS)) === 0 ? [] : steps.filter(({ to }) => to > found && to <= version);
  if (ahead.length > 0) {
    if (agreed !== version) {
      const changes = ahead.map(({ change }) => change);
      return upgradeProblem(found, version, changes);
    }
    const lock = keys.lease('upgrade');
    if ((await redis.set(lock, '', 'EX', LOCK_SECONDS, 'NX')) === null) return RUNS;
    for (const { to, run } of ahead) {
      await run(redis);
      await redis.set(keys.version, String(to));
    }
    await redis.del(lock);
  }
  // A Redis that is full takes nothing, and what has no version is of the first.
  if ((await redis.get(keys.version)) !== String(version)) await redis.set(keys.version, String(version)).catch(() => undefined);
  return null;
}
