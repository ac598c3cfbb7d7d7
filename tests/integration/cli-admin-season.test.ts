// `admin season`, `status`, `remove` and `revoke`: what is signed, what is said of it, and what lies in out/.
import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { encodeSecretKey, generateKeyPair } from '../../crypto/minisign.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { temporaryDirectory, writeTo } from '../support/cli.ts';

const runFile = promisify(execFile);
/** A Wednesday. */
const NOW = new Date('2026-12-02T10:00:00Z');
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let folders = 0;

beforeAll(async () => {
  dir = await temporaryDirectory();
});
afterAll(() => dir.remove());

function newFolder(now = NOW): AdminFolder {
  folders += 1;
  return new AdminFolder(dir.path, `folder-${String(folders)}`, now);
}

async function furnished(weeks = 13): Promise<AdminFolder> {
  const folder = newFolder();
  await folder.furnish(weeks);
  return folder;
}

describe('admin season', () => {
  test('signs a keyring for each week in one sitting, which minisign verifies, and fills out/', async () => {
    const folder = await furnished();
    const { err, text } = await folder.done('season', '--yes', '--json');
    const keyrings = await folder.keyrings();
    expect(keyrings.map(({ serial }) => serial)).toEqual(Array.from({ length: 13 }, (_, at) => at + 1));
    expect(keyrings.slice(0, 2).map(({ notBefore, notAfter }) => [notBefore, notAfter])).toEqual([
      ['2026-12-02T10:00:00Z', '2026-12-07T00:00:00Z'],
      ['2026-12-07T00:00:00Z', '2026-12-14T00:00:00Z'],
    ]);
    expect(keyrings.at(-1)?.notAfter).toBe('2027-03-01T00:00:00Z');
    for (const place of ['relay', 'worker', 'volunteers']) expect(await folder.out(place)).toEqual(keyrings);
    await runFile('minisign', ['-V', '-p', join(folder.dir, 'root.pub'), '-m', join(folder.dir, 'out', 'relay', 'keyring-13.json')]);
    expect(JSON.parse(text)).toMatchObject({ today: '2026-12-02', before: null, voided: [], coveredUntil: '2027-03-01T00:00:00Z' });
    expect(err).toContain('Today is 2026-12-02. This signs 13 keyrings, one a week, from 2026-12-02T10:00:00Z to 2027-03-01T00:00:00Z:');
    const [first] = keyrings[0]?.teams ?? [];
    const [signer, recipient] = [first?.signers?.[0] ?? '', first?.recipients[0] ?? ''];
    expect(err).toContain(
      `comes, from 2026-12-02: Maple (team psych): signer ${fingerprint(signer)}, recipient ${fingerprint(recipient)}\n`,
    );
  });

  test('names each keyring after the one before it, and neither alias nor team stands in one', async () => {
    const folder = await furnished(3);
    await folder.done('season', '--yes');
    const names = await readdir(join(folder.dir, 'keyrings'));
    for (const name of names) expect(await readFile(join(folder.dir, 'keyrings', name), 'utf8')).not.toMatch(/Maple|psych"/);
    expect((await folder.keyrings()).map(({ previous }) => previous === null)).toEqual([true, false, false]);
  });

  test('has nothing to do a second time, asks nothing, and fills out/ again', async () => {
    const folder = await furnished();
    await folder.done('season', '--yes');
    await rm(join(folder.dir, 'out', 'relay', 'keyring-4.json'));
    const before = await readFile(join(folder.dir, 'folder.json'));
    const { err } = await folder.done('season');
    expect(err).toContain('There is nothing to sign. The door is covered now, and until 2027-03-01T00:00:00Z.');
    expect(await folder.out()).toHaveLength(13);
    expect(await readFile(join(folder.dir, 'folder.json'))).toEqual(before);
  });

  test('goes on where the last season ends, and takes from out/ what is over', async () => {
    const folder = await furnished(3);
    await folder.done('season', '--yes');
    folder.now = new Date('2026-12-18T10:00:00Z');
    const status = await folder.run(['status', '--json']);
    expect(status.code).toBe(EXIT.attention);
    expect((JSON.parse(status.text) as { tasks: { who: string; days: number }[] }).tasks.map(({ who, days }) => [who, days])).toEqual([
      ['Maple', 7],
      ['the worker', 7],
      ['psych', 7],
      ['you', 7],
    ]);
    const later = { from: new Date('2026-12-21T00:00:00Z') };
    await folder.done('add', await folder.card('worker', later), '--yes');
    await folder.done('add', await folder.card('volunteer', later), '--alias', 'Maple', '--team', 'psych', '--new-signer', '--yes');
    const { err } = await folder.done('season', '--yes');
    expect(err).toContain('This signs 13 keyrings, one a week, from 2026-12-21T00:00:00Z to 2027-03-22T00:00:00Z:');
    expect(err).toContain('Against keyring 3, which they follow or replace:');
    expect((await folder.out()).map(({ serial }) => serial)).toEqual(Array.from({ length: 14 }, (_, at) => at + 3));
  });

  test('is late by ten days: signs from now on, and nothing that is over', async () => {
    const folder = await furnished(2);
    await folder.done('season', '--yes');
    folder.now = new Date('2026-12-24T10:00:00Z');
    expect((await folder.run(['status'])).text).toContain('No keyring counts now: the door is closed.');
    await folder.done('add', await folder.card('worker'), '--yes');
    await folder.done('add', await folder.card('volunteer'), '--alias', 'Birch', '--team', 'psych', '--yes');
    await folder.done('season', '--weeks', '2', '--yes');
    expect((await folder.out()).map(({ notBefore }) => notBefore)).toEqual(['2026-12-24T10:00:00Z', '2026-12-28T00:00:00Z']);
  });

  test('asks once for the passphrase, after it has said what it will do; a wrong one changes nothing', async () => {
    const folder = newFolder();
    const passphrase = await writeTo(dir.path('passphrase'), 'correct horse ёжик\n');
    const quick = { logN: 12 };
    const init = await folder.run(['init', '--passphrase-file', passphrase], quick);
    expect(init.code, init.err).toBe(EXIT.ok);
    await folder.done('team', 'psych', '--name', 'en=Help', '--topic', 'other:en=Other');
    await folder.done('add', await folder.card('volunteer'), '--team', 'psych', '--alias', 'Maple', '--yes');
    await folder.done('add', await folder.card('worker'), '--yes');
    const before = await readFile(join(folder.dir, 'folder.json'));
    const wrong = await folder.run(['season'], { terminal: { answers: ['y', 'another horse'] } });
    expect([wrong.code, wrong.err]).toEqual([EXIT.passphrase, expect.stringContaining('(PASSPHRASE_WRONG)')]);
    const no = await folder.run(['season'], { terminal: { answers: ['n'] } });
    expect([no.code, no.err]).toEqual([EXIT.interrupted, expect.stringContaining('(NOT_CONFIRMED)')]);
    const unasked = await folder.run(['season']);
    expect([unasked.code, unasked.err]).toEqual([EXIT.usage, expect.stringContaining('(CONFIRMATION_UNASKABLE)')]);
    expect(await readFile(join(folder.dir, 'folder.json'))).toEqual(before);
    const { code, asked, err } = await folder.run(['season'], { terminal: { answers: ['да', 'correct horse ёжик'] } });
    expect([code, asked.length, err.indexOf('This signs 13 keyrings') < err.indexOf('lies what has to be copied')]).toEqual([
      EXIT.ok,
      2,
      true,
    ]);
    const scripted = await folder.run(['revoke', 'Maple', '--yes', '--passphrase-file', passphrase]);
    expect([scripted.code, scripted.err]).toEqual([EXIT.input, expect.stringContaining('(TEAM_EMPTY)')]);
  });

  test.each<[string, (folder: AdminFolder) => Promise<readonly string[]>, string]>([
    ['a week that is over', () => Promise.resolve(['--from', '2026-11-23']), 'the week from 2026-11-23 is over'],
    ['weeks left out', () => Promise.resolve(['--from', '2027-02-01', '--weeks', '2']), '(WEEK_GAP)'],
    ['a week without a key of the worker', () => Promise.resolve(['--weeks', '14']), 'the worker has no key for the week from 2027-03-01'],
    [
      'a team that nobody is in',
      async (folder) => {
        await folder.done('team', 'legal', '--name', 'en=Lawyers', '--topic', 'legal:en=Legal help');
        return ['--weeks', '1'];
      },
      'nobody in team legal has a key for the week from 2026-11-30',
    ],
    [
      'a root key of another folder',
      async (folder) => {
        await writeFile(join(folder.dir, 'root.key'), await encodeSecretKey(generateKeyPair()));
        return ['--weeks', '1'];
      },
      'root.key: it is not the secret half of root.pub',
    ],
  ])('refuses %s, and signs nothing', async (what, prepare, message) => {
    const folder = await furnished();
    if (what === 'weeks left out') await folder.done('season', '--weeks', '2', '--yes');
    const before = (await folder.keyrings()).length;
    const { code, err } = await folder.run(['season', '--yes', ...(await prepare(folder))]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining(message)]);
    expect(await folder.keyrings()).toHaveLength(before);
  });

  test('refuses to sign on a computer whose clock is behind what was signed', async () => {
    const folder = await furnished();
    await folder.done('season', '--weeks', '1', '--yes');
    folder.now = new Date(NOW.getTime() - 60_000);
    const { code, err } = await folder.run(['season', '--weeks', '2', '--yes']);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('and a keyring was signed at 2026-12-02T10:00:00Z')]);
    expect(err).toContain('(CLOCK_BEHIND)');
  });

  test('says why it ends before thirteen weeks', async () => {
    const folder = await furnished();
    await folder.done('team', 'legal', '--name', 'en=Lawyers', '--topic', 'legal:en=Legal help');
    await folder.done('add', await folder.card('volunteer', { weeks: 3 }), '--team', 'legal', '--alias', 'Oak', '--yes');
    const { err } = await folder.done('season', '--yes');
    expect(err).toContain('until 2026-12-21T00:00:00Z. For the week from 2026-12-21 on nobody in team legal has a key.');
  });

  test('signs the past when asked', async () => {
    const folder = newFolder(new Date('2026-11-20T10:00:00Z'));
    await folder.furnish();
    folder.now = NOW;
    await folder.done('season', '--from', '2026-11-23', '--weeks', '2', '--past', '--yes');
    expect((await folder.keyrings()).map(({ notBefore }) => notBefore)).toEqual(['2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z']);
  });

  test('says whose card ends within the season, and leaves them out from there on', async () => {
    const folder = await furnished();
    await folder.done('add', await folder.card('volunteer', { weeks: 2 }), '--team', 'psych', '--alias', 'Oak', '--yes');
    const { err } = await folder.done('season', '--yes');
    expect(err).toContain('goes, from 2026-12-14: Oak (team psych)');
    expect((await folder.keyrings()).map(({ teams }) => teams[0]?.recipients.length)).toEqual([2, 2, ...Array<number>(11).fill(1)]);
  });

  test('--again signs anew what was signed before somebody came, and only that', async () => {
    const folder = await furnished(3);
    await folder.done('season', '--yes');
    const late = { from: new Date('2026-12-07T00:00:00Z'), weeks: 2 };
    const added = await folder.done('add', await folder.card('volunteer', late), '--team', 'psych', '--alias', 'Oak', '--yes');
    expect(added.err).toContain('The week from 2026-12-07 was signed before this');
    expect((await folder.run(['status'])).text).toContain('admin season --again');
    const { err } = await folder.done('season', '--again', '--yes');
    expect(err).toContain('These keyrings become void: 2, 3.');
    expect((await folder.out()).map(({ serial, teams }) => [serial, teams[0]?.recipients.length])).toEqual([
      [1, 1],
      [4, 2],
      [5, 2],
    ]);
    expect((await folder.done('season', '--again')).err).toContain('There is nothing to sign.');
  });

  test('refuses to sign on the older of two sticks, when out/ shows a keyring that it does not know', async () => {
    const folder = await furnished(4);
    await folder.done('season', '--weeks', '2', '--yes');
    const older = await readFile(join(folder.dir, 'folder.json'));
    await folder.done('season', '--weeks', '3', '--yes', '--out', dir.path('carry'));
    await writeFile(join(folder.dir, 'folder.json'), older);
    for (const name of ['keyring-3.json', 'keyring-3.json.minisig']) await rm(join(folder.dir, 'keyrings', name));
    const { code, err } = await folder.run(['season', '--weeks', '4', '--yes', '--out', dir.path('carry')]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('(FOLDER_DIVERGED)')]);
    await folder.done('take', dir.path('carry', 'relay', 'keyring-3.json'));
    await folder.done('season', '--weeks', '4', '--yes', '--out', dir.path('carry'));
    expect((await folder.keyrings()).map(({ serial }) => serial)).toEqual([1, 2, 3, 4]);
  });
});
