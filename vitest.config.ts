import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { ROOT } from './runtime/root.ts';
import { LongestFirst } from './tests/support/longest-first.ts';
import { luaAsText } from './tests/support/lua-as-text.ts';

/** Projects do not inherit these two from the root configuration. */
const plugins = [luaAsText];
const common = {
  // How long to wait for something on a slow and busy machine, not how long it should take.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
};
const ALONE = ['tests/unit/**/*.test.ts', 'tests/property/**/*.test.ts'];
/** Each has a folder of its own and is run by its name, `npm run test:…`: they need Docker, or take minutes. */
const NAMED = ['compose', 'journeys', 'kills', 'monitoring', 'onion', 'package', 'year'];
const folderOf = (name: string): string => `tests/${name}/**/*.test.ts`;
/** Of these `npm test` runs a sample, and `npm run test:thorough` all (tests/support/thorough.ts). */
const SAMPLED = readdirSync(join(ROOT, 'tests'), { recursive: true, encoding: 'utf8' })
  .map((name) => join('tests', name))
  .filter((file) => file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes("/support/thorough.ts'"));

export default defineConfig({
  test: {
    globalSetup: ['tests/support/global-setup.ts'],
    // More than twice the cores of a small machine: many files wait for rounds and leases while others compute.
    maxWorkers: 5,
    sequence: { sequencer: LongestFirst },
    projects: [
      // Without isolation a process runs many files, which saves loading our modules and starting browsers for each of them.
      { plugins, test: { ...common, name: 'unit', include: ALONE, isolate: false, provide: { isThorough: false } } },
      {
        plugins,
        test: {
          ...common,
          name: 'programs',
          include: ['tests/**/*.test.ts'],
          exclude: [...ALONE, ...NAMED.map(folderOf)],
          isolate: false,
          provide: { isThorough: false },
        },
      },
      { plugins, test: { ...common, name: 'thorough', include: SAMPLED, isolate: false, provide: { isThorough: true } } },
      ...NAMED.map((name) => ({ plugins, test: { ...common, name, include: [folderOf(name)] } })),
    ],
  },
});
