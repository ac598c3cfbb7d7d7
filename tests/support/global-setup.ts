import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ROOT } from '../../runtime/root.ts';

const SOURCES = [
  'cli',
  'crypto',
  'deploy',
  'operator',
  'redis',
  'runtime',
  'server',
  'volunteer',
  'web',
  'worker',
  'scripts/build.mjs',
  'package-lock.json',
];

declare module 'vitest' {
  interface ProvidedContext {
    /** For files made once per run; removed after it. */
    runFolder: string;
  }
}

let runFolder: string;

export function setup(project: TestProject): void {
  buildPrograms();
  runFolder = mkdtempSync(join(tmpdir(), 'support-relay-run-'));
  project.provide('runFolder', runFolder);
}

export function teardown(): void {
  // Processes in it are still ending and may write meanwhile.
  rmSync(runFolder, { recursive: true, force: true, maxRetries: 5 });
}

/** Tests start the programs in dist/. Builds them once, and only if a source is newer. */
function buildPrograms(): void {
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
