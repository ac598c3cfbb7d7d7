import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { encodePublicKey, generateKeyPair } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { parseEnv, secretFile } from '../../runtime/env.ts';
import { readPrivateFile, readRegularFile, readRegularFileSync, readUnlinkedFile } from '../../runtime/files.ts';
import { KeyringShelf } from '../../runtime/keyrings.ts';
import { workerEnv } from '../../worker/config.ts';
import { loadIdentities } from '../../worker/identities.ts';
import { smtp } from '../../worker/inboxes/smtp.ts';
import { findForm } from '../../server/statics.ts';
import { buildWeb } from '../../web/build/build.ts';
import { readSigned } from '../../web/build/single-file.ts';
import { makeKeyrings } from '../support/keyrings.ts';

const MOST_BYTES = 200_000;
/** A reader that blocks would hang the whole run: these cases must fail on their own. */
const TIMEOUT_MS = 5_000;

let dir: string;
const socket = createServer();
beforeAll(async () => {
  await ready;
  dir = await mkdtemp(join(tmpdir(), 'files-test-'));
  await writeFile(join(dir, 'file'), 'a'.repeat(MOST_BYTES), { mode: 0o600 });
  await writeFile(join(dir, 'long'), 'a'.repeat(MOST_BYTES + 1), { mode: 0o600 });
  await writeFile(join(dir, 'nothing'), '', { mode: 0o600 });
  await symlink('file', join(dir, 'link'));
  await symlink('/dev/zero', join(dir, 'endless'));
  execFileSync('mkfifo', ['-m', '600', join(dir, 'pipe')]);
  await new Promise<void>((resolve) => socket.listen(join(dir, 'socket'), resolve));
});
afterAll(async () => {
  await new Promise((resolve) => socket.close(resolve));
  await rm(dir, { recursive: true });
});

const at = (name: string): string => (name.startsWith('/') ? name : join(dir, name));

const readers = {
  readRegularFile,
  readRegularFileSync: (path: string, most: number) => Promise.resolve().then(() => readRegularFileSync(path, most)),
  readPrivateFile,
  readUnlinkedFile,
};

describe.each(Object.entries(readers))('%s', (name, read) => {
  it('reads a file up to its limit', { timeout: TIMEOUT_MS }, async () => {
    expect((await read(at('file'), MOST_BYTES)).equals(Buffer.alloc(MOST_BYTES, 'a'))).toBe(true);
    expect((await read(at('nothing'), MOST_BYTES)).length).toBe(0);
  });

  it.each([
    ['long', 'FILE_TOO_LARGE'],
    ['pipe', 'FILE_KIND'],
    ['socket', 'FILE_KIND'],
    ['', 'FILE_KIND'],
    ['/dev/zero', 'FILE_KIND'],
    ['endless', ['readPrivateFile', 'readUnlinkedFile'].includes(name) ? 'FILE_LINK' : 'FILE_KIND'],
    ['absent', 'ENOENT'],
  ])('refuses %s with %s', { timeout: TIMEOUT_MS }, async (file, code) => {
    await expect(read(at(file), MOST_BYTES)).rejects.toMatchObject({ code });
  });
});

