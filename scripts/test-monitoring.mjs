// `npm run test:monitoring`: the rules of Prometheus, and a real one that watches a real deployment while things go wrong; some minutes.
import { spawnSync } from 'node:child_process';
import { build, ensureApt, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';

const NEEDED = [
  { command: 'redis-server', packages: ['redis-server'] },
  { command: 'prometheus', packages: ['prometheus'] },
];

await run(() => {
  ensureNode();
  ensureNodeModules();
  ensureApt(NEEDED);
  build();
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project=monitoring', '--reporter=verbose'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
