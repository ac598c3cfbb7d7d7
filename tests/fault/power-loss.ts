import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('power-loss.c', import.meta.url));

/** Compiles the library that makes a killed Redis lose whatever it had not synced. @returns its path, for LD_PRELOAD */
export function compilePowerLoss(directory: string): string {
  const library = join(directory, 'power-loss.so');
  const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl', '-lpthread'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tests/fault/power-loss.c does not compile: ${stderr}`);
  return library;
}
