import type { Redis } from 'ioredis';
import { keys } from './keys.ts';

/**
 * The version of the state: of its files (the file `version`) and of what is in Redis (the key `version`), which are numbered together.
 * Whoever changes what an earlier program wrote, so that it could not go on with it, raises this and adds a step to
 * deploy/state/upgrade.ts or worker/upgrade.ts.
 */
export const STATE_VERSION = 1;

/** What was written before there were versions. */
const FIRST_VERSION = 1;

/** The version of what is in Redis; NaN for one that is no number, which is not ours. */
export async function dataVersion(redis: Redis): Promise<number> {
  const value = await redis.get(keys.version);
  return value === null ? FIRST_VERSION : versionFrom(value);
}

export function versionFrom(text: string): number {
  return /^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text) : Number.NaN;
}

/** True for every version that this program does not know. */
export const isNewerData = (found: number, known = STATE_VERSION): boolean => !(found <= known);

/** Why a program does not touch the state, and what to do. */
export type VersionProblem = {
  readonly code: 'DATA_NEWER' | 'UPGRADE_WAITS' | 'UPGRADE_RUNS';
  readonly what: string;
  readonly advice: string;
};

export const versionText = ({ code, what, advice }: VersionProblem): string => `${what}; ${advice} (${code})`;

/** Where the copy, and what to do with it, is described. */
const SEE = 'docs/operations.md, Upgrading and going back';

export const newerProblem = (found: number, known = STATE_VERSION): VersionProblem => ({
  code: 'DATA_NEWER',
  what:
    `the state is of ${Number.isNaN(found) ? 'a version that is no number' : `version ${String(found)}`}, ` +
    `and this program knows no version after ${String(known)}`,
  advice: `start the newer program again, or put back the copy that was made before the upgrade (${SEE}); nothing was changed`,
});

/** For programs that only use what is there. @param refuse called with the problem, in words, when a newer program has changed it */
export async function refuseNewerData(redis: Redis, refuse: (problem: string) => void): Promise<void> {
  const found = await dataVersion(redis);
  if (isNewerData(found)) refuse(versionText(newerProblem(found)));
}

/** Said before an upgrade that changes the state, until the operator agrees to it. @param changes what each step does */
export const upgradeProblem = (found: number, to: number, changes: readonly string[]): VersionProblem => ({
  code: 'UPGRADE_WAITS',
  what:
    `this program changes the state from version ${String(found)} to ${String(to)} (${changes.join('; ')}), ` +
    'and without a copy of the state as it is now there is no way back to the former program',
  advice: `make that copy (${SEE}), then start again with SUPPORT_RELAY_UPGRADE=${String(to)}; nothing was changed`,
});
