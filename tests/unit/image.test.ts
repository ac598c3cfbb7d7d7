// What the container image is built from.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../deploy/layout.ts';

/** Neither is part of the programs. */
const LEFT_OUT = ['bench', 'dist', 'node_modules', 'tests'];

it('the image is built from every folder with sources of the programs, and from no other', () => {
  const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !LEFT_OUT.includes(entry.name)).map(({ name }) => name);
  const withSources = folders.filter((name) => readdirSync(join(ROOT, name), { recursive: true }).some((file) => String(file).endsWith('.ts')));
  const taken = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  expect(taken.filter((name) => folders.includes(name)).toSorted()).toEqual(withSources.toSorted());
});
