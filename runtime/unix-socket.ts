import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Removes a socket file that a crash left behind. Throws EEXIST when it is no socket, EADDRINUSE when somebody answers on it. */
export async function removeStaleSocket(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => null);
  if (stat === null) return;
  if (!stat.isSocket()) throw Object.assign(new Error('the path of the unix socket is taken by another file'), { code: 'EEXIST' });
  const isAnswered = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (isAnswered) throw Object.assign(new Error('another process listens on the unix socket'), { code: 'EADDRINUSE' });
  await unlink(path);
}
