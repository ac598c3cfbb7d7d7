// Cutting the damaged end off Redis' append-only file. What is cut is kept.
import { constants } from 'node:fs';
import { copyFile, mkdir, open } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { exists } from '../administering/store.ts';
import { CliError } from '../errors.ts';
import { syncFolders, writeFailure } from '../files.ts';
import type { AofCondition } from './aof.ts';

/** In Redis' folder, where Redis looks for nothing. */
const COPIES = 'damaged';

/** Throws REDIS_RUNS when something answers on Redis' socket: what Redis has open must not be changed. */
export async function insistOnStopped(socketPath: string): Promise<void> {
  const isThere = await new Promise<boolean>((resolve) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
  if (isThere) throw new CliError('REDIS_RUNS', `Redis runs: something answers on ${socketPath}`, 'stop it first; nothing was changed');
}

/** Copies the file, then cuts it. @returns where the copy is. Throws OUTPUT_FAILED: then the file is as it was. */
export async function cutEnd(data: string, { path, good }: AofCondition): Promise<string> {
  const copy = await freeName(join(data, COPIES, basename(path)));
  try {
    await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const copied = await open(copy, 'r');
    await copied.sync();
    await copied.close();
    await syncFolders(dirname(copy), dirname(copy));
  } catch (error) {
    throw writeFailure(error, copy);
  }
  const file = await open(path, 'r+').catch((error: unknown) => {
    throw writeFailure(error, path);
  });
  try {
    await file.truncate(good);
    await file.sync();
  } finally {
    await file.close();
  }
  return copy;
}

async function freeName(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? path : `${path}-${String(number)}`;
    if (!(await exists(name))) return name;
  }
}
