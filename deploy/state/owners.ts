// Whose the files of a deployment are: each part reads and writes its own, and nothing else.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CliError } from '../../cli/errors.ts';
import type { Owner } from '../../runtime/ownership.ts';

/**
 * A file, or a folder with everything in it. `secret`: for its owner alone; `open`: for everybody, since nothing in it is secret; `as-is`:
 * with whatever rights somebody has given. `top` and `entry` are of a folder without what is in it: secret, or for everybody to pass.
 */
export type Belonging = { readonly path: string; readonly owner: Owner; readonly rights: 'secret' | 'open' | 'as-is' | 'top' | 'entry' };

/** Of folders and of files. */
const MODES = { secret: [0o700, 0o600], open: [0o755, 0o644], top: [0o700, 0o600], entry: [0o711, 0o644] } as const;

/**
 * Gives files and folders to their owners, in the order given. Links, sockets and pipes are passed over: no part is asked for any. Throws
 * STATE_FOREIGN where folders are nested too deep.
 */
export async function giveToOwners(dir: string, belongings: readonly Belonging[]): Promise<void> {
  for (const belonging of belongings) await give(join(dir, belonging.path), belonging);
}

/** More than any part makes. Each level costs an opened folder: without a limit a part could make setup and the start fail. */
const DEEPEST = 16;

/** A part could put a link in the place of one of its folders meanwhile: so what is in a folder is reached through the opened folder. */
async function give(path: string, belonging: Belonging, depth = 0): Promise<void> {
  const { owner, rights } = belonging;
  if (depth > DEEPEST) {
    throw new CliError(
      'STATE_FOREIGN',
      `${belonging.path} in the state folder has folders within folders, ${String(DEEPEST)} deep: no part makes that`,
      'see who put them there (a part may be in other hands), take them away, and run this again',
    );
  }
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return;
  try {
    const stats = await handle.stat();
    const isFolder = stats.isDirectory();
    if (!isFolder && !stats.isFile()) return;
    await handle.chown(owner.uid, owner.gid);
    if (rights !== 'as-is') await handle.chmod(MODES[rights][isFolder ? 0 : 1]);
    if (!isFolder || rights === 'entry' || rights === 'top') return;
    const opened = `/proc/self/fd/${String(handle.fd)}`;
    for (const name of await readdir(opened)) await give(join(opened, name), belonging, depth + 1);
  } finally {
    await handle.close();
  }
}

/** `UID:GID`. Throws USAGE for anything else. */
export function ownerFrom(text: string, what: string): Owner {
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(text) ?? [];
  if (uid === undefined || gid === undefined) {
    throw new CliError('USAGE', `${what} must be UID:GID, as 1000:1000, not "${text}"`, 'set it in .env, or leave it out');
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** A user of this system with its first group. Throws USAGE when there is none. */
export async function userOf(name: string): Promise<Owner> {
  const ids = await Promise.all(['-u', '-g'].map((which) => promisify(execFile)('id', [which, name]))).catch(() => null);
  if (ids === null)
    throw new CliError('USAGE', `there is no user ${name} here`, 'install the package support-relay, or leave out --for debian');
  const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
