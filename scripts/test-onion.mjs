// `npm run test:onion`: attacks through Tor, and what an onion service gives, in a private Tor network on this machine; some ten minutes.
import { spawnSync } from 'node:child_process';
import { build, ensureApt, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';

const NEEDED = [
  { command: 'redis-server', packages: ['redis-server'] },
  { command: 'tor', packages: ['tor'] },
  { command: 'chromium-headless-shell', packages: ['chromium-headless-shell'] },
  { command: 'firefox-esr', packages: ['firefox-esr'] },
  { command: 'openssl', packages: ['openssl'] },
];

await run(() => {
  ensureNode();
  ensureNodeModules();
  ensureApt(NEEDED);
  build();
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project=onion', '--reporter=verbose', '--disable-console-intercept'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, LOG_LEVEL: 'error' } });
  process.exitCode = status ?? 1;
});
