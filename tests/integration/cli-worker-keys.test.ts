// `worker keys`: a season of plain identities that the worker alone may read, and its card.
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Decrypter, Encrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { verifyCard } from '../../crypto/card.ts';
import { loadIdentities } from '../../worker/identities.ts';
import { cli, temporaryDirectory } from '../support/cli.ts';

const NOW = new Date('2026-12-02T10:00:00Z');
const IS_ROOT = process.getuid?.() === 0;
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let folder: string;
let made: Awaited<ReturnType<typeof cli>>;

const workerKeys = (out: string, ...more: string[]) => cli(['worker', 'keys', '--out', out, ...more], { now: NOW });
const cardIn = async (name: string) => verifyCard(await readFile(join(folder, name), 'utf8'));

beforeAll(async () => {
  dir = await temporaryDirectory();
  folder = dir.path('identities');
  made = await workerKeys(folder, '--weeks', '3');
});
afterAll(() => dir.remove());

describe('worker keys', () => {
  test('makes a file for each week, which nobody else can read, and the card', async () => {
    expect([made.code, made.err]).toEqual([EXIT.ok, expect.stringContaining("This makes the worker's keys for 3 weeks, from 2026-11-30")]);
    const weeks = ['week-2026-11-30.txt', 'week-2026-12-07.txt', 'week-2026-12-14.txt'];
    expect((await readdir(folder)).toSorted()).toEqual(['season-2026-11-30.card', ...weeks]);
    const modes = await Promise.all([...weeks.map((name) => join(folder, name)), folder].map((path) => stat(path)));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o600, 0o600, 0o700]);
    const { card } = await cardIn('season-2026-11-30.card');
    expect(card.holder).toBe('worker');
    const recipients = await Promise.all(
      weeks.map(async (name) => parseIdentityFile(await readFile(join(folder, name), 'utf8')).map(identityToRecipient)),
    );
    expect(recipients).toEqual(card.weeks.map(({ recipient }) => [recipient]));
  });

  test('opens with age what was sealed to its card, without a passphrase', async () => {
    const { card } = await cardIn('season-2026-11-30.card');
    const encrypter = new Encrypter();
    encrypter.addRecipient(card.weeks[1]?.recipient ?? '');
    const decrypter = new Decrypter();
    const [, , identity = ''] = (await readFile(join(folder, 'week-2026-12-07.txt'), 'utf8')).split('\n');
    decrypter.addIdentity(identity);
    expect(await decrypter.decrypt(await encrypter.encrypt('to the worker'), 'text')).toBe('to the worker');
  });

  test('shows the words that `show` shows', async () => {
    expect(made.text.trim().split(' ')).toHaveLength(8);
    expect((await cli(['show', join(folder, 'season-2026-11-30.card')])).text).toContain(`words   ${made.text}holder  worker\n`);
  });

  test('is followed by the next season, whose card another key signs, and overwrites nothing', async () => {
    const before = await readFile(join(folder, 'week-2026-12-14.txt'));
    const next = await workerKeys(folder, '--weeks', '7', '--json');
    expect(JSON.parse(next.text)).toMatchObject({ from: '2026-12-21', until: '2027-02-07', words: expect.any(String) as string });
    expect((await cardIn('season-2026-12-21.card')).signer).not.toBe((await cardIn('season-2026-11-30.card')).signer);
    const enough = await workerKeys(folder);
    expect([enough.code, enough.err]).toEqual([EXIT.input, expect.stringContaining('for more give --from 2027-02-08')]);
    expect(enough.err).toContain('(KEYS_ENOUGH)');
    const again = await workerKeys(folder, '--from', '2026-12-14', '--weeks', '1');
    expect([again.code, again.err]).toEqual([EXIT.output, expect.stringContaining('(OUTPUT_EXISTS)')]);
    expect(await readFile(join(folder, 'week-2026-12-14.txt'))).toEqual(before);
  });
});

test('keys that were half made are named, and nothing follows on them', async () => {
  const out = dir.path('half');
  await workerKeys(out, '--weeks', '8');
  const card = join(out, 'season-2026-11-30.card');
  await writeFile(card, '');
  const { code, err } = await workerKeys(out);
  expect([code, err]).toEqual([EXIT.input, expect.stringContaining('delete it and week-2026-11-30.txt, week-2026-12-07.txt')]);
  expect(err).toContain('(KEYS_HALF)');
});

