import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { parsePublicKey, verify } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { cli, openOffice, temporaryDirectory, writeTo, type Office } from '../support/cli.ts';
import { staticsIn } from '../support/statics.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;
beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
  office = await openOffice((...parts) => dir.path('office', ...parts));
});
afterAll(() => dir.remove());

test('signs a file as minisign does, with a comment, and never overwrites a signature', async () => {
  const file = await writeTo(dir.path('form.html'), 'a form');
  const { code, err } = await cli(['admin', 'sign', file, '--root-key', office.rootKey, '--comment', 'form of week 12']);
  expect(err).toBe(`Written: ${file}.minisig\n`);
  expect(code).toBe(EXIT.ok);
  const root = parsePublicKey(await readFile(office.rootPublicKey, 'utf8'));
  const signature = await readFile(`${file}.minisig`, 'utf8');
  expect(verify(Buffer.from('a form'), signature, root)).toBe('form of week 12');
  expect((await cli(['admin', 'sign', file, '--root-key', office.rootKey])).code).toBe(EXIT.output);
  expect(await readFile(`${file}.minisig`, 'utf8')).toBe(signature);
});

test('--json says what was written', async () => {
  const file = await writeTo(dir.path('json.html'), 'a form');
  const { text, err } = await cli(['admin', 'sign', file, '--root-key', office.rootKey, '--json']);
  expect([JSON.parse(text), err]).toEqual([{ file, signatureFile: `${file}.minisig`, comment: 'json.html' }, '']);
});

test('refuses a comment of two lines, a missing file, and a file that is not a key', async () => {
  const file = await writeTo(dir.path('other.html'), 'a form');
  expect((await cli(['admin', 'sign', file, '--root-key', office.rootKey, '--comment', 'a\nb'])).code).toBe(EXIT.usage);
  expect((await cli(['admin', 'sign', dir.path('nothing'), '--root-key', office.rootKey])).code).toBe(EXIT.input);
  expect((await cli(['admin', 'sign', file, '--root-key', office.rootPublicKey])).code).toBe(EXIT.input);
});

test('the relay starts with a form and offline form that commands built and signed', async () => {
  const web = dir.path('web');
  const build = ['operator', 'build-form', '--root-key', office.rootPublicKey, '--out', web, '--keyring', office.keyring.file];
  expect((await cli(build)).code).toBe(EXIT.ok);
  expect((await cli(['admin', 'sign', dir.path('web', 'manifest.json'), '--root-key', office.rootKey])).code).toBe(EXIT.ok);
  const statics = await staticsIn(web, office.rootPublicKey);
  for (const path of ['/form.html', '/en/form.html', '/manifest.json.minisig']) expect(statics.has(path), path).toBe(true);
  const page = await readFile(dir.path('web', 'form.html'), 'utf8');
  expect(page).toContain(office.keyring.keyring.worker);

  expect((await cli([...build.slice(0, -2), '--no-offline-form'])).code).toBe(EXIT.ok);
  const without = await staticsIn(web, office.rootPublicKey);
  expect([...without.keys()].filter((path) => /form\.html|minisig/.test(path))).toEqual([]);
  expect(await readFile(dir.path('web', 'index.html'), 'utf8')).not.toContain('form.html');
});

test('a keyring of another root key is not built into the form', async () => {
  const other = await openOffice((...parts) => dir.path('other', ...parts));
  const { code, err } = await cli([
    'operator',
    'build-form',
    '--root-key',
    office.rootPublicKey,
    '--out',
    dir.path('web2'),
    '--keyring',
    other.keyring.file,
  ]);
  expect(code).toBe(EXIT.notAuthentic);
  expect(err).toContain('(MINISIGN_KEY)');
});
