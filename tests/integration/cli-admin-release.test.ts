// `admin release`: which release of the programs the keyrings name as the newest.
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { encodeManifest } from '../../crypto/manifest.ts';
import { encodePublicKey, generateKeyPair, keyName, sign, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { cli, temporaryDirectory, writeTo } from '../support/cli.ts';

const NOW = new Date('2026-12-02T10:00:00Z');
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let key: SigningKey;
let keyFile: string;
let folder: AdminFolder;
let count = 0;

beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
  key = generateKeyPair();
  keyFile = await writeTo(dir.path('release.pub'), encodePublicKey(key));
});
afterAll(() => dir.remove());
beforeEach(async () => {
  count += 1;
  folder = new AdminFolder(dir.path, `folder-${String(count)}`, NOW);
  await folder.furnish(4);
});

/** The manifest of a release, with its signature beside it. @param more a file of it, so that two of one version differ */
async function manifest(version: string, { by = key, more = 'sbom.cdx.json' } = {}): Promise<{ file: string; digest: string }> {
  count += 1;
  const names = [`support-relay-${version}.tar`, `support-relay-${version}-form.tar`, more];
  const json = encodeManifest(new Map(names.map((name) => [name, new TextEncoder().encode(name)])));
  const file = await writeTo(dir.path(`manifest-${String(count)}.json`), json);
  await writeTo(`${file}.minisig`, sign(json, by, 'support-relay manifest.json'));
  return { file, digest: createHash('sha256').update(json).digest('hex') };
}

const release = (file: string, ...more: string[]) => folder.run(['release', file, ...more]);
const first = (file: string) => release(file, '--release-key', keyFile);
const releases = async () => (await folder.out()).map((keyring) => keyring.release);

test('is in the keyrings that are signed from then on, and is said before they are', async () => {
  await folder.done('season', '--weeks', '2', '--yes');
  const { file, digest } = await manifest('1.2.0');
  const { code, err } = await first(file);
  expect([code, err]).toEqual([EXIT.ok, expect.stringContaining(`Release 1.2.0 is the newest now.`)]);
  expect(err).toContain(`The release key ${keyName(key.id)} is kept`);
  // Minisign finds the same, with the same files.
  expect(execFileSync('minisign', ['-V', '-m', file, '-p', keyFile]).toString()).toContain('verified');
  expect((await folder.done('season', '--yes')).err).toContain('they name 1.2.0 as the newest release of the programs');
  const named = { version: '1.2.0', digest };
  expect(await releases()).toEqual([undefined, undefined, named, named]);
  expect((await folder.done('season', '--again', '--yes')).err).toContain('they name 1.2.0');
  expect(await releases()).toEqual([named, named, named, named]);
  expect((await folder.done('season', '--again', '--yes')).err).not.toContain('they name');
});

test('is shown in the status, and nobody has to sign anew for it', async () => {
  await folder.done('season', '--yes');
  const before = await folder.run(['status', '--json']);
  const { file, digest } = await manifest('1.2.0');
  await first(file);
  const after = await folder.run(['status', '--json']);
  const expected = { version: '1.2.0', digest, key: keyName(key.id) };
  expect(JSON.parse(before.text)).toMatchObject({ release: null });
  expect(JSON.parse(after.text)).toEqual({ ...JSON.parse(before.text), release: expected });
  expect(after.code).toBe(before.code);
  expect((await folder.run(['status'])).text).toContain(`The newest release is 1.2.0, by release key ${keyName(key.id)}\n`);
});

test('may be given twice, and the key is remembered', async () => {
  const { file, digest } = await manifest('1.2.0');
  expect((await release(file)).err).toContain('--release-key is missing');
  await first(file);
  const again = await release(file, '--json');
  expect(JSON.parse(again.text)).toEqual({ changed: false, version: '1.2.0', digest, releaseKey: keyName(key.id) });
  expect((await release(file)).err).toContain('nothing to do');
  const next = await manifest('1.3.0-rc.1');
  expect(JSON.parse((await release(next.file, '--json')).text)).toMatchObject({ changed: true, version: '1.3.0-rc.1' });
});

test.each<[string, string, () => Promise<string>]>([
  ['an older one', 'RELEASE_OLD', async () => (await manifest('1.1.9')).file],
  ['another of the same version', 'RELEASE_OLD', async () => (await manifest('1.2.0', { more: 'other.txt' })).file],
  ['one by another key', 'MINISIGN_KEY', async () => (await manifest('1.3.0', { by: generateKeyPair() })).file],
  [
    'one that was changed',
    'MINISIGN_SIGNATURE',
    async () => {
      const { file } = await manifest('1.3.0');
      return writeTo(file, encodeManifest(new Map([['support-relay-9.9.9.tar', new Uint8Array()]])));
    },
  ],
  [
    'the manifest of a form',
    'INPUT_FORMAT',
    async () => {
      const json = encodeManifest(new Map([['index.html', new Uint8Array()]]));
      const file = await writeTo(dir.path('form.json'), json);
      await writeTo(`${file}.minisig`, sign(json, key, 'manifest.json'));
      return file;
    },
  ],
  ['a file that is not there', 'INPUT_MISSING', () => Promise.resolve(dir.path('nowhere.json'))],
])('%s is refused and changes nothing', async (_what, code, make) => {
  await first((await manifest('1.2.0')).file);
  const before = (await folder.run(['status', '--json'])).text;
  const result = await release(await make());
  expect([result.code === EXIT.ok, result.err]).toEqual([false, expect.stringContaining(`(${code})`)]);
  expect((await folder.run(['status', '--json'])).text).toBe(before);
});

test('a root key, or another file, in the place of the release key is named', async () => {
  const { file } = await manifest('1.2.0');
  const secret = await release(file, '--release-key', join(folder.dir, 'root.key'));
  expect(secret.err).toContain('root.key is not the public release key: it is the secret half');
  expect((await release(file, '--release-key', file)).err).toContain(
    'give the public half, release.pub, as the project publishes it (INPUT_FORMAT)',
  );
  expect((await release(file, '--release-key', join(folder.dir, 'root.pub'))).err).toContain('(MINISIGN_KEY)');
});

test('another release key is refused, though it signed what is given', async () => {
  await first((await manifest('1.2.0')).file);
  const other = generateKeyPair();
  const otherFile = await writeTo(dir.path('other.pub'), encodePublicKey(other));
  const { err } = await release((await manifest('1.3.0', { by: other })).file, '--release-key', otherFile);
  expect(err).toContain('(RELEASE_KEY_DIFFERS)');
});

test('a folder that was restored has it from its newest keyring', async () => {
  await first((await manifest('1.2.0')).file);
  await folder.done('season', '--yes');
  const restored = new AdminFolder(dir.path, 'restored', NOW);
  await restored.done('init', '--no-passphrase', '--sheet', join(folder.dir, 'sheet.txt'));
  await restored.done('take', ...[1, 2, 3, 4].map((serial) => join(folder.dir, 'keyrings', `keyring-${String(serial)}.json`)));
  expect(JSON.parse((await restored.run(['status', '--json'])).text)).toMatchObject({ release: { version: '1.2.0', key: null } });
  // The key is in no keyring: it is given once more.
  const given = await cli(['admin', 'release', (await manifest('1.2.0')).file, '--release-key', keyFile, '--folder', restored.dir], {
    now: NOW,
  });
  expect(given.err).toContain('is kept');
});
