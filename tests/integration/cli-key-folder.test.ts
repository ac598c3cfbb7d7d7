// A folder of keys holds what the administrator sent, too: root.pub and keyrings, whatever state they are in.
import { execFileSync } from 'node:child_process';
import { chown, cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import type { NewKeyring } from '../../cli/keys/keyring.ts';
import { ROOT } from '../../runtime/root.ts';
import { Season, SEASON_BEGIN } from '../support/season.ts';
import { writeTo } from '../support/cli.ts';

const NOW = new Date(SEASON_BEGIN + 36 * 3_600_000);
let season: Season;
let first: NewKeyring;
let letter: string;

beforeEach(async () => {
  season = await Season.start(2);
  first = await season.sign(1, 0);
  letter = await season.letter(0, first, 'Hello from week 1');
});
afterEach(() => season.remove());

const open = (...more: string[]) => season.run(['open', ...more, letter], { now: NOW });
const inKeys = (name: string): string => join(season.keys, name);

describe('with root.pub and keyrings in the folder', () => {
  beforeEach(() => season.install(first));

  test('open needs no other option, and checks the keyring', async () => {
    const { code, text, err } = await open('--json');
    expect([code, err]).toEqual([EXIT.ok, expect.not.stringContaining('!')]);
    expect(JSON.parse(text)).toMatchObject({ message: 'Hello from week 1', keyringChecked: true });
  });

  test('an answer is sealed under the newest of them', async () => {
    const answer = await writeTo(season.path('answer'), 'We are here');
    const out = season.path('answers');
    const { code, err } = await season.run(['reply', '--alias', 'Maple', '--file', answer, '--out', out, letter], { now: NOW });
    expect([code, err]).toEqual([EXIT.ok, expect.any(String)]);
    expect(await readdir(out)).toHaveLength(2);
  });

  test('a keyring that is given is used besides', async () => {
    const second = await season.sign(2, 1, { previous: first });
    const later = await season.letter(1, second, 'Hello from week 2');
    expect((await season.run(['open', later], { now: NOW })).err).toContain('(KEYRING_FOREIGN)');
    const { code, text } = await season.run(['open', '--keyring', second.file, letter, later], { now: NOW });
    expect([code, text]).toEqual([EXIT.ok, expect.stringMatching(/week 1[^]+week 2/)]);
  });

  test('--keyring takes a folder of them', async () => {
    await rm(inKeys('keyring-1.json'));
    expect((await open()).err).toContain('(KEYRING_FOREIGN)');
    expect((await open('--keyring', season.path('out'))).code).toBe(EXIT.ok);
  });

  test('the folder is ./keys when nothing else is said', async () => {
    const program = join(ROOT, 'dist', 'support-relay.js');
    const argv = [program, 'open', '--passphrase-file', season.path('passphrase'), '--json', letter];
    const text = execFileSync(process.execPath, argv, { cwd: season.path('.'), encoding: 'utf8' });
    expect(JSON.parse(text)).toMatchObject({ message: 'Hello from week 1', keyringChecked: true });
  });
});

describe('without root.pub', () => {
  test('letters open, and it says what to put there', async () => {
    const { code, err } = await open();
    expect([code, err]).toEqual([EXIT.ok, expect.stringContaining(`put root.pub and the keyrings into ${season.keys}`)]);
  });

  test('nothing is answered', async () => {
    const { code, err } = await season.run(['claim', '--alias', 'Maple', '--out', season.path('out'), letter], { now: NOW });
    expect([code, err]).toEqual([EXIT.usage, expect.stringContaining(`or root.pub and the keyrings in ${season.keys}`)]);
  });
});

describe('a file that is not as it should be is named and passed over:', () => {
  let second: NewKeyring;
  beforeEach(async () => {
    second = await season.sign(2, 1, { previous: first });
    await season.install(first, second);
  });

  const isRoot = process.getuid?.() === 0;
  test.each<[string, () => Promise<void>, string, string]>([
    ['a half-written keyring', () => truncate(inKeys('keyring-2.json'), 400), 'keyring-2.json', '(MINISIGN_SIGNATURE)'],
    ['an empty keyring', () => truncate(inKeys('keyring-2.json')), 'keyring-2.json', 'it is empty; copy it once more'],
    ['one without its signature', () => rm(inKeys('keyring-2.json.minisig')), 'keyring-2.json', 'its signature is not there; copy both'],
    ['a second copy', () => cp(inKeys('keyring-2.json'), inKeys('keyring-2 (1).json')), 'keyring-2 (1).json', 'if it is a second copy'],
    [
      'one under another serial',
      async () => {
        await rename(inKeys('keyring-2.json'), inKeys('keyring-3.json'));
        await rename(inKeys('keyring-2.json.minisig'), inKeys('keyring-3.json.minisig'));
      },
      'keyring-3.json',
      'it has the serial 2',
    ],
    [
      'a link',
      async () => {
        await rm(inKeys('keyring-2.json'));
        await symlink(second.file, inKeys('keyring-2.json'));
      },
      'keyring-2.json',
      'it is a link',
    ],
    ['a folder', () => mkdir(inKeys('keyring-7.json')).then(() => undefined), 'keyring-7.json', 'it is no file'],
    [
      'a keyring that is too large',
      () => truncate(inKeys('keyring-2.json'), 2_000_000),
      'keyring-2.json',
      'it is larger than 1048576 bytes',
    ],
    ...(isRoot
      ? [
          [
            'a keyring of another user',
            () => chown(inKeys('keyring-2.json'), 4321, 4321),
            'keyring-2.json',
            'it belongs to another user',
          ] as [string, () => Promise<void>, string, string],
        ]
      : []),
  ])('%s', async (_what, spoil, name, why) => {
    await spoil();
    const { code, err } = await open();
    expect([code, err.split('\n').filter((line) => line.includes('passed over'))]).toEqual([
      EXIT.ok,
      [expect.stringContaining(`${inKeys(name)} is passed over: `)],
    ]);
    expect(err).toContain(why);
  });

  test('a keyring that follows on another; given by its name it is refused', async () => {
    const other = await season.sign(2, 1, { folder: season.path('unchained') });
    await season.install(other);
    const { code, err } = await open();
    expect([code, err]).toEqual([EXIT.ok, expect.stringMatching(/keyring-2\.json is passed over: .*\(KEYRING_CHAIN\)/)]);
    const given = await open('--keyring', other.file);
    expect([given.code, given.err]).toEqual([EXIT.notAuthentic, expect.stringMatching(/^support-relay: .*\(KEYRING_CHAIN\)\n$/)]);
  });

  test('a keyring by another root key', async () => {
    const other = await Season.start(1);
    const foreign = await other.sign(5, 0, { folder: other.path('foreign') });
    await cp(foreign.file, inKeys('keyring-5.json'));
    await cp(foreign.signatureFile, inKeys('keyring-5.json.minisig'));
    const { code, err } = await open();
    expect([code, err]).toEqual([EXIT.ok, expect.stringMatching(/keyring-5\.json is passed over: .*\(MINISIGN_KEY\)/)]);
    await other.remove();
  });

  test.each([
    ['cut off', async (path: string) => truncate(path, (await readFile(path)).length - 1)],
    ['empty', (path: string) => truncate(path)],
    ['of another folder', (path: string) => writeFile(path, 'age-encryption.org/v1\n')],
  ])('a week file that is %s; the other weeks open', async (_what, spoil) => {
    await spoil(inKeys('week-2026-12-07.age'));
    const { code, err } = await open();
    expect([code, err]).toEqual([EXIT.ok, expect.stringContaining(`${inKeys('week-2026-12-07.age')} is not a key of this folder`)]);
  });

  test('but root.pub is refused: nothing is checked by a key that is another', async () => {
    await rm(inKeys('root.pub'));
    await symlink(season.rootPublicKey, inKeys('root.pub'));
    expect((await open()).err).toContain('root.pub is not the root public key: it is a link');
    await rm(inKeys('root.pub'));
    await cp(first.file, inKeys('root.pub'));
    const { code, err } = await open();
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('(INPUT_FORMAT)')]);
  });
});
