// Shredding by itself: a listing announces a week's key after its time, a later one shreds it, and then nothing on the disk opens.
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import type { NewKeyring } from '../../cli/keys/keyring.ts';
import { KEEP_WEEKS } from '../../cli/keys/shredding.ts';
import { tendWeekFiles } from '../../cli/keys/week-files.ts';
import { WEEK_MS } from '../../crypto/card.ts';
import type { CliResult } from '../support/cli.ts';
import { Season, SEASON_BEGIN } from '../support/season.ts';
import { contentWith, identitiesIn } from '../support/seized-folder.ts';

const DAY = 86_400_000;
/** Four weeks after the end of the first week. */
const DUE = SEASON_BEGIN + 5 * WEEK_MS;
/** Copied for each case. */
let made: Season;
let season: Season;
let signed: NewKeyring[];
let old: string;

beforeAll(async () => {
  made = await Season.start(13);
  signed = await made.signWeeks(0, 12);
  await made.install(...signed);
  const [first, second] = signed;
  if (first === undefined || second === undefined) throw new Error('signed');
  old = await made.letter(0, first, 'From the first week');
  await made.letter(1, second, 'From the second week');
});
afterAll(() => made.remove());
beforeEach(async () => {
  season = await made.copy();
});
afterEach(() => season.remove());

const at = (timeMs: number) => ({ now: new Date(timeMs) });
const inbox = (timeMs: number, ...more: string[]): Promise<CliResult> => season.run(['inbox', ...more, season.maildir], at(timeMs));
const weekFiles = async (): Promise<string[]> => (await readdir(season.keys)).filter((name) => name.startsWith('week-')).toSorted();
const FIRST = 'week-2026-11-30.age';

/** Whatever in the folder can be made into identities, with the passphrase and with what that opens, tried on a letter. */
async function opensWithWhatIsLeft(letter: string): Promise<boolean> {
  const [passphrase = ''] = (await readFile(season.path('passphrase'), 'utf8')).split('\n');
  return contentWith(await readFile(letter), await identitiesIn(season.keys, passphrase)) !== null;
}

