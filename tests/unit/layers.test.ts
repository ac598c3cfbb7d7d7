// Lint refuses imports that the table in docs/architecture.md does not allow. Here: that the rules match the table and all folders.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../runtime/root.ts';
import { readLayers, restrictions } from '../../scripts/layers.mjs';

const layers = readLayers();
const refused = (folder: string, source: string): boolean =>
  (restrictions(layers).get(folder) ?? []).some(({ regex }) => new RegExp(regex).test(source));

it('every folder with sources has a row, except tests and benchmarks', () => {
  const top = readdirSync(ROOT, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !['bench', 'dist', 'node_modules', 'tests'].includes(entry.name),
  );
  const folders = top
    .map(({ name }) => name)
    .filter((name) => readdirSync(join(ROOT, name), { recursive: true }).some((file) => String(file).endsWith('.ts')));
  expect([...new Set([...layers.keys()].map((folder) => folder.split('/')[0]))].toSorted()).toEqual(folders.toSorted());
});

describe('a folder may import exactly what its row says:', () => {
  it.each([
    ['crypto/', './bytes.ts', false],
    ['crypto/', '../bytes.ts', false],
    ['crypto/', 'zod/mini', false],
    ['crypto/', '@noble/hashes/sha2.js', false],
    ['crypto/', 'ioredis', true],
    ['crypto/', 'node:fs', true],
    ['crypto/', '../runtime/log.ts', true],
    ['crypto/', '../../web/page/seal.ts', true],
    ['server/', '../worker/mix.ts', true],
    ['server/', '../../worker/mix.ts', true],
    ['server/', '../redis/keys.ts', false],
    ['worker/', '../../runtime/log.ts', false],
    ['web/page/', '../build/pages.ts', true],
    ['web/page/', '../../volunteer/visible.ts', true],
    ['web/desk/', '../page/door.ts', false],
    ['web/desk/', '../build/pages.ts', true],
    ['cli/', '../../operator/status.ts', false],
    ['cli/', '../server/app.ts', true],
    ['deploy/state/', '../setup/inboxes.ts', true],
    ['deploy/setup/', '../state/layout.ts', false],
    ['deploy/setup/', '../demo/parts.ts', true],
    ['worker/', '../deploy/state/layout.ts', true],
  ])('%s of %s: refused %s', (folder, source, isRefused) => {
    expect(refused(folder, source)).toBe(isRefused);
  });

  it('a row that names no folder of the table stops lint', () => {
    expect(() => restrictions(new Map([['a/', ['b/']]]))).toThrow(
      'docs/architecture.md: a/ may import b/, which is not a folder of the table',
    );
  });
});
