import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['tests/support/global-setup.ts'],
    include: ['tests/**/*.test.ts'],
    // Tests start real servers and browsers; two at a time keep a small machine responsive.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // How long a test waits for something to happen, not how long that should take.
    expect: { poll: { timeout: 30_000 } },
  },
});