describe('--anew', () => {
  test('makes other keys for the same weeks, and the worker finds the former ones too, with the ends of their weeks', async () => {
    const out = dir.path('anew');
    await workerKeys(out, '--weeks', '2');
    const before = await loadIdentities(out);
    for (const times of [2, 3]) {
      const { code, err } = await workerKeys(out, '--weeks', '2', '--anew');
      expect([code, err]).toEqual([EXIT.ok, expect.stringContaining('3 files of the former keys are called former-')]);
      const { identities, unusable } = await loadIdentities(out);
      expect([identities.length, unusable]).toEqual([2 * times, []]);
      const ends = new Map(identities.map(({ keyId, weekEnd }) => [keyId, weekEnd]));
      for (const { keyId, weekEnd } of before.identities) expect(ends.get(keyId)).toEqual(weekEnd);
    }
    const weeks = ['week-2026-11-30.txt', 'week-2026-12-07.txt'].flatMap((name) => [name, `former-${name}`, `former-former-${name}`]);
    expect((await readdir(out)).filter((name) => name.endsWith('.txt')).toSorted()).toEqual(weeks.toSorted());
  });

  test('in a new folder makes the first', async () => {
    const { code, err } = await workerKeys(dir.path('first'), '--weeks', '1', '--anew');
    expect([code, err]).toEqual([EXIT.ok, expect.not.stringContaining('former')]);
  });
});

test('of one key in files of two weeks the later week counts', async () => {
  const out = dir.path('copied');
  await workerKeys(out, '--weeks', '1');
  await copyFile(join(out, 'week-2026-11-30.txt'), join(out, 'week-2026-12-14.txt'));
  const { identities } = await loadIdentities(out);
  expect(identities.map(({ weekEnd }) => weekEnd)).toEqual([new Date('2026-12-21T00:00:00Z')]);
});

describe('--owner', () => {
  const whose = async (path: string) => {
    const { uid, gid } = await stat(path);
    return `${String(uid)}:${String(gid)}`;
  };

  test.skipIf(!IS_ROOT)('gives files and a new folder to the user, who is named or numbered', async () => {
    for (const [owner, ids] of [
      ['4321:8765', '4321:8765'],
      ['nobody', '65534:65534'],
    ] as const) {
      const out = dir.path(`of ${ids}`);
      const { code, err } = await workerKeys(out, '--weeks', '1', '--owner', owner);
      expect([code, err]).toEqual([EXIT.ok, expect.stringContaining(`the user ${ids.split(':')[0] ?? ''} alone can read them`)]);
      const paths = [out, ...['week-2026-11-30.txt', 'season-2026-11-30.card'].map((name) => join(out, name))];
      expect(await Promise.all(paths.map(whose))).toEqual([ids, ids, ids]);
    }
    const later = await workerKeys(dir.path('of 4321:8765'), '--weeks', '1');
    expect(later.code).toBe(EXIT.ok);
    expect(await whose(dir.path('of 4321:8765', 'week-2026-12-07.txt'))).toBe('4321:8765');
  });

  test.skipIf(!IS_ROOT)('left out by root, and nobody has the folder yet: it says that root alone can read them', async () => {
    expect((await workerKeys(dir.path('of root'), '--weeks', '1')).err).toContain('root alone can read them');
  });

  test.each(['no-such-user', '-u', '../x'])('is refused where there is no such user: %s', async (owner) => {
    const { code, err } = await workerKeys(dir.path('unknown'), `--owner=${owner}`);
    expect([code, err]).toEqual([EXIT.usage, expect.stringContaining(`there is no user "${owner}" here`)]);
    expect(await readdir(dir.path('.'))).not.toContain('unknown');
  });

  test('a folder that cannot be made is named', async () => {
    await writeFile(dir.path('file'), '');
    const { code, err } = await workerKeys(dir.path('file', 'identities'));
    expect([code, err]).toEqual([EXIT.output, expect.stringContaining('(OUTPUT_FAILED)')]);
    await mkdir(dir.path('empty'));
    expect((await workerKeys(dir.path('empty'), '--weeks', '1')).code).toBe(EXIT.ok);
  });
});
