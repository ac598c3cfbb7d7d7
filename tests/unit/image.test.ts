// What the container images are built from, and the settings of the containers.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { ROOT } from '../../runtime/root.ts';
import { poolLimit, seenLimit } from '../../runtime/env.ts';

/** Neither is part of the programs. */
const LEFT_OUT = ['bench', 'dist', 'node_modules', 'tests'];

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

it('the images are built from exactly the folders with sources and texts of the programs', () => {
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !LEFT_OUT.includes(entry.name))
    .map(({ name }) => name);
  const withSources = folders.filter((name) =>
    readdirSync(join(ROOT, name), { recursive: true }).some((file) => /\.ts$|^en\/words\.txt$/.test(String(file))),
  );
  const taken = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  expect(taken.filter((name) => folders.includes(name)).toSorted()).toEqual(withSources.toSorted());
});

it('every image of others is pinned or says that it is not, and is named in one place', () => {
  const stages: string[] = [];
  const others: string[] = [];
  for (const [, above, image = '', stage = ''] of read('Dockerfile').matchAll(/^(.*)\nFROM (\S+) AS (\S+)$/gm)) {
    if (image !== 'scratch' && !stages.includes(image)) {
      others.push(image);
      expect(above, image).toMatch(
        image.includes('@sha256:') ? /^# pinned on \d{4}-\d\d-\d\d: npm run pin$/ : /^# not pinned: npm run pin$/,
      );
    }
    stages.push(stage);
  }
  expect(others.map((image) => image.split('@')[0])).toEqual([
    'node:24-bookworm-slim',
    'debian:bookworm-slim',
    'redis:7-bookworm',
    expect.stringMatching(/^prom\/prometheus:v/),
  ]);
  expect(read('Dockerfile').match(/^FROM /gm)).toHaveLength(stages.length);
  expect(read('docker-compose.yml')).not.toMatch(/^ +image: (?!(&tools )?"\$\{SUPPORT_RELAY_IMAGE:-support-relay\}-|\*tools$)/m);
});

it('the images have the version of the programs', () => {
  expect(read('Dockerfile')).toContain(`\nARG VERSION=${packageFile.version}\n`);
});

it('docker compose gives relay and worker the same limits, by default those of the programs', () => {
  const compose = read('docker-compose.yml');
  for (const part of ['relay', 'worker'])
    expect(new RegExp(`^  ${part}:\n(?:    .*\n|\n)+`, 'm').exec(compose)?.[0], part).toContain('    environment:\n      <<: *limits\n');
  const limits = /^x-limits: &limits\n((?:  .*\n)+)/m.exec(compose)?.[1];
  expect(limits).toBe(
    Object.entries({ POOL: poolLimit, SEEN: seenLimit })
      .map(([name, limit]) => `  RELAY_${name}_LIMIT: "\${SUPPORT_RELAY_${name}_LIMIT:-${String(limit.parse(undefined))}}"\n`)
      .join(''),
  );
});
