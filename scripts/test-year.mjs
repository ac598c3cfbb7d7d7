// `npm run test:year`: a year of a small organisation, with a simulated clock; some minutes.
import { spawnSync } from 'node:child_process';
import { build, ensureApt, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';

const NEEDED = [{ command: 'redis-server', packages: ['redis-server'] }];

await run(() => {
  ensureNode();
  ensureNodeModules();
  ensureApt(NEEDED);
  build();
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project=year', '--bail=1', '--reporter=verbose', '--disable-console-intercept'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, LOG_LEVEL: 'error' } });
  process.exitCode = status ?? 1;
});
