// A fresh Firefox reads and compiles its own program, which is most of its start-up. The cache it keeps of that is made once per
// run and copied into every other profile.
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { madeOnce } from './prepared.ts';

/** Caches of its program alone: nothing of any page, and no settings. */
const OF_PROGRAM = ['startupCache', 'compatibility.ini', 'addonStartup.json.lz4', 'extensions.json'];

/** Gives a profile the caches of a Firefox that has run before. `runOnce` starts one with a profile and ends it. */
export async function prepareProfile(profile: string, runOnce: (profile: string) => Promise<void>): Promise<void> {
  const made = await madeOnce('firefox-program', async (dir) => {
    const first = `${dir}-profile`;
    await runOnce(first);
    // Firefox makes whatever is missing.
    for (const name of OF_PROGRAM.filter((each) => existsSync(join(first, each)))) await rename(join(first, name), join(dir, name));
    await rm(first, { recursive: true, force: true });
  });
  await cp(made, profile, { recursive: true });
}
