// What brings a folder back: `admin take` after another stick has signed, and the recovery sheet after both are lost.
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commit, openFolder } from '../../cli/administering/folder.ts';
import { planAgain } from '../../cli/administering/plan.ts';
import { signWeeks } from '../../cli/administering/signing.ts';
import { EXIT } from '../../cli/errors.ts';
import { processIo } from '../../cli/terminal/process-io.ts';
import { toHex } from '../../crypto/bytes.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { cli, temporaryDirectory, writeTo } from '../support/cli.ts';

const NOW = new Date('2026-12-02T10:00:00Z');
const PASSPHRASE = 'correct horse ёжик';
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
/** With cards for four weeks, of which two are signed. */
let first: AdminFolder;
let copies = 0;

beforeAll(async () => {
  dir = await temporaryDirectory();
  first = new AdminFolder(dir.path, 'first', NOW);
  await first.furnish(4);
  await first.done('team', '--answer-time', 'en=two days');
  await first.done('season', '--weeks', '2', '--yes');
});
afterAll(() => dir.remove());

async function copyOf(folder: AdminFolder): Promise<AdminFolder> {
  copies += 1;
  const copy = new AdminFolder(dir.path, `copy-${String(copies)}`, NOW);
  await cp(folder.dir, copy.dir, { recursive: true });
  return copy;
}

const keyringOf = (folder: AdminFolder, serial: number): string => join(folder.dir, 'keyrings', `keyring-${String(serial)}.json`);

