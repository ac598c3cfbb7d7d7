// What our commands write, other people's programs read: cards, keyrings and manifests minisign (Debian's), week files and letters
// age-encryption, and age itself where it is new enough. tests/integration/release.test.ts does so with the manifest of a release.
import { execFile, execFileSync } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WEEK_MS, weekStart } from '../../crypto/card.ts';
import { verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { openSealed, parseParcel } from '../../crypto/parcel.ts';
import { layoutOf } from '../../deploy/state/layout.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { cli, temporaryDirectory, writeTo } from '../support/cli.ts';
import { commandsByHeading } from '../support/documents.ts';
import { preparedOnce } from '../support/prepared.ts';

const run = promisify(execFile);
const NOW = new Date('2026-12-02T10:00:00Z');
const PASSPHRASE = 'correct horse ёжик';
const MONDAY = dayOf(weekStart(NOW.getTime()));
const WEEKS = 3;

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let folder: AdminFolder;
/** Of this week. */
let keyring: VerifiedKeyring;
let letter: Uint8Array;

const done = async (...argv: string[]): Promise<void> => {
  const { code, err } = await cli(argv, { now: NOW, logN: 12, stdin: 'Помогите' });
  expect(code, err).toBe(0);
};
const keyringFile = (serial: number): string => join(folder.dir, 'keyrings', `keyring-${String(serial)}.json`);

beforeAll(async () => {
  dir = await temporaryDirectory();
  await writeTo(dir.path('passphrase'), `${PASSPHRASE}\n`);
  const season = ['--weeks', String(WEEKS)];
  await done('volunteer', 'keys', '--keys', dir.path('keys'), '--passphrase-file', dir.path('passphrase'), ...season);
  await done('worker', 'keys', '--out', dir.path('identities'), ...season);
  folder = new AdminFolder(dir.path, 'admin', NOW);
  await folder.done('init', '--no-passphrase');
  await folder.done('team', 'psych', '--name', 'ru=Психологи', '--topic', 'other:ru=Другое');
  await folder.done('add', cardOf('keys'), '--team', 'psych', '--alias', 'Maple', '--yes');
  await folder.done('add', cardOf('identities'), '--yes');
  await folder.done('season', '--yes');
  const root = parsePublicKey(await readFile(join(folder.dir, 'root.pub'), 'utf8'));
  keyring = verifyKeyring(await readFile(keyringFile(1)), await readFile(`${keyringFile(1)}.minisig`, 'utf8'), root);
  const parcel = dir.path('parcel');
  await done('seal', '--keyring', keyringFile(1), '--root-key', join(folder.dir, 'root.pub'), '--out', parcel);
  const [, , identity = ''] = (await readFile(dir.path('identities', `week-${MONDAY}.txt`), 'utf8')).split('\n');
  const content = openSealed(parseParcel(await readFile(parcel)).sealed, [identity]);
  if (content.kind !== 'letter') throw new Error('a letter');
  ({ letter } = content);
  await writeTo(dir.path('letter.age'), letter);
});
afterAll(() => dir.remove());

const cardOf = (where: 'keys' | 'identities'): string => dir.path(where, `season-${MONDAY}.card`);
const minisign = async (...argv: string[]): Promise<string> => (await run('minisign', ['-V', ...argv])).stdout;

describe('minisign verifies', () => {
  test.each(['keys', 'identities'] as const)('the card in %s: its last line with the four before it', async (where) => {
    const lines = (await readFile(cardOf(where), 'utf8')).trimEnd().split('\n');
    const file = await writeTo(dir.path(`${where}.json`), `${lines.at(-1) ?? ''}\n`);
    await writeTo(`${file}.minisig`, `${lines.slice(0, -1).join('\n')}\n`);
    const { key, weeks } = JSON.parse(lines.at(-1) ?? '') as { key: string; weeks: unknown[] };
    expect(await minisign('-m', file, '-P', key)).toContain('Signature and comment signature verified');
    expect(weeks).toHaveLength(WEEKS);
    if (where === 'keys') expect(await minisign('-m', file, '-p', dir.path('keys', 'signer.pub'))).toContain('verified');
    await writeTo(file, `${lines.at(-1)?.replace('"volunteer"', '"worker"').replace('2026', '2027') ?? ''}\n`);
    await expect(minisign('-m', file, '-P', key)).rejects.toThrow();
  });

  test('every keyring of a season, with the command that docs/administrator.md gives', async () => {
    const text = await readFile('docs/administrator.md', 'utf8');
    const [, command = ''] = /`(minisign -V [^`]*)`/.exec(text) ?? [];
    const out = join(folder.dir, 'out', 'volunteers');
    expect((await readdir(out)).filter((name) => name.endsWith('.json'))).toHaveLength(WEEKS);
    for (let serial = 1; serial <= WEEKS; serial += 1) {
      const typed = command.replace('keyring-12.json', `keyring-${String(serial)}.json`);
      expect(execFileSync('bash', ['-c', typed], { cwd: out }).toString()).toContain('Signature and comment signature verified');
    }
  });

  test('the manifest of a form that `admin sign` signs', async () => {
    const manifest = dir.path('manifest.json');
    await cp(join(layoutOf(await preparedOnce()).web, 'manifest.json'), manifest);
    await done('admin', 'sign', manifest, '--root-key', join(folder.dir, 'root.key'));
    expect(await minisign('-m', manifest, '-p', join(folder.dir, 'root.pub'))).toContain('Signature and comment signature verified');
  });
});

/** What is in an age file, by age-encryption. */
async function opened(file: Uint8Array, key: { identity: string } | { passphrase: string }): Promise<string> {
  const decrypter = new Decrypter();
  if ('identity' in key) decrypter.addIdentity(key.identity);
  else decrypter.addPassphrase(key.passphrase);
  return decrypter.decrypt(file, 'text');
}

const lineWith = (text: string): string => text.split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-')) ?? '';

/** The words of a letter, as whoever opens it sees them. */
const messageIn = (text: string): unknown => (JSON.parse(text.replace(/\0+$/, '')) as { message: unknown }).message;

describe('age opens', () => {
  test('a letter, with the storage identity and then the week, as age-encryption', async () => {
    const storage = await opened(await readFile(dir.path('keys', 'storage.age')), { passphrase: PASSPHRASE });
    const week = await opened(await readFile(dir.path('keys', `week-${MONDAY}.age`)), { identity: lineWith(storage) });
    expect(messageIn(await opened(letter, { identity: lineWith(week) }))).toBe('Помогите');
    const next = dayOf(weekStart(NOW.getTime()) + WEEK_MS);
    const other = await opened(await readFile(dir.path('keys', `week-${next}.age`)), { identity: lineWith(storage) });
    await expect(opened(letter, { identity: lineWith(other) })).rejects.toThrow();
  });

  test('what is sealed to the worker, with the file of the week', async () => {
    const [, , identity = ''] = (await readFile(dir.path('identities', `week-${MONDAY}.txt`), 'utf8')).split('\n');
    const sealed = parseParcel(await readFile(dir.path('parcel'))).sealed;
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    // Kind, route, letter.
    expect((await decrypter.decrypt(sealed)).subarray(9, 9 + letter.length)).toEqual(letter);
    expect(keyring.keyring.worker).toBe(JSON.parse(await lastLineOf(cardOf('identities'))).weeks[0].recipient);
  });

  // Its passphrase is asked at a terminal alone: so the first of the three commands is done by age-encryption.
  test.skipIf(!isNewEnough())('the same, with the commands of docs/volunteers.md', async () => {
    const [, toWeek = '', toLetter = ''] = (await commandsByHeading('docs/volunteers.md')).get('With nothing but age') ?? [];
    await writeTo(dir.path('storage.txt'), await opened(await readFile(dir.path('keys', 'storage.age')), { passphrase: PASSPHRASE }));
    const type = (line: string): Buffer => execFileSync('bash', ['-c', line.replace('2026-11-30', MONDAY)], { cwd: dir.path() });
    type(toWeek);
    expect(messageIn(type(toLetter).toString())).toBe('Помогите');
  });
});

const lastLineOf = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trimEnd().split('\n').at(-1) ?? '';

/** Age opens `mlkem768x25519` since 1.3. */
function isNewEnough(): boolean {
  try {
    const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(execFileSync('age', ['--version']).toString()) ?? [];
    return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 3);
  } catch {
    return false;
  }
}
