// Two that change a state at once would each make keys, and leave the half of one beside the half of the other.
import { spawn } from 'node:child_process';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../../cli/errors.ts';
import { makeSocketFolder } from './folders.ts';
import type { Layout } from './layout.ts';

/** flock(1): somebody else has the lock. */
const HELD = 1;

/**
 * Runs `work` while nobody else, in whichever container, changes this state. The kernel frees the lock when this process has ended, however
 * it did. Throws SETUP_RUNS, STATE_FOREIGN. @param waitSeconds for how long it waits for another to end
 */
export async function oneAtATime<Result>(layout: Layout, work: () => Promise<Result>, waitSeconds = 0): Promise<Result> {
  const path = join(layout.run, 'setup.lock');
  await makeSocketFolder(layout);
  const file = await open(path, 'a', 0o600);
  try {
    if (!(await lock(file, waitSeconds))) {
      throw new CliError(
        'SETUP_RUNS',
        `another setup, or a start, works on ${layout.dir}`,
        'wait until it has ended, then run this again; nothing was changed',
      );
    }
    return await work();
  } finally {
    await file.close();
  }
}

/** Node cannot lock files. What flock(1) locks stays locked after it has ended, since it is our opened file. */
async function lock({ fd }: FileHandle, waitSeconds: number): Promise<boolean> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const flock = spawn('flock', ['--exclusive', '--timeout', String(waitSeconds), '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    flock.once('error', reject).once('exit', resolve);
  });
  if (code === 0 || code === HELD) return code === 0;
  throw new Error(`flock ended with ${String(code)}`);
}
