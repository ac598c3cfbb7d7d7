// A new Firefox reads and compiles its own program and makes a dozen databases, which is most of the work of its start. What it
// keeps of that for the next time is made once a run and given to every other one.
import { existsSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { madeOnce } from './prepared.ts';

/** Of its one session, which nobody is to find again. */
const OF_SESSION = ['lock', '.parentlock', 'user.js', 'cache2', 'crashes', 'minidumps', 'sessionCheckpoints.json', 'sessionstore.jsonlz4', 'sessionstore-backups'];
const SETTING = /^user_pref\("([^"]+)"/;

/** Puts into a profile what a Firefox that has run before finds in its own: of any page nothing, and no setting but Firefox' own. */
export async function prepareProfile(profile: string, runOnce: (profile: string) => Promise<void>): Promise<void> {
  const made = await madeOnce('firefox-profile', async (dir) => {
    await runOnce(dir);
    await forgetSettings(dir);
    for (const name of OF_SESSION) await rm(join(dir, name), { recursive: true, force: true });
  });
  await cp(made, profile, { recursive: true });
}

/** What it was started with stands in user.js, and among what it has set itself. */
async function forgetSettings(profile: string): Promise<void> {
  const [given, kept] = [join(profile, 'user.js'), join(profile, 'prefs.js')];
  if (!existsSync(kept)) return;
  const lines = async (file: string): Promise<string[]> => (existsSync(file) ? (await readFile(file, 'utf8')).split('\n') : []);
  const nameOf = (line: string): string | undefined => SETTING.exec(line)?.[1];
  const names = new Set((await lines(given)).map(nameOf));
  await writeFile(kept, (await lines(kept)).filter((line) => !names.has(nameOf(line))).join('\n'));
}
