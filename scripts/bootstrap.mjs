// Prepares a bare machine: plain Node without packages, because it runs before any are installed.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const OLDEST_NODE = [20, 19];
/** Debian packages that start a service when they are installed, and the service's name. */
const STARTED_BY_APT = { 'redis-server': 'redis-server', tor: 'tor', 'dovecot-core': 'dovecot' };

/** An error whose message is for the person at the terminal, without a stack trace. */
export class BootstrapError extends Error {}

/** Runs `main`. A BootstrapError becomes its message on stderr and exit code 1. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

export function ensureNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new BootstrapError(`This needs Node ${OLDEST_NODE.join('.')} or later; this is Node ${process.versions.node}.`);
}

/** Runs `npm ci` when node_modules is missing or older than package-lock.json. */
export function ensureNodeModules() {
  const installed = modifiedMs('node_modules/.package-lock.json');
  if (installed !== null && installed >= (modifiedMs('package-lock.json') ?? 0)) return;
  console.log('Installing the Node packages of package-lock.json (npm ci) …');
  const { status } = spawnSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new BootstrapError('The Node packages could not be installed. Run: npm ci');
}

/**
 * Installs missing commands with apt.
 * @param {readonly { command: string, file?: string, packages: readonly string[] }[]} wanted a command (or the absolute path of
 *   a file, if it is no command on the PATH), and the packages that provide it
 */
export function ensureApt(wanted) {
  const isMissing = ({ command, file }) => (file ? !existsSync(file) : !onPath(command));
  const missing = wanted.filter(isMissing);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((item) => item.packages))];
  const isRoot = process.getuid?.() === 0;
  const prefix = isRoot || !onPath('sudo') ? '' : 'sudo ';
  const asWhom = isRoot || prefix !== '' ? '' : ' as root';
  const byHand = `  ${prefix}apt-get update && ${prefix}apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const why = `Missing on this machine: ${missing.map((item) => item.command).join(', ')}.`;
  if (!onPath('apt-get')) {
    throw new BootstrapError(
      `${why}\nThere is no apt-get here: install the counterparts of the Debian packages ${packages.join(' ')} and run this again.`,
    );
  }
  if (!isRoot && !canSudo()) throw new BootstrapError(`${why}\nInstall them${asWhom} and run this again:\n${byHand}`);
  console.log(`${why} Installing with apt: ${packages.join(' ')} …`);
  apt(isRoot, ['update']);
  apt(isRoot, ['install', '-y', '--no-install-recommends', ...packages]);
  for (const [name, service] of Object.entries(STARTED_BY_APT)) if (packages.includes(name)) stopService(isRoot, service);
  const still = missing.filter(isMissing);
  if (still.length > 0)
    throw new BootstrapError(
      `apt could not install ${still.map((item) => item.command).join(', ')}. Run it by hand to see why:\n${byHand}`,
    );
}

/** Builds dist/ in a child process, since esbuild leaves a service running in the process that calls it. */
export function build() {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new BootstrapError('The build failed (node scripts/build.mjs).');
}

function apt(isRoot, args) {
  // Failures are ignored here: after a failed update the existing package lists may do, and the caller checks what is still missing.
  asRoot(isRoot, [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-qq',
    '-o',
    'Dpkg::Use-Pty=0',
    '-o',
    'DPkg::Lock::Timeout=300',
    ...args,
  ]);
}

/** Disables a service that apt has just started: we run our own, and nothing else needs the system's. */
function stopService(isRoot, name) {
  if (existsSync('/run/systemd/system')) asRoot(isRoot, ['systemctl', '--quiet', 'disable', '--now', name]);
}

function asRoot(isRoot, commandLine) {
  const [command, ...args] = isRoot ? commandLine : ['sudo', ...commandLine];
  spawnSync(command, args, { stdio: ['inherit', 'ignore', 'inherit'] });
}

/** Without a terminal sudo cannot ask for a password, so it must work without one. */
function canSudo() {
  if (!onPath('sudo')) return false;
  return process.stdin.isTTY || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
}

export function onPath(command) {
  // Debian keeps some servers in sbin, which is not on every user's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && isExecutable(join(folder, command)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function modifiedMs(path) {
  try {
    return statSync(join(root, path)).mtimeMs;
  } catch {
    return null;
  }
}
