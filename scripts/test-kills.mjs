// `npm run test:kills [-- --kills N]`: kills relay, workers and Redis with -9 at random moments, N times, while people write and reply.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { BootstrapError, build, ensureApt, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';

const DEFAULT_KILLS = 500;
const NEEDED = [
  { command: 'redis-server', packages: ['redis-server'] },
  { command: 'cc', packages: ['gcc', 'libc6-dev'] },
  { command: 'the C headers', file: '/usr/include/stdio.h', packages: ['libc6-dev'] },
];

await run(() => {
  ensureNode();
  ensureNodeModules();
  ensureApt(NEEDED);
  const kills = killsOf(process.argv.slice(2));
  build();
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project=kills', '--reporter=verbose', '--disable-console-intercept'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, TEST_KILLS: String(kills) } });
  process.exitCode = status ?? 1;
});

function killsOf(argv) {
  try {
    const { values } = parseArgs({ args: argv, options: { kills: { type: 'string', default: String(DEFAULT_KILLS) } } });
    if (/^[1-9][0-9]{0,5}$/.test(values.kills)) return Number(values.kills);
  } catch {
    // The error below covers this too.
  }
  throw new BootstrapError('usage: npm run test:kills -- [--kills N]');
}