it('stops at the limit where a file reports no size', { timeout: TIMEOUT_MS }, async () => {
  // Files in /proc report 0 bytes.
  await expect(readRegularFile('/proc/self/maps', 100)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  expect(() => readRegularFileSync('/proc/self/maps', 100)).toThrow(expect.objectContaining({ code: 'FILE_TOO_LARGE' }));
});

it("a private file is its owner's alone, and not a link", { timeout: TIMEOUT_MS }, async () => {
  await writeFile(at('shown'), 'secret');
  await chmod(at('shown'), 0o640);
  await expect(readPrivateFile(at('shown'), MOST_BYTES)).rejects.toMatchObject({ code: 'FILE_MODE' });
  await expect(readPrivateFile(at('link'), MOST_BYTES)).rejects.toMatchObject({ code: 'FILE_LINK' });
  expect((await readRegularFile(at('link'), MOST_BYTES)).length).toBe(MOST_BYTES);
});

describe('a pipe in place of', () => {
  const pipe = (path: string) => execFileSync('mkfifo', ['-m', '600', path]);

  it('a keyring or its signature does not affect the others', { timeout: TIMEOUT_MS }, async () => {
    const keyrings = await makeKeyrings(dir);
    await keyrings.add({ serial: 1, fromHours: -1, toHours: 1 });
    pipe(join(keyrings.directory, 'keyring-2.json'));
    await writeFile(join(keyrings.directory, 'keyring-3.json'), '{}');
    pipe(join(keyrings.directory, 'keyring-3.json.minisig'));
    const shelf = new KeyringShelf(keyrings);
    await shelf.load();
    expect(shelf.all().map(({ serial }) => serial)).toEqual([1]);
    const rootless = new KeyringShelf({ ...keyrings, rootKeyFile: at('pipe') });
    await rootless.load();
    expect([rootless.rootState, rootless.all()]).toEqual(['unusable', []]);
  });

  it('a password or the inboxes is named', { timeout: TIMEOUT_MS }, () => {
    const problem = 'the file cannot be read (FILE_KIND)';
    expect(parseEnv(z.object({ X: secretFile }), { X: at('pipe') })).toEqual({ problems: [`X: ${problem}`] });
    expect(parseEnv(z.object({ X: secretFile }), { X: '/dev/zero' })).toEqual({ problems: [`X: ${problem}`] });
    expect(parseEnv(workerEnv, { WORKER_INBOXES: at('pipe') })).toMatchObject({
      problems: expect.arrayContaining([`WORKER_INBOXES: ${problem}`]) as unknown,
    });
  });

  it('the password of a mail server is an error of that inbox', { timeout: TIMEOUT_MS }, async () => {
    const settings = smtp.schema.parse({
      ...{ id: 'inbox-1', team: '00112233445566aa', kind: 'smtp', host: 'mail.example.org', port: 465, tls: 'implicit' },
      ...{ from: 'a@example.org', to: 'b@example.org', user: 'a', passwordFile: at('pipe') },
    });
    await expect(smtp.createInbox(settings, null)).rejects.toMatchObject({ code: 'FILE_KIND' });
  });

  it('an identity makes only that one unusable', { timeout: TIMEOUT_MS }, async () => {
    const directory = at('identities');
    await mkdir(directory);
    pipe(join(directory, 'worker-1.txt'));
    expect((await loadIdentities(directory)).unusable).toMatchObject([{ file: 'worker-1.txt', problem: 'unreadable' }]);
  });

  it('an input of the form’s build is named', { timeout: TIMEOUT_MS }, async () => {
    const given = at('given');
    await mkdir(given);
    const [rootKeyFile, piped, siteFile, keyring] = ['root.pub', 'pipe.pub', 'site.json', 'keyring-1.json'].map((name) =>
      join(given, name),
    ) as [string, string, string, string];
    for (const path of [piped, siteFile, keyring]) pipe(path);
    await writeFile(rootKeyFile, encodePublicKey(generateKeyPair()));
    const outDir = join(given, 'form');
    const kind = (path: string): object => ({ code: 'FILE_KIND', message: `${path}: expected a regular file` });
    await expect(buildWeb({ rootKeyFile: piped, outDir })).rejects.toMatchObject(kind(piped));
    await expect(buildWeb({ rootKeyFile, outDir, siteFile })).rejects.toMatchObject(kind(siteFile));
    await expect(readSigned(keyring)).rejects.toMatchObject(kind(keyring));
  });

  it('a file of the form keeps the relay from starting', { timeout: TIMEOUT_MS }, async () => {
    const directory = at('web');
    await mkdir(directory);
    pipe(join(directory, 'manifest.json'));
    await expect(findForm(directory)).rejects.toMatchObject({ code: 'FILE_KIND' });
  });
});
