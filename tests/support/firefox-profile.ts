// A new Firefox reads and compiles its own program, which is most of the work of its start. What it keeps of that for the next
// time is made once a run and given to every other one.
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { madeOnce } from './prepared.ts';

/** Of its program alone: nothing of any page, and no setting. */
const OF_PROGRAM = ['startupCache', 'compatibility.ini', 'addonStartup.json.lz4', 'extensions.json'];

/** Puts into a profile what a Firefox that has run before finds in its own. `runOnce` starts one with a profile and ends it. */
export async function prepareProfile(profile: string, runOnce: (profile: string) => Promise<void>): Promise<void> {
  const made = await madeOnce('firefox-program', async (dir) => {
    const first = `${dir}-profile`;
    await runOnce(first);
    // Whatever is missing Firefox makes itself.
    for (const name of OF_PROGRAM.filter((each) => existsSync(join(first, each)))) await rename(join(first, name), join(dir, name));
    await rm(first, { recursive: true, force: true });
  });
  await cp(made, profile, { recursive: true });
}
