// The version of the state, and the way of its files from one to the next. What is in Redis the worker changes (worker/upgrade.ts).
import { existsSync } from 'node:fs';
import { CliError } from '../../cli/errors.ts';
import { readInputText } from '../../cli/files.ts';
import { isNewerData, newerProblem, STATE_VERSION, upgradeProblem, versionFrom, type VersionProblem } from '../../redis/version.ts';
import { DATA_STEPS } from '../../worker/upgrade.ts';
import { replaceFile } from './folders.ts';
import type { Layout } from './layout.ts';

/** Brings the files to a version from the one before it. It may break off anywhere, and is then run again from its beginning. */
export type FileStep = { readonly to: number; readonly change: string; readonly run: (layout: Layout) => Promise<void> };

/** By rising version. Version 1 is the first. */
const FILE_STEPS: readonly FileStep[] = [];

export type FileUpgrade = Readonly<{
  version?: number;
  steps?: readonly FileStep[];
  dataSteps?: readonly { to: number; change: string }[];
}>;

/** The version of the state, null where there is none yet. */
export async function stateVersion(layout: Layout): Promise<number | null> {
  return existsSync(layout.version) ? versionFrom(await readInputText(layout.version, 'the version of the state')) : null;
}

export const writeVersion = (layout: Layout, version: number): Promise<boolean> =>
  replaceFile(layout.version, `${String(version)}\n`, 0o600);

/**
 * Brings the files of a state to this program's version. Throws DATA_NEWER when they are of one that it does not know, UPGRADE_WAITS until
 * the operator has agreed, since there is no way back; nothing is changed then.
 * @param agreed the version that the operator has named (SUPPORT_RELAY_UPGRADE); '': none
 */
export async function upgradeFiles(
  layout: Layout,
  agreed: string,
  { version = STATE_VERSION, steps = FILE_STEPS, dataSteps = DATA_STEPS }: FileUpgrade = {},
): Promise<void> {
  const found = await stateVersion(layout);
  if (found === null) return;
  if (isNewerData(found, version)) throw cliError(newerProblem(found, version));
  if (found === version) return;
  const isAhead = ({ to }: { readonly to: number }): boolean => to > found && to <= version;
  if (agreed !== String(version)) {
    const changes = [...steps, ...dataSteps].filter(isAhead).map(({ change }) => change);
    throw cliError(upgradeProblem(found, version, changes));
  }
  for (const { to, run } of steps.filter(isAhead)) {
    await run(layout);
    await writeVersion(layout, to);
  }
  await writeVersion(layout, version);
}

const cliError = ({ code, what, advice }: VersionProblem): CliError => new CliError(code, what, advice);
