// `npm run test:compose`: brings docker-compose.yml up with throwaway state, tests it, and takes it down again.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootstrapError, build, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';

await run(async () => {
  ensureNode();
  ensureNodeModules();
  if (spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status !== 0) {
    throw new BootstrapError('This needs Docker with its compose plugin: https://docs.docker.com/engine/install/');
  }
  build();
  const folder = mkdtempSync(join(tmpdir(), 'support-relay-compose-'));
  const project = `support-relay-test-${process.pid}`;
  const envFile = join(folder, 'env');
  const compose = ['compose', '--project-name', project, '--env-file', envFile];
  // Rounds of two seconds instead of five minutes, and every parcel leaves at once.
  const environment = { SUPPORT_RELAY_ROUND_SECONDS: '2', SUPPORT_RELAY_SHARE: '1' };
  const settings = { COMPOSE_TEST_STATE: join(folder, 'state'), COMPOSE_TEST_PROJECT: project, COMPOSE_TEST_ENV_FILE: envFile };
  const step = (command, ...args) => {
    const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment, ...settings } });
    if (status !== 0) throw new BootstrapError(`failed: ${command} ${args.join(' ')}`);
  };
  try {
    step(process.execPath, 'dist/setup.js', '--dir', join(folder, 'state'), '--compose-env', envFile);
    step('docker', ...compose, 'up', '--build', '--detach', '--wait', '--wait-timeout', '300');
    step(process.execPath, 'node_modules/vitest/vitest.mjs', 'run', 'tests/compose', '--testTimeout=240000');
  } catch (error) {
    spawnSync('docker', [...compose, 'logs', '--tail', '30'], { cwd: root, stdio: 'inherit' });
    throw error;
  } finally {
    spawnSync('docker', [...compose, 'down', '--volumes', '--remove-orphans', '--timeout', '15'], { cwd: root, stdio: 'inherit' });
    rmSync(folder, { recursive: true, force: true });
  }
});
