import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePublicKey, encodeSecretKey, generateKeyPair } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { ROOT } from '../../deploy/layout.ts';
import { buildWeb } from '../../web/build.ts';

async function bytesOf(directory: string): Promise<Map<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(await Promise.all(files.map(async (file) => [file.slice(directory.length), (await readFile(file)).toString('latin1')] as const)));
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

  it('is a page a language, one style sheet, two scripts and an icon', async () => {
    const files = await bytesOf(join(dir, 'one'));
    expect([...files.keys()]).toEqual(['/en/index.html', '/form.css', '/form.js', '/icon.png', '/index.html', '/seal.js']);
  });

  it('is the same to the byte when built elsewhere from a copy of the sources', async () => {
    const copy = join(dir, 'a copy elsewhere');
    for (const part of ['web', 'crypto', 'package.json', 'tsconfig.base.json']) await cp(join(ROOT, part), join(copy, part), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const there = (await import(pathToFileURL(join(copy, 'web/build.ts')).href)) as { buildWeb: typeof buildWeb };
    await there.buildWeb({ rootKeyFile, outDir: join(dir, 'two'), floorSerial: 7 });
    expect(await bytesOf(join(dir, 'two'))).toEqual(await bytesOf(join(dir, 'one')));
  });

  it('holds the root key and nothing that keeps, reports or calls out', async () => {
    const files = await bytesOf(join(dir, 'one'));
    const scripts = `${files.get('/form.js') ?? ''}${files.get('/seal.js') ?? ''}`;
    const [, key = ''] = (await readFile(rootKeyFile, 'utf8')).split('\n');
    expect(files.get('/seal.js')).toContain(key);
    for (const word of ['console.', '.subtle', 'localStorage', 'sessionStorage', 'indexedDB', 'document.cookie', 'sendBeacon', 'importScripts', '.innerHTML', 'Math.random']) {
      expect(scripts.includes(word), word).toBe(false);
    }
    expect(scripts).not.toContain(ROOT);
  });

  it('leaves libsodium out of what the page itself loads', async () => {
    expect((await bytesOf(join(dir, 'one'))).get('/form.js')?.length).toBeLessThan(16_000);
  });

  it('is not made with a secret key in the place of the public one', async () => {
    const secret = join(dir, 'root.key');
    await writeFile(secret, await encodeSecretKey(generateKeyPair()));
    await expect(buildWeb({ rootKeyFile: secret, outDir: join(dir, 'three') })).rejects.toMatchObject({ code: 'MINISIGN_FORMAT' });
    await expect(readdir(join(dir, 'three'))).rejects.toThrow();
  });
});
