// Made once per run: building the form or the desk takes seconds, and dozens of test files need one.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { layoutOf } from '../../deploy/state/layout.ts';
import { prepareDeployment, type Prepared } from '../../deploy/setup/trial.ts';

/** Mean time between two slots of the form. */
const SLOT_SECONDS = 0.3;
/** What all deployments of a run share, beside the form. */
const SHARED = ['admin', 'keyrings', 'worker/identities', 'volunteer'];
const LOOK_AGAIN_MS = 100;

/**
 * A folder of the run for others to copy, made by the first test file that needs it: most runs of a few files need none.
 * Others wait meanwhile; if making it fails, the next one tries.
 */
export async function madeOnce(name: string, make: (dir: string) => Promise<unknown>): Promise<string> {
  const dir = join(inject('runFolder'), name);
  const claim = `${dir}-claimed`;
  for (;;) {
    if (existsSync(dir)) return dir;
    if (
      await mkdir(claim).then(
        () => true,
        () => false,
      )
    )
      break;
    await sleep(LOOK_AGAIN_MS);
  }
  try {
    const mine = await mkdtemp(`${dir}-`);
    await make(mine);
    await rename(mine, dir);
    return dir;
  } catch (error) {
    await rm(claim, { recursive: true });
    throw error;
  }
}

/** The folder of a deployment that never runs, with keys, a keyring and the form. */
export function preparedOnce(): Promise<string> {
  return madeOnce('prepared', (dir) => prepareDeployment(dir, { slotSeconds: SLOT_SECONDS }));
}

/** Prepares a deployment in `dir` with the keys, the keyring and the form of the run. */
export async function copyPrepared(dir: string): Promise<Prepared> {
  const from = await preparedOnce();
  for (const name of SHARED) await cp(join(from, name), join(dir, name), { recursive: true });
  return prepareDeployment(dir, { prebuilt: layoutOf(from).web });
}
