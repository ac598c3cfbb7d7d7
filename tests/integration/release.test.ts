// A release: the same to the byte wherever it is made, verifiable with other people's tools, and enough to build the form from.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { parseManifest } from '../../crypto/manifest.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { ROOT } from '../../runtime/root.ts';
import { makeKeyrings } from '../support/keyrings.ts';

const run = promisify(execFile);
const NAME = `support-relay-${packageFile.version}`;
const NOT_COPIED = ['.git', 'bench', 'dist', 'node_modules', 'release', 'tests'];
const NOBODY = 65_534;

type Place = { readonly folder: string; readonly umask: string; readonly env: Record<string, string>; readonly asNobody: boolean };

let dir: string;
let key: SigningKey;
let places: readonly [Place, Place];

beforeAll(async () => {
  await ready;
  dir = await mkdtemp(join(tmpdir(), 'release-test-'));
  await chmod(dir, 0o755);
  key = generateKeyPair();
  const { directory, add } = await makeKeyrings(dir);
  await add({ serial: 1, fromHours: -1, toHours: 24 * 7 });
  await writeFile(join(dir, 'release.key'), await encodeSecretKey(key, undefined, 'minisign'));
  await writeFile(join(dir, 'release.pub'), encodePublicKey(key));
  const isRoot = process.getuid?.() === 0;
  places = [
    { folder: join(dir, 'one'), umask: '077', env: { TZ: 'Pacific/Auckland', LC_ALL: 'ru_RU.UTF-8' }, asNobody: false },
    { folder: join(dir, 'two', 'another place'), umask: '002', env: { TZ: 'America/St_Johns', LC_ALL: 'C' }, asNobody: isRoot },
  ];
  await Promise.all(places.map((place) => make(place, join(directory, 'keyring-1.json'))));
}, 240_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Copies the sources and the packages there, and makes a release, a form and a desk as a user of that place would. */
async function make({ folder, umask, env, asNobody }: Place, keyring: string): Promise<void> {
  const made = join(folder, 'made');
  await mkdir(made, { recursive: true });
  const sources = (await readdir(ROOT)).filter((name) => !NOT_COPIED.includes(name));
  for (const name of sources) await cp(join(ROOT, name), join(folder, 'sources', name), { recursive: true, preserveTimestamps: true });
  await run('cp', ['-a', join(ROOT, 'node_modules'), join(folder, 'sources')]);
  // Newer than the lock file: they are the packages of it.
  const now = new Date();
  await utimes(join(folder, 'sources', 'node_modules', '.package-lock.json'), now, now);
  if (asNobody) for (const path of [made, join(folder, 'sources')]) await chown(path, NOBODY, NOBODY);
  const keys = `--root-key '${join(dir, 'root.pub')}' --keyring '${keyring}'`;
  const script = [
    `umask ${umask}`,
    `node scripts/release.mjs --key '${join(dir, 'release.key')}' --out ../made/release`,
    `node dist/support-relay.js operator build-form ${keys} --out ../made/web`,
    `node dist/support-relay.js admin build-desk ${keys} --out ../made/desk`,
  ].join(' && ');
  const user = asNobody ? ['setpriv', `--reuid=${String(NOBODY)}`, `--regid=${String(NOBODY)}`, '--clear-groups'] : ['env'];
  const [command = '', ...rest] = [...user, 'sh', '-c', script];
  const environment = { PATH: process.env['PATH'], HOME: made, ...env };
  await run(command, rest, { cwd: join(folder, 'sources'), env: environment });
}

async function digestsIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const digest = async (path: string) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [relative(folder, path), await digest(path)] as const)));
}

const released = (...parts: string[]): string => join(places[0].folder, 'made', 'release', ...parts);

it.each(['release', 'web', 'desk'])('%s: other folders, users, time zones, languages and umasks give the same bytes', async (what) => {
  const [one, two] = await Promise.all(places.map(({ folder }) => digestsIn(join(folder, 'made', what))));
  expect(two).toEqual(one);
  expect(Object.keys(one ?? {}).length).toBeGreaterThan(1);
});

