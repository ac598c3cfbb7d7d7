// What is made once a run: building the form or the desk takes seconds, and dozens of test files need one.
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { layoutOf } from '../../deploy/layout.ts';
import { prepareDeployment, type Prepared } from '../../deploy/prepare.ts';

/** Mean time between two slots of the form. */
const SLOT_SECONDS = 0.3;
/** What a deployment has in common with every other one of the run, beside the form. */
const SHARED = ['admin', 'keyrings', 'worker/identities', 'volunteer'];

/**
 * A folder of the run, for others to copy, made by whichever test file needs it first: most runs of a few files need none.
 * Where two do so at the same time, both make it, and the first to end gives what both copy.
 */
export async function madeOnce(name: string, make: (dir: string) => Promise<unknown>): Promise<string> {
  const run = inject('runFolder');
  const dir = join(run, name);
  if (existsSync(dir)) return dir;
  const mine = await mkdtemp(join(run, `${name}-`));
  await make(mine);
  await rename(mine, dir).catch((error: unknown) => {
    if (!existsSync(dir)) throw error;
  });
  return dir;
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
