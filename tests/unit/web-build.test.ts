import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { PASTE_PAGES } from '../../crypto/wire.ts';
import { readLanguages } from '../../runtime/locales.ts';
import { ROOT } from '../../runtime/root.ts';
import { buildWeb } from '../../web/build/build.ts';
import { readSigned } from '../../web/build/single-file.ts';
import { makeKeyrings } from '../support/keyrings.ts';

const KIB = 1024;
/** Files of each language, and files that exist once. */
const eachLanguage = (names: readonly string[], once: readonly string[] = []): string[] =>
  [...readLanguages().flatMap(({ path }) => names.map((name) => `/${path}${name}`)), ...once].sort();

async function bytesOf(directory: string): Promise<Map<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return new Map(
    await Promise.all(files.map(async (file) => [file.slice(directory.length), (await readFile(file)).toString('latin1')] as const)),
  );
}

describe('the built form', () => {
  let dir: string;
  let rootKeyFile: string;
  beforeAll(async () => {
    await ready;
    dir = await mkdtemp(join(tmpdir(), 'web-build-'));
    rootKeyFile = join(dir, 'root.pub');
    await writeFile(rootKeyFile, encodePublicKey(generateKeyPair()));
    await buildWeb({ rootKeyFile, outDir: join(dir, 'one'), floorSerial: 7 });
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('is the pages of each language, with those for what was pasted, and the files they share', async () => {
    const files = [...(await bytesOf(join(dir, 'one'))).keys()].filter((file) => !/\.(?:br|gz)$/.test(file));
    expect(files.filter((file) => !file.includes('/paste/'))).toEqual(
      eachLanguage(
        ['index.html', 'replies.html', 'words.txt'],
        [
          '/form.css',
          '/form.js',
          '/icon.png',
          '/manifest.json',
          '/nowhere.html',
          '/replies.js',
          '/seal-js.js',
          '/seal-wasm.js',
          '/sodium.wasm',
        ],
      ),
    );
    const pasted = PASTE_PAGES.map((page) => `paste/${page}.html`);
    expect(files.filter((file) => file.includes('/paste/'))).toEqual(eachLanguage(pasted));
  });

  it('is the same to the byte when built elsewhere from a copy of the sources', async () => {
    const copy = join(dir, 'a copy elsewhere');
    for (const part of ['web', 'crypto', 'runtime', 'locales', 'package.json', 'tsconfig.base.json'])
      await cp(join(ROOT, part), join(copy, part), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const there = (await import(pathToFileURL(join(copy, 'web/build/build.ts')).href)) as { buildWeb: typeof buildWeb };
    await there.buildWeb({ rootKeyFile, outDir: join(dir, 'two'), floorSerial: 7 });
    expect(await bytesOf(join(dir, 'two'))).toEqual(await bytesOf(join(dir, 'one')));
  });

  it('holds the root key and nothing that stores, reports or connects elsewhere', async () => {
    const files = await bytesOf(join(dir, 'one'));
    const sealers = ['/seal-wasm.js', '/seal-js.js'].map((file) => files.get(file) ?? '');
    const scripts = [files.get('/form.js') ?? '', files.get('/replies.js') ?? '', ...sealers].join('');
    const [, key = ''] = (await readFile(rootKeyFile, 'utf8')).split('\n');
    for (const sealer of sealers) expect(sealer).toContain(key);
    for (const word of [
      'console.',
      '.subtle',
      'localStorage',
      'sessionStorage',
      'indexedDB',
      'document.cookie',
      'sendBeacon',
      'importScripts',
      '.innerHTML',
      'Math.random',
    ]) {
      expect(scripts.includes(word), word).toBe(false);
    }
    expect(scripts).not.toContain(ROOT);
  });

  it('leaves libsodium out of what the page itself loads', async () => {
    const files = await bytesOf(join(dir, 'one'));
    for (const script of ['/form.js', '/replies.js']) expect(files.get(script)?.length, script).toBeLessThan(30_000);
  });

  it('is small enough for a first visit over Tor, with a keyring of eight volunteers', async () => {
    const files = await bytesOf(join(dir, 'one'));
    const sum = (...names: string[]): number =>
      names.reduce((total, file) => total + (files.get(`${file}.gz`) ?? files.get(file) ?? '').length, 0);
    const page = sum('/index.html', '/form.css');
    const start = gzipSync(JSON.stringify(Array.from({ length: 8 + 1 }, () => identityToRecipient(generateIdentity()))), {
      level: 9,
    }).length;
    const visit = page + start + sum('/form.js', '/icon.png', '/words.txt');
    expect(page).toBeLessThanOrEqual(14 * KIB);
    expect(visit + sum('/seal-wasm.js', '/sodium.wasm')).toBeLessThanOrEqual(167 * KIB);
    expect(visit + sum('/seal-js.js')).toBeLessThanOrEqual(250 * KIB);
  });

  it('has, given keyrings, an offline form per language, a page for its expiry, and the time of that', async () => {
    const keyrings = await makeKeyrings(join(dir, 'offline'));
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 48 });
    // Replaces the other for good, though it ends earlier.
    const counting = await keyrings.add({ serial: 2, fromHours: 0, toHours: 24 });
    const outDir = join(dir, 'with offline');
    await buildWeb({
      rootKeyFile: keyrings.rootKeyFile,
      outDir,
      keyrings: await Promise.all([1, 2].map((serial) => readSigned(join(keyrings.directory, `keyring-${String(serial)}.json`)))),
    });
    const files = await bytesOf(outDir);
    const more = [...files.keys()].filter((file) => /\/form\b.*\.(?:html|json)$/.test(file));
    expect(more).toEqual(eachLanguage(['form-ended.html', 'form.html'], ['/form.json']));
    expect(files.get('/form.json')).toBe(`{"until":"${counting.notAfter}"}\n`);
  });

  it('is not built with a secret key in place of the public one', async () => {
    const secret = join(dir, 'root.key');
    await writeFile(secret, await encodeSecretKey(generateKeyPair()));
    await expect(buildWeb({ rootKeyFile: secret, outDir: join(dir, 'three') })).rejects.toMatchObject({ code: 'MINISIGN_FORMAT' });
    await expect(readdir(join(dir, 'three'))).rejects.toThrow();
  });
});
