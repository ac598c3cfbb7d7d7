// `admin revoke` and `remove`: who is taken off, and what is signed anew for it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { verifyCard } from '../../crypto/card.ts';
import { ROOT } from '../../runtime/root.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { atTerminal } from '../support/terminal.ts';

/** A Wednesday. */
const NOW = new Date('2026-12-02T10:00:00Z');
const WEEK_FIVE = new Date('2026-12-30T08:30:00Z');
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

/** Signed on a Friday for the weeks from the Monday after it, from which the cards begin. */
async function signedAhead(): Promise<AdminFolder> {
  const folder = newFolder(new Date('2026-12-04T10:00:00Z'));
  const from = new Date('2026-12-07T00:00:00Z');
  await folder.done('init', '--no-passphrase');
  await folder.done('team', 'psych', '--name', 'en=Psychologists', '--topic', 'other:en=Other');
  for (const alias of ['Maple', 'Oak']) {
    await folder.done('add', await folder.card('volunteer', { from, weeks: 2 }), '--team', 'psych', '--alias', alias, '--yes');
  }
  await folder.done('add', await folder.card('worker', { from, weeks: 2 }), '--yes');
  await folder.done('season', '--from', '2026-12-07', '--yes');
  return folder;
}

describe('before the first week of a season begins', () => {
  test('somebody is revoked from its beginning on, though the present week has no keys', async () => {
    const folder = await signedAhead();
    await folder.done('revoke', 'Maple', '--yes');
    expect((await folder.out()).map(({ serial, notBefore, teams }) => [serial, notBefore, teams[0]?.recipients.length])).toEqual([
      [3, '2026-12-07T00:00:00Z', 1],
      [4, '2026-12-14T00:00:00Z', 1],
    ]);
  });

  test('the worker is replaced from its beginning on', async () => {
    const folder = await signedAhead();
    await folder.done('revoke', '--worker', await folder.card('worker', { weeks: 3 }), '--yes');
    expect((await folder.out()).map(({ serial, notBefore }) => [serial, notBefore])).toEqual([
      [3, '2026-12-07T00:00:00Z'],
      [4, '2026-12-14T00:00:00Z'],
    ]);
  });

  test('signing it once more does nothing, with its date or without', async () => {
    const folder = await signedAhead();
    for (const more of [[], ['--from', '2026-12-07']]) {
      expect((await folder.done('season', ...more, '--yes')).err).toContain('There is nothing to sign.');
    }
    expect((await folder.run(['season', '--from', '2026-12-28', '--yes'])).err).toContain('give --from 2026-12-21');
  });
});

