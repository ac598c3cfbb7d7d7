import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Compiles the library that makes a killed Redis lose whatever it had not synced. @returns its path, for LD_PRELOAD */
export const compilePowerLoss = (directory: string): string => compile('power-loss', directory);

/** Compiles the library that makes the disk of a program full. @returns its path, for LD_PRELOAD */
export const compileFullDisk = (directory: string): string => compile('full-disk', directory);

function compile(name: string, directory: string): string {
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  const library = join(directory, `${name}.so`);
  const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-lpthread'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tests/fault/${name}.c does not compile: ${stderr}`);
  return library;
}
