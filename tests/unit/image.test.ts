// What the container image is built from, and the settings of its containers.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../runtime/root.ts';
import { poolLimit, seenLimit } from '../../runtime/env.ts';

/** Neither is part of the programs. */
const LEFT_OUT = ['bench', 'dist', 'node_modules', 'tests'];

it('the image is built from exactly the folders with sources and texts of the programs', () => {
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !LEFT_OUT.includes(entry.name))
    .map(({ name }) => name);
  const withSources = folders.filter((name) =>
    readdirSync(join(ROOT, name), { recursive: true }).some((file) => /\.ts$|^en\/words\.txt$/.test(String(file))),
  );
  const taken = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  expect(taken.filter((name) => folders.includes(name)).toSorted()).toEqual(withSources.toSorted());
});

it('docker compose gives relay and worker the same limits, by default those of the programs', () => {
  const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  for (const part of ['relay', 'worker'])
    expect(new RegExp(`^  ${part}:\n(?:    .*\n|\n)+`, 'm').exec(compose)?.[0], part).toContain('    environment:\n      <<: *limits\n');
  const limits = /^x-limits: &limits\n((?:  .*\n)+)/m.exec(compose)?.[1];
  expect(limits).toBe(
    Object.entries({ POOL: poolLimit, SEEN: seenLimit })
      .map(([name, limit]) => `  RELAY_${name}_LIMIT: "\${SUPPORT_RELAY_${name}_LIMIT:-${String(limit.parse(undefined))}}"\n`)
      .join(''),
  );
});