describe('admin revoke', () => {
  test('signs the rest of this week and every later one anew, without the volunteer, in one command', async () => {
    const folder = await furnished();
    await folder.done('add', await folder.card('volunteer'), '--team', 'psych', '--alias', 'Oak', '--yes');
    await folder.done('season', '--yes');
    folder.now = WEEK_FIVE;
    const { err, text } = await folder.done('revoke', 'maple', '--yes', '--json');
    const out = await folder.out();
    expect(out.map(({ serial, notBefore }) => [serial, notBefore]).slice(0, 2)).toEqual([
      [14, '2026-12-30T08:30:00Z'],
      [15, '2027-01-04T00:00:00Z'],
    ]);
    expect(out.at(-1)).toMatchObject({ serial: 22, notAfter: '2027-03-01T00:00:00Z' });
    expect(out.map(({ teams }) => [teams[0]?.recipients.length, teams[0]?.signers?.length])).toEqual(out.map(() => [1, 1]));
    expect(JSON.parse(text)).toMatchObject({ voided: [5, 6, 7, 8, 9, 10, 11, 12, 13], before: 5, stays: ['Oak'] });
    expect(err).toContain('goes, from 2026-12-30: Maple (team psych)');
    const again = await folder.done('revoke', 'Maple');
    expect(again.err).toContain('Maple was revoked already.');
    expect(again.err).toContain('There is nothing to sign.');
    expect(await folder.keyrings()).toHaveLength(22);
  });

  test('says what to copy where, and that the old keyring is taken for 24 hours', async () => {
    const folder = await furnished(2);
    await folder.done('add', await folder.card('volunteer', { weeks: 2 }), '--team', 'psych', '--alias', 'Oak', '--yes');
    await folder.done('season', '--yes');
    const { err } = await folder.done('revoke', 'Maple', '--yes');
    expect(err).toContain("relay/       into the relay's folder of keyrings");
    expect(err).toContain('the old one for 24 hours');
  });

  test('leaves out a team in which nobody is left, and says so', async () => {
    const folder = await furnished(2);
    await folder.done('team', 'legal', '--name', 'en=Lawyers', '--topic', 'legal:en=Legal help');
    await folder.done('add', await folder.card('volunteer', { weeks: 2 }), '--team', 'legal', '--alias', 'Oak', '--yes');
    await folder.done('season', '--yes');
    const { err } = await folder.done('revoke', 'Oak', '--yes');
    expect(err).toContain('NOBODY IS LEFT in team legal');
    expect((await folder.out()).map(({ teams }) => teams.length)).toEqual([1, 1]);
    expect((await folder.run(['status'])).text).toContain('nobody in team legal has a key from 2026-11-30 on');
  });

  test('a revoked signer never comes back; the alias does, with another signer', async () => {
    const folder = newFolder();
    const maple = await folder.furnish(2);
    await folder.done('add', await folder.card('volunteer', { weeks: 2 }), '--team', 'psych', '--alias', 'Oak', '--yes');
    await folder.done('season', '--yes');
    await folder.done('revoke', 'Maple', '--yes');
    const back = await folder.run(['add', await folder.card('volunteer', { signer: maple }), '--alias', 'Maple', '--yes']);
    expect([back.code, back.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(SIGNER_REVOKED)')]);
    const fresh = await folder.card('volunteer', { weeks: 2 });
    const unknown = await folder.run(['add', fresh, '--alias', 'Maple', '--team', 'psych', '--yes']);
    expect([unknown.code, unknown.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(CARD_SIGNER)')]);
    await folder.done('add', fresh, '--alias', 'Maple', '--team', 'psych', '--new-signer', '--yes');
    await folder.done('season', '--again', '--yes');
    expect((await folder.out()).map(({ teams }) => teams[0]?.recipients.length)).toEqual([2, 2]);
  });

  test('--worker puts the recipients of the new card in the place of the old ones', async () => {
    const folder = await furnished();
    await folder.done('season', '--yes');
    folder.now = WEEK_FIVE;
    const card = await folder.card('worker', { weeks: 9 });
    const { err } = await folder.done('revoke', '--worker', card, '--yes');
    expect(err).toContain('the worker has other keys from 2026-12-30 on');
    const recipients = verifyCard(await readFile(card, 'utf8')).card.weeks.map(({ recipient }) => recipient);
    expect((await folder.out('worker')).map(({ worker }) => worker)).toEqual(recipients);
    const again = await folder.done('revoke', '--worker', card);
    expect(again.err).toContain('This card of the worker is in place already.');
    const former = (JSON.parse(await readFile(join(folder.dir, 'folder.json'), 'utf8')) as Stored).folder.worker.revoked[0]?.file ?? '';
    const back = await folder.run(['revoke', '--worker', join(folder.dir, 'cards', former), '--yes']);
    expect([back.code, back.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(SIGNER_REVOKED)')]);
  });

  test.each([
    ['nobody of that name', () => Promise.resolve(['Nobody']), 'ALIAS_UNKNOWN'],
    ["a volunteer's card", async (folder: AdminFolder) => ['--worker', await folder.card('volunteer')], 'CARD_HOLDER'],
    [
      "a card with a key of the worker's former card",
      async (folder: AdminFolder) => {
        const [{ worker } = { worker: '' }] = await folder.keyrings();
        return ['--worker', await folder.card('worker', { recipients: [worker] })];
      },
      'CARD_TAKEN',
    ],
    [
      'a card without this week',
      async (folder: AdminFolder) => ['--worker', await folder.card('worker', { from: new Date('2026-12-07T00:00:00Z') })],
      'CARD_GAP',
    ],
  ])('refuses %s', async (_what, argv, code) => {
    const folder = await furnished(1);
    await folder.done('season', '--yes');
    const { err } = await folder.run(['revoke', ...(await argv(folder)), '--yes']);
    expect(err).toContain(`(${code})`);
  });
});

describe('admin remove', () => {
  test('leaves a volunteer out of what is signed next, and names what was signed with them', async () => {
    const folder = await furnished(2);
    await folder.done('add', await folder.card('volunteer', { weeks: 2 }), '--team', 'psych', '--alias', 'Oak', '--yes');
    await folder.done('season', '--weeks', '1', '--yes');
    const { err, text } = await folder.done('remove', 'Oak', '--json');
    expect(JSON.parse(text)).toEqual({ alias: 'Oak', removed: true, outdatedFrom: '2026-11-30' });
    expect(err).toContain('admin season --again');
    expect((await folder.done('remove', 'Oak')).err).toContain('nothing to do');
    await folder.done('season', '--weeks', '2', '--yes');
    expect((await folder.out()).map(({ teams }) => teams[0]?.recipients.length)).toEqual([2, 1]);
    const unknown = await folder.run(['remove', 'Nobody']);
    expect([unknown.code, unknown.err]).toEqual([EXIT.input, expect.stringContaining('there is Maple, Oak (ALIAS_UNKNOWN)')]);
  });

  test('who comes back brings the same card', async () => {
    const folder = await furnished(2);
    const oak = await folder.card('volunteer', { weeks: 2 });
    await folder.done('add', oak, '--team', 'psych', '--alias', 'Oak', '--yes');
    await folder.done('remove', 'Oak');
    await folder.done('add', oak, '--yes');
    await folder.done('season', '--yes');
    expect((await folder.out()).map(({ teams }) => teams[0]?.recipients.length)).toEqual([2, 2]);
  });
});

test('at a real terminal a yes and the passphrase are typed, and the next command says that it is done', async () => {
  const folder = newFolder(new Date());
  const passphrase = 'correct horse ёжик';
  const init = await folder.run(['init'], { logN: 12, terminal: { answers: [passphrase, passphrase] } });
  expect(init.code, init.err).toBe(EXIT.ok);
  await folder.done('team', 'psych', '--name', 'en=Help', '--topic', 'other:en=Other');
  const cards = [await folder.card('worker', { weeks: 2 }), await folder.card('volunteer', { weeks: 2 })];
  const program = `node ${join(ROOT, 'dist', 'support-relay.js')} admin`;
  for (const [at, card] of cards.entries()) {
    const who = at === 0 ? '' : '--team psych --alias Maple';
    const added = await atTerminal(`${program} add ${card} --folder ${folder.dir} ${who}`, [['[y/N]', 'y']]);
    expect(added.code, added.output).toBe(0);
  }
  const signed = await atTerminal(`${program} season --folder ${folder.dir}`, [
    ['Sign this? [y/N]', 'y'],
    ['nothing is shown', passphrase],
  ]);
  expect(signed.code, signed.output).toBe(0);
  expect(signed.output).not.toContain(passphrase);
  expect(await folder.out()).toHaveLength(2);
  expect((await atTerminal(`${program} season --folder ${folder.dir}`, [])).output).toContain('There is nothing to sign.');
});

type Stored = { folder: { worker: { revoked: { file: string }[] } } };
