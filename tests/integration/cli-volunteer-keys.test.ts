// `volunteer keys`: a season in one sitting, and everything that one passphrase then opens.
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { createKeyring } from '../../cli/keys/keyring.ts';
import { createRootKey, readRootKey } from '../../cli/keys/root-key.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { verifyCard, type VerifiedCard } from '../../crypto/card.ts';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { sealLetter } from '../../crypto/letter.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { signAddress, threadOf } from '../../crypto/thread.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { cli, TEAM, temporaryDirectory, TOPIC, writeTo } from '../support/cli.ts';

const PASSPHRASE = 'correct horse ёжик';
const NOW = new Date('2026-12-02T10:00:00Z');
/** A cheap work factor: it is not the point here. */
const SOON = { logN: 12, now: NOW };
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let passphraseFile: string;
let keys: string;
let made: Awaited<ReturnType<typeof cli>>;

const volunteerKeys = (folder: string, ...more: string[]) =>
  cli(['volunteer', 'keys', '--keys', folder, '--passphrase-file', passphraseFile, ...more], SOON);
const cardIn = async (name: string): Promise<VerifiedCard> => verifyCard(await readFile(join(keys, name), 'utf8'));

beforeAll(async () => {
  dir = await temporaryDirectory();
  passphraseFile = await writeTo(dir.path('passphrase'), `${PASSPHRASE}\n`);
  keys = dir.path('keys');
  made = await volunteerKeys(keys, '--weeks', '3');
});
afterAll(() => dir.remove());

describe('the first season', () => {
  test('has a file for each week from the present one on, the storage key, the signer and the card', async () => {
    expect(made).toMatchObject({ code: EXIT.ok });
    expect(made.err).toContain('Today is 2026-12-02. This makes keys for 3 weeks, from 2026-11-30 to 2026-12-20.');
    expect((await readdir(keys)).toSorted()).toEqual([
      'season-2026-11-30.card',
      'signer.age',
      'signer.pub',
      'storage.age',
      'week-2026-11-30.age',
      'week-2026-12-07.age',
      'week-2026-12-14.age',
    ]);
    const modes = await Promise.all(['.', 'storage.age', 'signer.age', 'week-2026-12-07.age'].map((name) => stat(join(keys, name))));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o600, 0o600, 0o600]);
    expect(made.text.trim().split(' ')).toHaveLength(8);
    const { card } = await cardIn('season-2026-11-30.card');
    expect(parsePublicKey(card.key)).toEqual(parsePublicKey(await readFile(join(keys, 'signer.pub'), 'utf8')));
  });

  test('opens with age: the storage key by the passphrase, a week by the storage key', async () => {
    const storage = new Decrypter();
    storage.addPassphrase(PASSPHRASE);
    const [, identity = ''] = (await storage.decrypt(await readFile(join(keys, 'storage.age')), 'text')).split('\n');
    const week = new Decrypter();
    week.addIdentity(identity);
    const [, , weekIdentity = ''] = (await week.decrypt(await readFile(join(keys, 'week-2026-12-14.age')), 'text')).split('\n');
    const { card } = await cardIn('season-2026-11-30.card');
    expect(identityToRecipient(weekIdentity)).toBe(card.weeks[2]?.recipient);
  });

  test('is followed by the next, by the same signer, with the same passphrase', async () => {
    const next = await volunteerKeys(keys, '--weeks', '2', '--json');
    expect(next.code).toBe(EXIT.ok);
    expect(JSON.parse(next.text)).toMatchObject({ from: '2026-12-21', until: '2027-01-03' });
    const [first, second] = [await cardIn('season-2026-11-30.card'), await cardIn('season-2026-12-21.card')];
    expect(second.signer).toBe(first.signer);
    expect(second.card.weeks[0]?.notBefore).toBe(first.card.weeks.at(-1)?.notAfter);
  });

  test('shows the words in the language that is asked for', async () => {
    const { text } = await volunteerKeys(dir.path('ru'), '--weeks', '1', '--language', 'ru');
    expect(text).toMatch(/^([а-я]+ ){7}[а-я]+\n$/);
  });
});

describe('show', () => {
  test('checks a card and shows its words, in each language, its signer and its weeks', async () => {
    const card = join(keys, 'season-2026-11-30.card');
    const { card: held, signer } = await cardIn('season-2026-11-30.card');
    const { code, text } = await cli(['show', card]);
    expect(code).toBe(EXIT.ok);
    expect(text).toContain(`words   ${made.text}holder  volunteer\nsigner  ${signer}\n`);
    for (const { recipient } of held.weeks) expect(text).toContain(`${recipient}\n`);
    const russian = await cli(['show', '--language', 'ru', '--json', card]);
    expect(JSON.parse(russian.text)).toMatchObject({ words: expect.stringMatching(/^([а-я]+ ?){8}$/) as string, signer });
  });

  test('shows the public half of a signer', async () => {
    const { signer } = await cardIn('season-2026-11-30.card');
    const { text } = await cli(['show', '--json', join(keys, 'signer.pub')]);
    expect(JSON.parse(text)).toEqual({ key: signer, fingerprint: fingerprint(signer) });
  });

  test.each([
    ['a changed card', (text: string) => text.replace('"volunteer"', '"worker"'), EXIT.notAuthentic, 'MINISIGN_SIGNATURE'],
    ['a text', () => 'Hello', EXIT.input, 'CARD_FORMAT'],
  ])('refuses %s', async (_what, change, exitCode, code) => {
    const file = await writeTo(dir.path('changed.card'), change(await readFile(join(keys, 'season-2026-11-30.card'), 'utf8')));
    const { code: exit, err } = await cli(['show', file]);
    expect([exit, err]).toEqual([exitCode, expect.stringContaining(`(${code})`)]);
  });
});

