// `npm run test:compose [-- FILTER…]`: tests the containers, and removes whatever a test has left behind.
import { spawnSync } from 'node:child_process';
import { BootstrapError, build, ensureApt, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';

const NEEDED = [
  { command: 'tor', packages: ['tor'] },
  { command: 'chromium-headless-shell', packages: ['chromium', 'chromium-headless-shell'] },
  { command: 'openssl', packages: ['openssl'] },
  { command: 'ip', packages: ['iproute2'] },
  { command: 'rsync', packages: ['rsync'] },
  { command: 'docker-registry', packages: ['docker-registry'] },
];

await run(async () => {
  ensureNode();
  ensureNodeModules();
  if (spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status !== 0) {
    throw new BootstrapError('This needs Docker with its compose plugin: https://docs.docker.com/engine/install/');
  }
  ensureApt(NEEDED);
  build();
  const name = `support-relay-test-${process.pid}`;
  // Ctrl-C reaches vitest too, which then ends; what it leaves is removed below.
  process.on('SIGINT', () => undefined);
  try {
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--project=compose', ...process.argv.slice(2)];
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, COMPOSE_TEST_RUN: name } });
    if (status !== 0) throw new BootstrapError('The containers do not pass.');
  } finally {
    remove(name);
  }
});

/** Everything whose name begins so. */
function remove(name) {
  const kinds = [
    { list: ['ps', '--all', '--quiet'], remove: ['rm', '--force', '--volumes'] },
    { list: ['network', 'ls', '--quiet'], remove: ['network', 'rm'] },
    { list: ['volume', 'ls', '--quiet'], remove: ['volume', 'rm'] },
  ];
  for (const { list, remove: removing } of kinds) {
    const found = lines([...list, '--filter', `name=${name}`]);
    if (found.length > 0) spawnSync('docker', [...removing, ...found], { stdio: 'ignore' });
  }
  const images = lines(['images', '--format', '{{.Repository}}:{{.Tag}}']).filter((image) => image.startsWith(`${name}-`));
  if (images.length > 0) spawnSync('docker', ['rmi', '--force', ...images], { stdio: 'ignore' });
}

function lines(args) {
  return spawnSync('docker', args, { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '');
}