describe('a week whose time is over', () => {
  test('is announced, goes with a listing a day later, and nothing that is left opens its letters', async () => {
    const before = await inbox(DUE - 2 * DAY);
    expect(before.err).toContain('The next key to go is that of the week from 2026-11-30, from 2027-01-04 on.\n');
    const id = /^([0-9a-f]{8}) .*From the first week$/m.exec(before.text)?.[1] ?? 'none';

    const announced = await inbox(DUE + DAY / 3);
    expect(announced.err).toContain(
      'The key of the week from 2026-11-30 goes with the first listing after 2027-01-05 08:00 UTC ' +
        `(this computer's clock says 2027-01-04 08:00 UTC): letters of these conversations open with nothing else: ${id}; ` +
        'to keep it once more: support-relay volunteer keep 2026-11-30\n',
    );
    expect(announced.err).toContain('The next key to go is that of the week from 2026-12-07, from 2027-01-11 on.\n');
    expect((await inbox(DUE + DAY)).text).toContain('From the first week');
    expect(await opensWithWhatIsLeft(old)).toBe(true);

    const gone = await inbox(DUE + 2 * DAY);
    expect([gone.code, gone.text]).toEqual([EXIT.ok, expect.stringContaining('From the first week')]);
    expect(gone.err).toContain('Shredded: the key of the week from 2026-11-30. What was sealed to it does not open any more.\n');
    expect(await weekFiles()).toHaveLength(12);
    expect(await opensWithWhatIsLeft(old)).toBe(false);

    const after = await inbox(DUE + 2 * DAY);
    expect([after.code, after.text]).toEqual([EXIT.notAuthentic, expect.not.stringContaining('From the first week')]);
    expect(after.text).toContain('From the second week');
  });

  test('that cannot be shredded holds up no other, and goes once that is mended', async () => {
    const path = season.path('keys', FIRST);
    await rename(path, season.path('elsewhere'));
    await symlink(season.path('elsewhere'), path);
    await inbox(DUE + WEEK_MS);
    const { code, err } = await inbox(DUE + WEEK_MS + 2 * DAY);
    expect([code, err]).toEqual([EXIT.output, expect.stringContaining(`cannot write ${path}`)]);
    expect((await weekFiles()).slice(0, 2)).toEqual([FIRST, 'week-2026-12-14.age']);
    await rename(season.path('elsewhere'), path);
    expect((await inbox(DUE + WEEK_MS + 2 * DAY)).err).toContain('Shredded: the key of the week from 2026-11-30.');
    expect(await weekFiles()).not.toContain(FIRST);
  });

  test('goes with two listings at once, and both end well', async () => {
    await inbox(DUE);
    const said: string[] = [];
    const io = { err: (text: string) => said.push(text), now: () => new Date(DUE + 2 * DAY) };
    const listing = { folder: season.keys, keyrings: signed, keepWeeks: KEEP_WEEKS, readWith: () => [] };
    // Not as two commands: one that opens the folder later finds the key gone, and says so of its letters.
    await Promise.all([tendWeekFiles(listing, io), tendWeekFiles(listing, io)]);
    expect(said.join('')).toContain('Shredded');
    expect(await weekFiles()).not.toContain(FIRST);
  });

  test('stays until there is a listing: no other command shreds', async () => {
    await inbox(DUE);
    await season.run(['open', season.maildir], at(DUE + 2 * DAY));
    const claimed = await season.run(['claim', '--alias', 'Maple', '--out', season.path('claimed'), old], at(DUE + 2 * DAY));
    expect(claimed.code, claimed.err).toBe(EXIT.ok);
    expect(await weekFiles()).toContain(FIRST);
  });

  test('stays when the letters could not be read', async () => {
    await inbox(DUE);
    for (const path of [season.path('nowhere'), 'imaps://user@127.0.0.1:1/INBOX']) {
      const imap = ['--imap-password-file', season.path('passphrase')];
      const { code, err } = await season.run(['inbox', ...imap, season.maildir, path], at(DUE + 2 * DAY));
      expect([code, err]).not.toEqual([EXIT.ok, expect.stringContaining('Shredded')]);
    }
    expect(await weekFiles()).toContain(FIRST);
  });

  test('stays longer with --keep-weeks, and less long', async () => {
    expect((await inbox(DUE, '--keep-weeks', '6')).err).toContain('that of the week from 2026-11-30, from 2027-01-18 on.');
    expect((await inbox(DUE - 3 * WEEK_MS + DAY, '--keep-weeks', '1')).err).toContain('No key was shredded: this');
    const early = await inbox(DUE - 3 * WEEK_MS + DAY, '--keep-weeks', '1');
    expect(early.err).toContain('The key of the week from 2026-11-30 goes with the first listing after 2026-12-16');
    expect((await inbox(DUE, '--keep-weeks', '0')).code).toBe(EXIT.usage);
  });

  test('says so when nothing listed needs it', async () => {
    await writeFile(season.path('nothing.txt'), 'Hello');
    const { err } = await season.run(['inbox', season.path('nothing.txt')], at(DUE));
    expect(err).toContain('it opens nothing of what is listed here; to keep it once more');
  });
});

describe('a clock that jumps shreds nothing:', () => {
  test('ahead of every keyring', async () => {
    for (const days of [400, 402, 404]) {
      const { err } = await inbox(SEASON_BEGIN + days * DAY);
      expect(err).toContain(`and no keyring in ${season.keys} is for today or later.\n`);
    }
    expect(await weekFiles()).toHaveLength(13);
  });

  test('ahead within the season, and back again', async () => {
    await inbox(DUE + DAY);
    await inbox(SEASON_BEGIN + DAY);
    expect((await inbox(DUE + 3 * DAY)).err).toContain('goes with the first listing after 2027-01-08 00:00 UTC');
    expect(await weekFiles()).toHaveLength(13);
  });

  test('and so does a memory that cannot be read: all is announced anew', async () => {
    await inbox(DUE);
    await writeFile(join(season.keys, 'shredding.json'), '{"version":1,"ann');
    expect((await inbox(DUE + 2 * DAY)).err).toContain('goes with the first listing after 2027-01-07 00:00 UTC');
    expect(await weekFiles()).toHaveLength(13);
  });

  test('and so does a folder without root.pub', async () => {
    await rm(join(season.keys, 'root.pub'));
    for (const days of [0, 2, 4]) await inbox(DUE + days * DAY);
    expect(await weekFiles()).toHaveLength(13);
  });
});

