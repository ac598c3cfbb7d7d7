// The desk opens a volunteer's folder of keys: one passphrase for all that `support-relay volunteer keys` made.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKeyring, type NewKeyring } from '../../cli/keys/keyring.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import { verifyCard, weekStart, WEEK_MS, type VerifiedCard } from '../../crypto/card.ts';
import { encodePublicKey, generateKeyPair } from '../../crypto/minisign.ts';
import { weekFileName } from '../../volunteer/keys/season.ts';
import { clockAhead, openBrowser, type BrowserName, type TestBrowser } from '../support/browser.ts';
import { cli, TEAM, TOPIC } from '../support/cli.ts';
import { DeskTab, openDeskOffice, PASSPHRASE, type DeskOffice } from '../support/desk.ts';
import { newThread } from '../support/letters.ts';
import { enginesFor, sampled, thoroughly } from '../support/thorough.ts';

const DAY_MS = 24 * 3_600_000;
const WEEKS = 6;
const NOW_MS = Date.now();
const END_MS = weekStart(NOW_MS) + WEEKS * WEEK_MS;
/** As the desk writes it in English, without the time. */
const day = (timeMs: number): string => new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(timeMs));

let office: DeskOffice;
let card: VerifiedCard;
let keyrings: NewKeyring[];
const copies: string[] = [];
const keys = (): string => office.path('keys');

/** A keyring a week that names the card's recipients and its signer, in the folder, as the administrator sends them. */
async function signWeeks(): Promise<NewKeyring[]> {
  const rootKey = await readRootKey(office.path('root', 'root.key'), () => Promise.reject(new Error('not protected')));
  const signed: NewKeyring[] = [];
  for (const [at, { notBefore, recipient }] of card.card.weeks.slice(0, 2).entries()) {
    const teams = [{ ...TEAM, topics: [TOPIC], recipients: [recipient], signers: [card.signer] }];
    const worker = office.keyring.keyring.worker;
    const previous = signed.at(-1);
    const plan = { serial: 20 + at, from: new Date(notBefore), days: 7, worker, teams, ...(previous === undefined ? {} : { previous }) };
    signed.push(await createKeyring(plan, rootKey, keys()));
  }
  return signed;
}

beforeAll(async () => {
  office = await openDeskOffice();
  const passphraseFile = await office.file('passphrase', `${PASSPHRASE}\n`);
  const made = await cli(
    ['volunteer', 'keys', '--keys', keys(), '--weeks', String(WEEKS), '--passphrase-file', passphraseFile],
    // Low, for speed: the real cost is tested elsewhere.
    { logN: 12, now: new Date(NOW_MS) },
  );
  expect(made.code, made.err).toBe(0);
  const cardFile = (await readdir(keys())).find((name) => name.endsWith('.card')) ?? '';
  card = verifyCard(await readFile(join(keys(), cardFile), 'utf8'));
  keyrings = await signWeeks();
  await cp(office.path('root', 'root.pub'), join(keys(), 'root.pub'));
});
afterAll(async () => {
  await Promise.all(copies.map((copy) => rm(copy, { recursive: true, force: true })));
  await office.remove();
});

/** A folder of its own with the same keys, for a test that spoils it. */
async function copyOfKeys(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'keys-'));
  copies.push(copy);
  await cp(keys(), copy, { recursive: true });
  return copy;
}
const filesOf = async (folder: string): Promise<string[]> => (await readdir(folder)).map((name) => join(folder, name));