describe('the manifest of a release', () => {
  it('lists every other file, and is signed as minisign verifies', async () => {
    const { files } = parseManifest(await readFile(released('manifest.json')));
    const others = Object.entries(await digestsIn(released())).filter(([path]) => !path.startsWith('manifest.json'));
    expect(files).toEqual(Object.fromEntries(others));
    expect(Object.keys(files)).toEqual(expect.arrayContaining([`${NAME}.tar`, `${NAME}-form.tar`, 'sbom.cdx.json', 'form/seal-wasm.js']));
    const { stdout } = await run('minisign', ['-Vm', released('manifest.json'), '-p', join(dir, 'release.pub')]);
    expect(stdout).toContain(`Trusted comment: ${NAME} manifest.json`);
  });
});

it('is verified by the commands of docs/release.md, as they stand there', async () => {
  const [, section = ''] = (await readFile(join(ROOT, 'docs', 'release.md'), 'utf8')).split('## Verifying one');
  const [, commands = ''] = section.split('```\n');
  const folder = join(dir, 'handed out');
  await cp(released(), folder, { recursive: true });
  await cp(join(dir, 'release.pub'), join(folder, 'release.pub'));
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', commands], { cwd: folder });
  expect(stdout).toContain('Signature and comment signature verified');
  expect(stdout).toContain(`${NAME}.tar: OK\n`);
  await writeFile(join(folder, 'form', 'form.js'), 'changed');
  await expect(run('bash', ['-euo', 'pipefail', '-c', commands], { cwd: folder })).rejects.toThrow();
});

describe('the archives', () => {
  it('hold what tar unpacks to a folder from which the same form is built', async () => {
    const folder = join(dir, 'unpacked');
    await mkdir(folder);
    for (const archive of [`${NAME}.tar`, `${NAME}-form.tar`]) {
      const { stderr } = await run('tar', ['-xf', released(archive), '-C', folder]);
      expect(stderr).toBe('');
    }
    const home = join(folder, NAME);
    await symlink(join(ROOT, 'node_modules'), join(home, 'node_modules'));
    const program = join(home, 'dist', 'support-relay.js');
    const { stdout } = await run('node', [program, '--version']);
    expect(stdout).toBe(`support-relay ${packageFile.version}\n`);
    const out = join(dir, 'rebuilt');
    await run('node', [program, 'operator', 'build-form', '--root-key', join(dir, 'release.pub'), '--out', out]);
    const { files } = parseManifest(await readFile(join(out, 'manifest.json')));
    const { files: listed } = parseManifest(await readFile(released('manifest.json')));
    const form = Object.entries(listed).filter(([path]) => path.startsWith('form/'));
    expect(files).toEqual(Object.fromEntries(form.map(([path, digest]) => [path.slice('form/'.length), digest])));
  });

  it('have no owner, time or permission of the machine', async () => {
    const { stdout } = await run('tar', ['--numeric-owner', '--utc', '-tvf', released(`${NAME}.tar`)], { maxBuffer: 2 ** 24 });
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) expect(line).toMatch(/^-rw-r--r-- 0\/0 +\d+ 1980-01-01 00:00 support-relay-/);
    // Containers are built from the sources, which are not in it.
    expect(stdout).not.toMatch(/compose|Dockerfile/);
  });
});

it('the list of packages has every one that the programs use, and nothing of this machine', async () => {
  const bill = JSON.parse(await readFile(released('sbom.cdx.json'), 'utf8')) as {
    bomFormat: string;
    serialNumber: string;
    metadata: { component: { name: string } };
    components: { name: string; version: string; purl: string }[];
  };
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5', metadata: { component: { name: packageFile.name } } });
  expect(bill.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; dev?: true }>;
  };
  const used = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  const locked = used.map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`);
  expect(bill.components.map(({ name, version }) => `${name}@${version}`).toSorted()).toEqual([...new Set(locked)].toSorted());
  expect(locked).toEqual(expect.arrayContaining(Object.entries(packageFile.dependencies).map(([name, version]) => `${name}@${version}`)));
});

it('nothing is overwritten, and a release is of what is committed', async () => {
  const [{ folder }] = places;
  const sources = join(folder, 'sources');
  const again = (out: string) => run('node', ['dist/release.js', '--key', join(dir, 'release.key'), '--out', out], { cwd: sources });
  await expect(again('../made/release')).rejects.toMatchObject({ code: 73, stderr: expect.stringContaining('(OUTPUT_EXISTS)') as string });
  await run('git', ['init', '-q'], { cwd: sources });
  await expect(again('../made/changed')).rejects.toMatchObject({ stderr: expect.stringContaining('not committed') as string });
});