describe('volunteer keep', () => {
  const keep = (week: string, timeMs: number) => season.run(['volunteer', 'keep', week], at(timeMs));

  test('keeps a week once, for four weeks from today', async () => {
    await inbox(DUE + 2 * WEEK_MS);
    const kept = await keep('2026-11-30', DUE + 2 * WEEK_MS);
    expect([kept.code, kept.err]).toEqual([EXIT.ok, 'The key of the week from 2026-11-30 is kept until 2027-02-15.\n']);
    const listed = await inbox(DUE + 2 * WEEK_MS + 2 * DAY);
    expect(listed.err).toContain('Shredded: the key of the week from 2026-12-07.');
    expect(await weekFiles()).toContain(FIRST);
    const again = await keep('2026-11-30', DUE + 3 * WEEK_MS);
    expect([again.code, again.err]).toEqual([EXIT.input, expect.stringContaining('(KEYS_KEPT)')]);
    const last = await inbox(DUE + 6 * WEEK_MS);
    expect(last.err).toMatch(/The key of the week from 2026-11-30 goes with the first listing after [^;\n]*\n/);
    await inbox(DUE + 6 * WEEK_MS + 2 * DAY);
    expect(await weekFiles()).not.toContain(FIRST);
  });

  test('names the weeks that there are', async () => {
    const { code, err } = await keep('2026-12-01', DUE);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('there are 2026-11-30, 2026-12-07, ')]);
    expect(err).toContain('(KEYS_UNKNOWN)');
  });
});

describe('what is said about the volunteer’s own keys', () => {
  const END = SEASON_BEGIN + 13 * WEEK_MS;
  const open = async (timeMs: number): Promise<string> => (await season.run(['open', old], at(timeMs))).err;

  test.each([
    ['four weeks before their end', END - 28 * DAY, 'in 28 days'],
    ['two days before', END - 2 * DAY, 'in 2 days'],
  ])('%s', async (_when, timeMs, when) => {
    const err = await open(timeMs);
    expect(err).toContain(
      `Your keys end with 2027-02-28, ${when}: run support-relay volunteer keys, and send the card to the administrator.\n`,
    );
    expect(err).toContain(`Your keyrings end with 2027-02-28, ${when}: ask the administrator for the next ones.\n`);
  });

  test('not before, and when they are over', async () => {
    expect(await open(END - 28 * DAY - 1)).toBe('');
    const over = await open(END);
    expect(over).toContain('Your keys ended with 2027-02-28: run support-relay volunteer keys');
    expect(over).toContain('Your keyrings ended with 2027-02-28: ask the administrator');
  });

  test('not about the keys when the next season is made already', async () => {
    await season.run(['volunteer', 'keys', '--weeks', '13'], at(END - 20 * DAY));
    const err = await open(END - 14 * DAY);
    expect(err).toContain('Your keyrings end');
    expect(err).not.toContain('Your keys end');
  });
});

test('a key that cannot be shredded is named', async () => {
  await inbox(DUE);
  await rm(join(season.keys, FIRST));
  await mkdir(join(season.keys, FIRST));
  const { code, err } = await inbox(DUE + 2 * DAY);
  expect([code, err]).toEqual([EXIT.output, expect.stringContaining(`cannot write ${join(season.keys, FIRST)}: it is a directory`)]);
});
