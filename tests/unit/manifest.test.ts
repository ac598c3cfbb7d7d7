import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodePublicKey, generateKeyPair, sign } from '../../crypto/minisign.ts';
import { parseManifest } from '../../crypto/manifest.ts';
import { ready } from '../../crypto/sodium.ts';
import { findForm } from '../../server/statics.ts';
import { staticsIn } from '../support/statics.ts';
import { publish, type Former } from '../../web/build/publish.ts';

const BIG = 'a page '.repeat(1_000);
const root = ready.then(generateKeyPair);
let dir: string;
let web: string;
let rootKeyFile: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'manifest-'));
  web = join(dir, 'web');
  rootKeyFile = join(dir, 'root.pub');
  await writeFile(rootKeyFile, encodePublicKey(await root));
  await published({ 'index.html': BIG, 'en/index.html': BIG, 'a.txt': 'a', 'other.html': `${BIG} ` });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function published(files: Readonly<Record<string, string>>, agree?: (former: Former) => void): Promise<Former> {
  const staging = await mkdtemp(join(dir, 'staging-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(staging, path, '..'), { recursive: true });
    await writeFile(join(staging, path), text);
  }
  return publish(staging, web, agree);
}

const load = () => staticsIn(web, rootKeyFile);

async function everything(): Promise<Record<string, string>> {
  const names = (await readdir(web, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(names.sort().map(async (name) => [name, (await readFile(name)).toString('base64')])));
}

it('says what it would remove, and changes nothing unless that is confirmed', async () => {
  await writeFile(join(web, 'manifest.json.minisig'), 'a signature');
  await writeFile(join(web, 'mine.html'), 'of nobody');
  const before = await everything();
  const refused = published({ 'index.html': 'b', 'mine.html': 'x' }, (former) => {
    expect(former).toEqual({ gone: ['a.txt', 'en/index.html', 'other.html'], foreign: ['mine.html'], signatureGone: true });
    throw new Error('no');
  });
  await expect(refused).rejects.toThrow('no');
  expect(await everything()).toEqual(before);
});

it('keeps a signature that still verifies, and removes outdated compressed files', async () => {
  await writeFile(join(web, 'manifest.json.minisig'), 'a signature');
  const same = { 'index.html': BIG, 'en/index.html': BIG, 'a.txt': 'a', 'other.html': `${BIG} ` };
  expect(await published(same)).toEqual({ gone: [], foreign: [], signatureGone: false });
  expect(await readFile(join(web, 'manifest.json.minisig'), 'utf8')).toBe('a signature');
  expect(await published({ ...same, 'index.html': 'short' })).toEqual({ gone: [], foreign: [], signatureGone: true });
  const names = await readdir(web);
  expect(names).not.toContain('manifest.json.minisig');
  expect(names.filter((name) => name.startsWith('index.html'))).toEqual(['index.html']);
  await load();
});

it('lists every file with its SHA-256, sorted', async () => {
  const text = await readFile(join(web, 'manifest.json'), 'utf8');
  const { files } = parseManifest(Buffer.from(text));
  expect(Object.keys(files)).toEqual(['a.txt', 'en/index.html', 'index.html', 'other.html']);
  expect(files['a.txt']).toBe(createHash('sha256').update('a').digest('hex'));
  expect(text).toContain(`\n  "a.txt": "${files['a.txt'] ?? ''}",\n`);
});

it('lets the relay serve its files and nothing else, compressed where that is shorter', async () => {
  await writeFile(join(web, 'more.html'), 'not ours');
  const statics = await load();
  expect([...statics.keys()].sort()).toEqual([
    '/',
    '/a.txt',
    '/en',
    '/en/',
    '/en/index.html',
    '/index.html',
    '/manifest.json',
    '/other.html',
  ]);
  const page = statics.get('/');
  expect(typeof page === 'object' && [...page.encoded.keys()].sort()).toEqual(['br', 'gzip']);
  const tiny = statics.get('/a.txt');
  expect(typeof tiny === 'object' && tiny.encoded.size).toBe(0);
});

it.each([
  ['a changed file', () => writeFile(join(web, 'en/index.html'), `${BIG} `), 'MANIFEST_DIFFERS'],
  ['a missing file', () => rm(join(web, 'a.txt')), 'ENOENT'],
  [
    'a compressed copy of something else',
    async () => writeFile(join(web, 'index.html.gz'), await readFile(join(web, 'other.html.gz'))),
    'MANIFEST_DIFFERS',
  ],
  ['a compressed copy that does not unpack', () => writeFile(join(web, 'index.html.br'), 'x'), 'MANIFEST_DIFFERS'],
  [
    'a manifest that leads out',
    () => writeFile(join(web, 'manifest.json'), `{"version":1,"files":{"../root.pub":"${'0'.repeat(64)}"}}`),
    'MANIFEST_FORMAT',
  ],
  ['a manifest that is none', () => writeFile(join(web, 'manifest.json'), 'hello'), 'MANIFEST_FORMAT'],
])('stops the relay at %s', async (_what, change, code) => {
  await change();
  await expect(load()).rejects.toMatchObject({ code });
});

it('is what makes a folder a form', async () => {
  await rm(join(web, 'manifest.json'));
  expect(await findForm(web)).toBeNull();
});

it('is served with its signature, and stops the relay when that is by another key or of another manifest', async () => {
  const file = join(web, 'manifest.json.minisig');
  const manifest = await readFile(join(web, 'manifest.json'));
  await writeFile(file, sign(manifest, await root, 'form'));
  expect((await load()).has('/manifest.json.minisig')).toBe(true);
  await writeFile(file, sign(manifest, generateKeyPair(), 'form'));
  await expect(load()).rejects.toMatchObject({ code: 'MINISIGN_KEY' });
  await writeFile(file, sign(Buffer.from('another'), await root, 'form'));
  await expect(load()).rejects.toMatchObject({ code: 'MINISIGN_SIGNATURE' });
});

it('building again removes the signature and what is no longer built, and leaves what was never built', async () => {
  await writeFile(join(web, 'manifest.json.minisig'), 'old');
  await writeFile(join(web, 'mine.txt'), 'mine');
  await published({ 'index.html': BIG });
  const names = (await readdir(web, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name);
  expect(names.sort()).toEqual(['index.html', 'index.html.br', 'index.html.gz', 'manifest.json', 'mine.txt']);
  await load();
});