describe.each(enginesFor('chromium'))("a volunteer's folder at the desk in %s", (name: BrowserName) => {
  let browser: TestBrowser;
  let tab: DeskTab;
  beforeAll(async () => {
    browser = await openBrowser(name);
  });
  afterAll(() => browser?.close());
  const open = async (before = ''): Promise<void> => {
    tab = await DeskTab.openDesk(browser, office, { before });
  };
  beforeEach(async () => {
    await open();
    return async () => {
      expect(tab.problems).toEqual([]);
      await tab.page.close({ runBeforeUnload: false });
    };
  });

  it('opens with one passphrase: weeks, signer and keyrings, and then letters of each week open and are answered', async () => {
    const [thisWeek, nextWeek] = keyrings;
    const thread = newThread();
    await tab.read(
      await office.file('now.age', office.letter('На этой неделе', { thread }, thisWeek)),
      await office.file('next.age', office.letter('На следующей', { thread: newThread() }, nextWeek)),
    );
    // Only Chromium can be automated to choose a folder.
    const said =
      name === 'chromium'
        ? await tab.openFolder('#key-folder', [keys()], PASSPHRASE)
        : await tab.openFolder('#key-files', await filesOf(keys()), PASSPHRASE);
    for (const words of [
      `Keys of weeks: ${String(WEEKS)}.`,
      `Your keys last until ${day(END_MS)}`,
      'Keyrings verified and added: 2.',
      'The signer is open.',
    ])
      expect(said).toContain(words);
    expect(await tab.value('#keys-passphrase')).toBe('');
    expect(await tab.text('#until')).toContain(day(Date.parse(nextWeek?.keyring.notAfter ?? '')));
    const shown = await tab.text('#conversations');
    for (const message of ['На этой неделе', 'На следующей']) expect(shown).toContain(message);
    await tab.paste('#alias', 'Ива');
    await tab.page.click(`#conversation-${thread.address.key.slice(0, 8)} button[data-part="answer"]`);
    await tab.until('#compose');
    await tab.paste('#text', 'Мы рядом');
    const kinds = (await tab.sealed()).map((parcel) => office.opened(parcel).kind);
    expect(kinds.toSorted()).toEqual(['letter', 'reply']);
  });

  it('does not open with another passphrase, without one, or without its storage key', async () => {
    const files = await filesOf(keys());
    expect(await tab.openFolder('#key-files', files, 'wrong')).toContain('The passphrase does not open it');
    expect(await tab.openFolder('#key-files', files, '')).toContain('enter its passphrase');
    const rest = files.filter((file) => !file.endsWith('storage.age'));
    expect(await tab.openFolder('#key-files', rest, PASSPHRASE)).toContain('There is no storage.age among the files');
  });

  thoroughly('names a file that does not open, and opens the rest', async () => {
    const folder = await copyOfKeys();
    const broken = weekFileName(weekStart(NOW_MS) + 2 * WEEK_MS);
    await writeFile(join(folder, broken), (await readFile(join(folder, broken))).subarray(0, -20));
    await writeFile(join(folder, 'signer.age'), 'x');
    const said = await tab.openFolder('#key-files', await filesOf(folder), PASSPHRASE);
    expect(said).toContain(`Keys of weeks: ${String(WEEKS - 1)}.`);
    for (const each of [broken, 'signer.age']) expect(said).toContain(`${each}: this file does not open.`);
    expect(said).toContain('The signer (signer.age) is not open: you can read letters, but not answer.');
    // What follows the week that is missing does not count.
    expect(said).toContain(`Your keys last until ${day(weekStart(NOW_MS) + 2 * WEEK_MS)}`);
  });

  it('says so when its root key is another than that of the desk, and takes none of its keyrings', async () => {
    const folder = await copyOfKeys();
    const other = generateKeyPair();
    await writeFile(join(folder, 'root.pub'), encodePublicKey(other));
    const { worker, teams } = keyrings[0]?.keyring ?? office.keyring.keyring;
    await createKeyring({ serial: 30, from: new Date(NOW_MS - DAY_MS), days: 7, worker, teams }, other, folder);
    const said = await tab.openFolder('#key-files', await filesOf(folder), PASSPHRASE);
    expect(said).toContain('The root.pub in this folder is another than the one in this desk.');
    expect(said).toContain('Keyrings verified and added: 2.');
    expect(await tab.text('#refusals')).toContain('keyring-30.json: the keyring is not signed by your administrator');
  });

  it('uses no keyring that does not name the one before it, or is the second of a serial, and says which, in any order', async () => {
    const folder = await copyOfKeys();
    const rootKey = await readRootKey(office.path('root', 'root.key'), () => Promise.reject(new Error('not protected')));
    const [first, second] = keyrings as [NewKeyring, NewKeyring];
    const { worker, teams } = first.keyring;
    await rm(join(folder, 'keyring-20.json'));
    await rm(join(folder, 'keyring-20.json.minisig'));
    const { file, signatureFile } = await createKeyring(
      { serial: 22, from: new Date(second.keyring.notAfter), days: 7, worker, teams },
      rootKey,
      join(folder, 'unchained'),
    );
    await cp(file, join(folder, 'keyring-22.json'));
    await cp(signatureFile, join(folder, 'keyring-22.json.minisig'));
    const said = await tab.openFolder(
      '#key-files',
      (await filesOf(folder)).filter((each) => !each.endsWith('unchained')),
      PASSPHRASE,
    );
    expect(said).toContain('Keyrings verified and added: 1.');
    expect(await tab.text('#refusals')).toContain(
      'keyring-22.json: this keyring is signed, but a field of it is wrong or it does not fit to the others. It is not used.',
    );
    expect(await tab.text('#until')).toContain(day(Date.parse(second.keyring.notAfter)));
    // Another of serial 20, to which 21 does not fit.
    const other = await createKeyring(
      { serial: 20, from: new Date(first.keyring.notBefore), days: 7, worker, teams, answerTime: { en: 'another' } },
      rootKey,
      join(folder, 'unchained'),
    );
    await tab.read(other.file, other.signatureFile);
    const refused = await tab.text('#refusals');
    expect(refused).toContain('keyring-21.json');
    expect(refused).toContain('KEYRING_CHAIN');
    await tab.read(first.file, first.signatureFile);
    expect((await tab.text('#refusals')).match(/KEYRING_TWICE/g)).toHaveLength(1);
  });

  const DAYS_LEFT: readonly [number, string][] = [
    [28.5, 'Your keys last until'],
    [27.5, 'It is time to make those of the next weeks: support-relay volunteer keys.'],
    [13.5, 'It is time to make those of the next weeks: support-relay volunteer keys.'],
    [6.5, 'Please make those of the next weeks today: support-relay volunteer keys.'],
    [1.5, 'Please make those of the next weeks today: support-relay volunteer keys.'],
    [-0.5, 'There is no key of this week in the folder'],
  ];
  // A page that never warns is found by the second.
  it.each(sampled(DAYS_LEFT, ([left]) => left === 28.5 || left === 6.5))(
    'says, %f days before the end of its last week, what is to be done',
    async (left, words) => {
      await tab.page.close({ runBeforeUnload: false });
      await open(clockAhead((END_MS - NOW_MS) / DAY_MS - left));
      const said = await tab.openFolder('#key-files', await filesOf(keys()), PASSPHRASE);
      expect(said).toContain(words);
      expect(said.includes('support-relay volunteer keys')).toBe(left < 28);
    },
  );
});
