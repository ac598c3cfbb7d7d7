// `npm run test:package`: makes the Debian package four times, and tries it in a bare Debian with systemd, in a container. The tests
// run in the container's network, so that whatever listens there is on their loopback, too.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BootstrapError, build, ensureApt, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';

/** What systemd needs for itself and for isolating services. All but loading modules and the like. */
const CAPABILITIES = [
  ...['AUDIT_CONTROL', 'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'LINUX_IMMUTABLE', 'MKNOD'],
  ...['NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_ADMIN', 'SYS_CHROOT', 'SYS_PTRACE'],
];
const UNCONFINED = ['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'];
const CGROUPS = ['--cgroupns=host', '--volume', '/sys/fs/cgroup:/sys/fs/cgroup:rw'];
const TMPFS = ['/run', '/run/lock', '/tmp'].flatMap((path) => ['--tmpfs', path]);
const NEXT_VERSION = '99.0.0';
/** A version that changes the state, by what it replaces in the sources. */
const CHANGED_VERSION = '99.1.0';
const CHANGES = [
  ['redis/version.ts', 'STATE_VERSION = 1;', 'STATE_VERSION = 2;'],
  [
    'worker/upgrade.ts',
    'DATA_STEPS: readonly DataStep[] = [];',
    `DATA_STEPS: readonly DataStep[] = [
    { to: 2, change: 'a mark is made', run: async (redis) => void (await redis.hset('state', 'mark', 'made')) },
  ];`,
  ],
];
const NEEDED = [
  { command: 'tor', packages: ['tor'] },
  { command: 'chromium', packages: ['chromium'] },
  { command: 'nsenter', packages: ['util-linux'] },
];

const step = (command, args, options = {}) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (status !== 0) throw new BootstrapError(`failed: ${command} ${args.join(' ')}`);
};
const output = (command, args) => spawnSync(command, args, { cwd: root, encoding: 'utf8' }).stdout.trim();

await run(() => {
  ensureNode();
  ensureNodeModules();
  if (process.getuid?.() !== 0) throw new BootstrapError('This needs root, to get into the network of a container.');
  if (spawnSync('docker', ['info'], { stdio: 'ignore' }).status !== 0) throw new BootstrapError('This needs Docker, and it must run.');
  ensureApt(NEEDED);
  build();
  const folder = mkdtempSync(join(tmpdir(), 'support-relay-package-'));
  const name = `support-relay-test-package-${process.pid}`;
  const made = join(folder, 'made');
  try {
    step(process.execPath, ['dist/debian-package.js', '--uncompressed', '--out', join(made, 'here')]);
    makeElsewhere(join(folder, 'elsewhere'), join(made, 'elsewhere'));
    makeElsewhere(join(folder, 'next'), join(made, 'next'), NEXT_VERSION);
    makeElsewhere(join(folder, 'changed'), join(made, 'changed'), CHANGED_VERSION, CHANGES);
    step('docker', ['build', '--quiet', '--tag', name, 'tests/package']);
    const security = [...CAPABILITIES.map((each) => `--cap-add=${each}`), ...UNCONFINED.map((each) => `--security-opt=${each}`)];
    step('docker', ['run', '--detach', '--name', name, ...security, ...CGROUPS, ...TMPFS, '--volume', `${made}:/media/packages:ro`, name]);
    const pid = output('docker', ['inspect', '--format', '{{.State.Pid}}', name]);
    const vitest = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', '--project=package'];
    step('nsenter', [`--net=/proc/${pid}/ns/net`, ...vitest], {
      env: { ...process.env, PACKAGE_TEST_MACHINE: name, PACKAGE_TEST_MADE: made },
    });
  } finally {
    spawnSync('docker', ['rm', '--force', '--volumes', name], { stdio: 'ignore' });
    spawnSync('docker', ['rmi', name], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Makes the package of a copy of the sources, in a place, a time zone, a language and with a umask of its own. */
function makeElsewhere(copy, out, version, changes = []) {
  const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  const files = listed.stdout.split('\0').filter((file) => file !== '' && !file.startsWith('tests/'));
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  // Not linked: what is bundled carries the paths of its packages.
  step('cp', ['--archive', 'node_modules', copy]);
  const replaced = version === undefined ? [] : [['package.json', /"version": "[^"]+"/, `"version": "${version}"`]];
  for (const [path, from, to] of [...replaced, ...changes]) {
    const text = readFileSync(join(copy, path), 'utf8');
    if (text.replace(from, '') === text) throw new BootstrapError(`${path} has no ${String(from)}`);
    writeFileSync(join(copy, path), text.replace(from, to));
  }
  const epoch = output('git', ['log', '-1', '--format=%ct']);
  const env = { ...process.env, TZ: 'Pacific/Auckland', LC_ALL: 'C', SOURCE_DATE_EPOCH: epoch };
  const script = 'umask 077; "$0" scripts/build.mjs && "$0" dist/debian-package.js --uncompressed --out "$1"';
  step('sh', ['-c', script, process.execPath, out], { cwd: copy, env });
}