describe('admin take', () => {
  test('takes in what another stick has signed, in any order; twice there is nothing to do', async () => {
    const [one, two] = [await copyOf(first), await copyOf(first)];
    await one.done('season', '--weeks', '4', '--yes');
    const argv = ['take', keyringOf(one, 4), keyringOf(one, 3), keyringOf(one, 1)];
    expect(JSON.parse((await two.done(...argv, '--json')).text)).toEqual({ serials: [3, 4], teams: [] });
    expect((await two.done(...argv)).err).toContain('nothing to do');
    expect(await two.keyrings()).toEqual(await one.keyrings());
    expect((await two.done('season')).err).toContain('There is nothing to sign.');
  });

  test('refuses a serial that was signed twice, a gap, and another root', async () => {
    const [one, two] = [await copyOf(first), await copyOf(first)];
    await one.done('season', '--weeks', '4', '--yes');
    await two.done('team', 'psych', '--name', 'en=Others');
    await two.done('season', '--weeks', '3', '--yes');
    const twice = await two.run(['take', keyringOf(one, 3)]);
    expect([twice.code, twice.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_TWICE)')]);
    const gap = await (await copyOf(first)).run(['take', keyringOf(one, 4)]);
    expect([gap.code, gap.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_CHAIN)')]);
    const stranger = new AdminFolder(dir.path, 'stranger', NOW);
    await stranger.furnish(1);
    await stranger.done('season', '--yes');
    const foreign = await two.run(['take', keyringOf(stranger, 1)]);
    expect([foreign.code, foreign.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(MINISIGN_KEY)')]);
  });

  test('after two sticks have signed one serial, all is signed anew above both', async () => {
    const one = await copyOf(first);
    await one.done('season', '--again', '--above', '7', '--yes');
    expect((await one.out()).map(({ serial, notBefore }) => [serial, notBefore])).toEqual([
      [8, '2026-12-02T10:00:00Z'],
      [9, '2026-12-07T00:00:00Z'],
    ]);
    expect((await one.keyrings()).map(({ serial }) => serial)).toEqual([1, 2, 8, 9]);
  });

  test('a keyring of another stick that lies in the folder is noticed', async () => {
    const [one, two] = [await copyOf(first), await copyOf(first)];
    await one.done('season', '--again', '--above', '2', '--yes');
    await two.done('season', '--weeks', '4', '--yes');
    for (const end of ['', '.minisig']) await cp(`${keyringOf(one, 4)}${end}`, `${keyringOf(two, 4)}${end}`);
    const changed = await two.run(['status']);
    expect([changed.code, changed.err]).toEqual([EXIT.input, expect.stringContaining('(FOLDER_DAMAGED)')]);
    const three = await copyOf(first);
    for (const end of ['', '.minisig']) await cp(`${keyringOf(one, 4)}${end}`, `${keyringOf(three, 4)}${end}`);
    const beside = await three.run(['status']);
    expect([beside.code, beside.err]).toEqual([EXIT.input, expect.stringContaining('(FOLDER_DIVERGED)')]);
  });
});

describe('the recovery sheet', () => {
  let lost: AdminFolder;
  let passphraseFile: string;
  let sheet: string;

  beforeAll(async () => {
    lost = new AdminFolder(dir.path, 'lost', NOW);
    passphraseFile = await writeTo(dir.path('passphrase'), `${PASSPHRASE}\n`);
    const { code, err } = await lost.run(['init', '--passphrase-file', passphraseFile], { logN: 12 });
    expect(code, err).toBe(EXIT.ok);
    sheet = await readFile(join(lost.dir, 'sheet.txt'), 'utf8');
  });

  test('shows the public key and the fingerprint that show root.pub shows', async () => {
    const publicFile = join(lost.dir, 'root.pub');
    const root = parsePublicKey(await readFile(publicFile, 'utf8'));
    expect(sheet).toContain(fingerprint(toHex(root.key)));
    expect((await cli(['show', publicFile])).text).toContain(fingerprint(toHex(root.key)));
    expect(sheet.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test.each([
    ['as it was printed', (text: string) => text],
    [
      'its lines alone, typed carelessly',
      (text: string) => (text.match(/^ {2}\d\d .*$/gm) ?? []).join('\r\n').toUpperCase().replaceAll('  ', '\t'),
    ],
  ])('brings the root key back, %s', async (what, type) => {
    const folder = new AdminFolder(dir.path, `restored ${what}`, NOW);
    const typed = await writeTo(dir.path('typed.txt'), type(sheet));
    const { code, err } = await folder.run(['init', '--sheet', typed, '--passphrase-file', passphraseFile]);
    expect(code, err).toBe(EXIT.ok);
    expect(await readFile(join(folder.dir, 'root.pub'), 'utf8')).toBe(await readFile(join(lost.dir, 'root.pub'), 'utf8'));
    const line = (text: string): string => text.split('\n')[1] ?? '';
    expect(line(await readFile(join(folder.dir, 'root.key'), 'utf8'))).toBe(line(await readFile(join(lost.dir, 'root.key'), 'utf8')));
  });

  test.each([
    [
      'a line that was mistyped',
      (lines: string[]) => lines.map((line, at) => (at === 3 ? swapped(line) : line)),
      'line 04 is not as it was printed',
    ],
    ['a line that is missing', (lines: string[]) => lines.toSpliced(6, 1), 'line 07 is missing before line 08'],
    ['the end missing', (lines: string[]) => lines.slice(0, 8), 'lines are missing after line 08'],
    [
      'two lines in the wrong order',
      (lines: string[]) => lines.toSpliced(1, 2, lines[2] ?? '', lines[1] ?? ''),
      'line 02 is missing before line 03',
    ],
    ['nothing', () => ['Hello'], 'there is no line such as'],
  ])('names %s', async (what, change, message) => {
    const lines = change(sheet.match(/^ {2}\d\d .*$/gm) ?? []);
    const folder = new AdminFolder(dir.path, `not restored ${what}`, NOW);
    const { code, err } = await folder.run(['init', '--sheet', await writeTo(dir.path('typed.txt'), lines.join('\n'))]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining(message)]);
    expect(err).toContain('(SHEET_FORMAT)');
    await expect(readFile(join(folder.dir, 'root.key'))).rejects.toThrow('ENOENT');
  });

  test('a folder made from it gets the teams from the keyrings, with their ids, and signs on', async () => {
    const folder = new AdminFolder(dir.path, 'anew', NOW);
    const typed = await writeTo(dir.path('typed.txt'), await readFile(join(first.dir, 'sheet.txt'), 'utf8'));
    await folder.done('init', '--sheet', typed);
    expect((await folder.done('take', keyringOf(first, 1), keyringOf(first, 2))).err).toContain('team-1');
    await folder.done('add', await folder.card('volunteer', { weeks: 4 }), '--team', 'team-1', '--alias', 'Maple', '--yes');
    await folder.done('add', await folder.card('worker', { weeks: 4 }), '--yes');
    const { err } = await folder.done('season', '--again', '--yes');
    expect(err).toContain('goes, from 2026-12-02: SOMEBODY WHO IS NOT IN THIS FOLDER (team team-1)');
    const [before] = await first.keyrings();
    const [after] = await folder.out();
    expect(after).toMatchObject({ serial: 3, answerTime: { en: 'two days' } });
    expect(after?.teams[0]).toMatchObject({ id: before?.teams[0]?.id, names: before?.teams[0]?.names, topics: before?.teams[0]?.topics });
  });
});

/** With two neighbours exchanged, as people type. */
function swapped(line: string): string {
  const number = '  04';
  return number + line.slice(number.length).replace(/([0-9a-f])((?!\1)[0-9a-f])/, '$2$1');
}

test('a folder without folder.json is none, and says what to do', async () => {
  const folder = new AdminFolder(dir.path, 'begun', NOW);
  await folder.done('init', '--no-passphrase');
  await rm(join(folder.dir, 'folder.json'));
  expect((await folder.run(['status'])).err).toContain('run support-relay admin init there again (FOLDER_MISSING)');
  await folder.done('init');
  const full = await copyOf(first);
  await rm(join(full.dir, 'folder.json'));
  for (const command of ['status', 'init']) expect((await full.run([command])).err).toContain('(FOLDER_DAMAGED)');
  const empty = new AdminFolder(dir.path, 'empty', NOW);
  expect((await empty.run(['status'])).err).toContain('give it with --folder DIR');
});

test('of two commands at once the later changes nothing', async () => {
  const folder = await copyOf(first);
  const opened = await openFolder(folder.dir, processIo());
  await folder.done('team', 'legal', '--name', 'en=Lawyers', '--topic', 'legal:en=Legal help');
  await expect(commit(opened, { teams: [] })).rejects.toMatchObject({ code: 'FOLDER_CHANGED' });
  expect((await folder.done('team')).text).toContain('Lawyers');
});

test('a command that waited while another signed writes over nothing', async () => {
  const folder = new AdminFolder(dir.path, 'waiting', NOW);
  await folder.furnish(2);
  await folder.done('add', await folder.card('volunteer', { weeks: 2 }), '--team', 'psych', '--alias', 'Oak', '--yes');
  await folder.done('season', '--yes');
  const waiting = await openFolder(folder.dir, processIo());
  const dues = planAgain(waiting, NOW.getTime(), true);
  folder.now = new Date(NOW.getTime() + 60_000);
  await folder.done('revoke', 'Maple', '--yes');
  const late = signWeeks(waiting, dues, NOW.getTime(), { yes: true, out: dir.path('out-of-the-waiting') }, processIo());
  await expect(late).rejects.toMatchObject({ code: 'FOLDER_CHANGED' });
  expect((await folder.run(['status'])).err).toBe('');
  expect((await folder.keyrings()).map(({ serial, teams }) => [serial, teams[0]?.recipients.length])).toEqual([
    [1, 2],
    [2, 2],
    [3, 1],
    [4, 1],
  ]);
});
