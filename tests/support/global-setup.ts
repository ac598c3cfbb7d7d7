import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../deploy/layout.ts';

const SOURCES = ['cli', 'crypto', 'deploy', 'operator', 'server', 'service', 'store', 'web', 'worker', 'scripts/build.mjs', 'package-lock.json'];

/** Tests that start processes start those of dist/: built here once, and only when something in it is newer. */
export function setup(): void {
  if (newest(SOURCES) <= oldest('dist')) return;
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed: node scripts/build.mjs');
}

function newest(names: readonly string[]): number {
  return Math.max(0, ...names.flatMap(files).map((path) => statSync(path).mtimeMs));
}

function oldest(name: string): number {
  return Math.min(...files(name).map((path) => statSync(path).mtimeMs), files(name).length === 0 ? 0 : Infinity);
}

function files(name: string): string[] {
  const path = join(ROOT, name);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
