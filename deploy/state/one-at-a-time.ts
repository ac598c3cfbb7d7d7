// Two runs of setup at once would each make keys, and leave the half of one beside the half of the other.
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { CliError } from '../../cli/errors.ts';
import { errorCode } from '../../runtime/log.ts';
import { removeStaleSocket } from '../../runtime/unix-socket.ts';
import type { Layout } from './layout.ts';

/**
 * Runs `work` while no other setup works on this state. A socket says so, since it is seen from another container, and nobody answers on
 * it once this process has ended, however it did. Throws SETUP_RUNS.
 */
export async function oneAtATime(layout: Layout, work: () => Promise<void>): Promise<void> {
  const path = join(layout.run, 'setup.sock');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const server = createServer((socket) => socket.destroy());
  try {
    await removeStaleSocket(path);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  } catch (error) {
    if (errorCode(error) !== 'EADDRINUSE') throw error;
    throw new CliError(
      'SETUP_RUNS',
      `another setup works on ${layout.dir}`,
      'wait until it has ended, then run this again; nothing was changed',
    );
  }
  await work().finally(() => server.close());
}
