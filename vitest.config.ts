import { defineConfig } from 'vitest/config';
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
const ALL = 'tests/**/*.test.ts';
const COMPOSE = 'tests/compose/**/*.test.ts';
const KILLS = 'tests/kills/**/*.test.ts';
const ONION = 'tests/onion/**/*.test.ts';
const YEAR = 'tests/year/**/*.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['tests/support/global-setup.ts'],
    // Twice the cores of a small machine: many files wait for rounds and leases while others compute.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      // Without isolation a process runs many files, which saves loading our modules and starting browsers for each of them.
      { plugins, test: { ...common, name: 'unit', include: ALONE, isolate: false } },
      { plugins, test: { ...common, name: 'programs', include: [ALL], exclude: [...ALONE, COMPOSE, KILLS, ONION, YEAR], isolate: false } },
      // Needs Docker: npm run test:compose.
      { plugins, test: { ...common, name: 'compose', include: [COMPOSE] } },
      // Takes many minutes: npm run test:kills.
      { plugins, test: { ...common, name: 'kills', include: [KILLS] } },
      // Takes some minutes: npm run test:onion.
      { plugins, test: { ...common, name: 'onion', include: [ONION] } },
      // Takes some minutes: npm run test:year.
      { plugins, test: { ...common, name: 'year', include: [YEAR] } },
    ],
  },
});
