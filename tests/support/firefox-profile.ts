// A new Firefox reads and compiles its own program, which is most of the work of its start. What it keeps of that for the next
// time is made once a run and given to every other one.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';

/** Of its program alone: nothing of any page, and no setting. */
const OF_PROGRAM = ['startupCache', 'compatibility.ini', 'addonStartup.json.lz4', 'extensions.json'];
const LOOK_AGAIN_MS = 100;
const LONGEST_WAIT_MS = 60_000;

/** Puts into a profile what a Firefox that has run before finds in its own. `runOnce` starts one with a profile and ends it. */
export async function prepareProfile(profile: string, runOnce: (profile: string) => Promise<void>): Promise<void> {
  const from = join(inject('runFolder'), 'firefox');
  await makeOnce(from, runOnce);
  // Whatever is missing Firefox makes itself.
  if (existsSync(from)) await cp(from, profile, { recursive: true });
}

/** By whichever process comes first; the others wait, since all of them at once would make it as many times. */
async function makeOnce(dir: string, runOnce: (profile: string) => Promise<void>): Promise<void> {
  if (existsSync(dir)) return;
  const isFirst = await mkdir(`${dir}-claimed`).then(() => true, () => false);
  if (!isFirst) {
    for (const end = performance.now() + LONGEST_WAIT_MS; !existsSync(dir) && performance.now() < end;) await sleep(LOOK_AGAIN_MS);
    return;
  }
  const profile = await mkdtemp(`${dir}-`);
  await runOnce(profile);
  const kept = await mkdtemp(`${dir}-`);
  for (const name of OF_PROGRAM.filter((each) => existsSync(join(profile, each)))) await rename(join(profile, name), join(kept, name));
  await rename(kept, dir);
  await rm(profile, { recursive: true, force: true });
}
