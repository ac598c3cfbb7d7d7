// `npm run package:deb`: makes the Debian package. docs/decisions/014-debian-package.md.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import packageFile from '../../package.json' with { type: 'json' };
import { ROOT } from '../../runtime/root.ts';
import { ARCHITECTURE, changelogOf, conffiles, controlFile, md5sums } from './control.ts';
import { packageFiles } from './contents.ts';
import { fetchNode } from './node-binary.ts';

const MAINTAINER_SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm'];
const run = promisify(execFile);

const USAGE = `npm run package:deb -- [--out DIR] [--uncompressed]

Makes the Debian package of this commit. The same commit gives the same bytes, wherever and by whomever it is made.

  --out DIR       where to put it; by default release
  --uncompressed  for trying it on this machine: larger, and made in seconds
  --help          show this text`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, uncompressed: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  process.umask(0o022);
  const epoch = await sourceDateEpoch();
  const file = join(resolve(values.out ?? join(ROOT, 'release')), `support-relay_${packageFile.version}_${ARCHITECTURE}.deb`);
  const scratch = await mkdtemp(join(tmpdir(), 'support-relay-deb-'));
  try {
    const tree = join(scratch, 'tree');
    await writeTree(tree, scratch, epoch);
    await mkdir(dirname(file), { recursive: true });
    // One thread: with more of them xz cuts the data into other blocks.
    const compression = values.uncompressed ? ['-Znone'] : ['-Zxz', '--threads-max=1'];
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) };
    await run('dpkg-deb', ['--root-owner-group', ...compression, '--build', tree, `${file}.new`], { env });
    await rename(`${file}.new`, file);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const digest = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  process.stdout.write(`${file}\nsha256 ${digest}\n`);
}

/** The tree that dpkg-deb makes into an archive. It sorts it, and gives everything in it the time of SOURCE_DATE_EPOCH. */
async function writeTree(tree: string, scratch: string, epoch: number): Promise<void> {
  const files = await packageFiles(await fetchNode(scratch), changelogOf(packageFile.version, epoch));
  const write = async (path: string, content: Uint8Array | string, mode: number) => {
    await mkdir(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(tree, path), content, { mode });
  };
  for (const [path, { bytes, mode }] of files) await write(path, bytes, mode);
  await mkdir(join(tree, 'etc/support-relay/torrc.d'), { recursive: true });
  await write('DEBIAN/control', controlFile(packageFile.version, files), 0o644);
  await write('DEBIAN/conffiles', conffiles(files), 0o644);
  await write('DEBIAN/md5sums', md5sums(files), 0o644);
  await write('DEBIAN/triggers', await readFile(join(ROOT, 'deploy/debian/triggers')), 0o644);
  for (const name of MAINTAINER_SCRIPTS) {
    await write(`DEBIAN/${name}`, await readFile(join(ROOT, 'deploy/debian/maintainer', name)), 0o755);
  }
}

/** The time of the commit, which whoever repeats the build knows, too. Throws where neither git nor the environment says it. */
async function sourceDateEpoch(): Promise<number> {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d{1,10}$/.test(given)) return Number(given);
  if (given === undefined && existsSync(join(ROOT, '.git'))) {
    const { stdout } = await run('git', ['log', '-1', '--format=%ct'], { cwd: ROOT });
    return Number(stdout.trim());
  }
  throw new Error('set SOURCE_DATE_EPOCH to the time of the commit, in seconds since 1970 (git log -1 --format=%ct)');
}

await main().catch((error: unknown) => {
  process.stderr.write(`package:deb: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