describe('is refused, and nothing is written:', () => {
  const before = async (folder: string): Promise<string[]> => (await readdir(folder)).toSorted();

  test.each<[string, string[], string]>([
    ['a date that is not a Monday', ['--from', '2026-12-09'], '2026-12-09 is not a Monday: give 2026-12-07 or 2026-12-14'],
    ['a week that is over', ['--from', '2026-11-23'], 'the week from 2026-11-23 is over'],
    ['a date that is none', ['--from', '2026-02-30'], '--from must be a date'],
    ['a language without a list', ['--from', '2027-03-01', '--language', 'eo'], '--language must be one of ru, en, not "eo"'],
    ['no weeks', ['--weeks', '0'], 'a whole number from 1 to 53'],
    ['a week that has its file', ['--from', '2026-12-07', '--weeks', '1'], '(OUTPUT_EXISTS)'],
    ['a wrong passphrase', ['--from', '2027-03-01', '--passphrase-file', 'WRONG'], '(PASSPHRASE_WRONG)'],
  ])('%s', async (_what, more, message) => {
    const wrong = await writeTo(dir.path('wrong'), 'another passphrase\n');
    const files = await before(keys);
    const { code, err } = await volunteerKeys(keys, ...more.map((word) => (word === 'WRONG' ? wrong : word)));
    expect(code).not.toBe(EXIT.ok);
    expect(err).toContain(message);
    expect(await before(keys)).toEqual(files);
  });

  test('a second season right after the first', async () => {
    const folder = dir.path('twice');
    await volunteerKeys(folder);
    const { code, err } = await volunteerKeys(folder);
    expect([code, err]).toEqual([
      EXIT.input,
      expect.stringContaining('there are keys until 2027-02-28 already; for more give --from 2027-03-01'),
    ]);
  });
});

describe('--keys', () => {
  let week: string;
  let letter: string;
  let common: string[];

  beforeAll(async () => {
    const { card, signer } = await cardIn('season-2026-11-30.card');
    const [recipient = ''] = card.weeks.map((each) => each.recipient);
    const { keyFile, publicKeyFile } = await createRootKey({ directory: dir.path('root') });
    const rootKey = await readRootKey(keyFile, () => Promise.reject(new Error('it has no passphrase')));
    const teams = [{ ...TEAM, topics: [TOPIC], recipients: [recipient], signers: [signer] }];
    const worker = identityToRecipient(generateIdentity());
    const plan = { serial: 1, from: new Date('2026-11-30T00:00:00Z'), days: 7, worker, teams };
    const keyring = await createKeyring(plan, rootKey, dir.path('keyring'));
    const request = {
      kind: 'request',
      serial: 1,
      keyring: keyring.digest,
      topic: TOPIC.id,
      language: 'ru',
      message: 'Здравствуйте',
    } as const;
    const thread = signAddress(request, threadOf(codeRoot('ru', makeCode())));
    await writeFile(dir.path('letter.age'), sealLetter({ version: 1, ...request, thread }, [recipient]));
    letter = dir.path('letter.age');
    week = join(keys, 'week-2026-11-30.age');
    common = ['--keys', keys, '--passphrase-file', passphraseFile, '--keyring', keyring.file, '--root-key', publicKeyFile];
  });

  test('opens a letter of a week, and answers with the signer in the folder', async () => {
    const opened = await cli(['open', ...common, letter], SOON);
    expect(opened).toMatchObject({ code: EXIT.ok, text: expect.stringContaining('Здравствуйте') as string });
    const text = await writeTo(dir.path('answer'), 'Мы рядом');
    const out = dir.path('out');
    const answered = await cli(['reply', ...common, '--alias', 'Maple', '--file', text, '--out', out, letter], SOON);
    expect([answered.code, answered.err]).toEqual([EXIT.ok, expect.any(String)]);
    expect((await readdir(out)).length).toBeGreaterThan(0);
  });

  test('asks once for the passphrase', async () => {
    const withoutFile = common.filter((word) => word !== '--passphrase-file' && word !== passphraseFile);
    const { code, asked } = await cli(['open', ...withoutFile, letter], { ...SOON, terminal: { answers: [PASSPHRASE] } });
    expect([code, asked.length]).toEqual([EXIT.ok, 1]);
  });

  test('a week that was shredded opens nothing any more', async () => {
    await rm(week);
    const { code, err } = await cli(['open', ...common, letter], SOON);
    expect(code).toBe(EXIT.notAuthentic);
    expect(err).toContain('AGE_NO_MATCH');
  });
});
