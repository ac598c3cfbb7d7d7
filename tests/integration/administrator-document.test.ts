// docs/administrator.md, followed literally: every command that stands there in a block of its own is run as it stands, in its order.
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { encodeManifest } from '../../crypto/manifest.ts';
import { encodePublicKey, generateKeyPair, sign } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { cli, temporaryDirectory, writeTo, type CliResult } from '../support/cli.ts';
import { commandsOf, wordsOf } from '../support/documents.ts';

const PASSPHRASE = 'correct horse ёжик';
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  dir = await temporaryDirectory();
  await mkdir(dir.path('carry', 'cards'), { recursive: true });
  await ready;
});
afterAll(() => dir.remove());

/** The commands of a document, with its sticks in a folder of ours. */
const commands = async (document = 'docs/administrator.md'): Promise<string[]> =>
  (await commandsOf(document)).map((line) => line.replaceAll('/media/', `${dir.path()}/`));

type Sitting = { now: string; before?: (folder: AdminFolder) => Promise<void>; answers: readonly string[]; code?: number };

const sheet = (): string => dir.path('carry', 'sheet.txt');

/** The relay of this folder, and a backup of it on the carrying stick. */
async function newBackup(folder: AdminFolder): Promise<void> {
  await mkdir(dir.path('relay'));
  await cp(join(folder.dir, 'out/relay'), dir.path('relay/keyrings'), { recursive: true });
  await writeTo(dir.path('relay/version'), '1\n');
  const { code, err } = await cli(['operator', 'backup', '--state', dir.path('relay'), '--out', dir.path('carry/relay.age')]);
  expect(code, err).toBe(EXIT.ok);
}

/** When each command is typed, what is on the sticks by then, and what the administrator answers. */
function sittings(): Sitting[] {
  const maple = generateKeyPair();
  const card = async (folder: AdminFolder, holder: 'volunteer' | 'worker', place: string, signer = generateKeyPair()): Promise<void> => {
    await cp(await folder.card(holder, { signer }), dir.path('carry', place));
  };
  const [monday, friday, later] = ['2026-11-30T09:00:00Z', '2026-12-11T09:00:00Z', '2026-12-15T09:00:00Z'];
  const oak = async (folder: AdminFolder): Promise<void> => {
    await folder.done('add', await folder.card('volunteer'), '--team', 'psych', '--alias', 'Oak', '--yes');
    await card(folder, 'worker', 'cards/worker.card');
  };
  const twin = async (folder: AdminFolder): Promise<void> => {
    const [last] = (await folder.keyrings()).slice(-1);
    for (const end of ['', '.minisig']) {
      const name = `keyring-${String(last?.serial)}.json${end}`;
      await cp(join(folder.dir, 'keyrings', name), dir.path('carry', name));
    }
  };
  const newRelease = async (): Promise<void> => {
    const key = generateKeyPair();
    const json = encodeManifest(new Map(['', '-form'].map((end) => [`support-relay-1.2.0${end}.tar`, new Uint8Array()])));
    await writeTo(dir.path('carry', 'release.pub'), encodePublicKey(key));
    await writeTo(dir.path('carry', 'manifest.json.minisig'), sign(json, key, 'manifest.json'));
    await writeTo(dir.path('carry', 'manifest.json'), json);
  };
  return [
    { now: monday, answers: [PASSPHRASE, PASSPHRASE] },
    { now: monday, answers: [] },
    { now: monday, answers: [] },
    { now: monday, answers: [] },
    { now: monday, answers: [], code: EXIT.attention },
    { now: monday, before: (folder) => card(folder, 'volunteer', 'season-2026-11-30.card', maple), answers: ['y'] },
    { now: monday, before: oak, answers: ['y'] },
    { now: monday, answers: ['y', PASSPHRASE] },
    { now: monday, answers: [] },
    { now: monday, answers: [] },
    { now: friday, answers: ['y', PASSPHRASE] },
    { now: friday, before: (folder) => card(folder, 'volunteer', 'season-2026-12-07.card'), answers: ['y'] },
    { now: friday, before: (folder) => card(folder, 'worker', 'season-2026-12-07.card'), answers: ['y', 'y', PASSPHRASE] },
    { now: friday, before: newBackup, answers: [PASSPHRASE, 'y', PASSPHRASE, PASSPHRASE] },
    { now: later, answers: [] },
    { now: later, answers: ['y', PASSPHRASE] },
    { now: later, before: newRelease, answers: [] },
    { now: later, before: twin, answers: [] },
    { now: later, answers: ['y', PASSPHRASE] },
    { now: later, answers: [] },
  ];
}

test('from the ceremony to the loss of a stick', async () => {
  const lines = await commands();
  const folder = new AdminFolder(dir.path, 'admin/folder', new Date());
  const steps = sittings();
  expect(lines).toHaveLength(steps.length);
  const errors: string[] = [];
  for (const [at, line] of lines.entries()) {
    const { now, before, answers, code = EXIT.ok } = steps[at] ?? { now: '', answers: [] };
    folder.now = new Date(now);
    await before?.(folder);
    if (line.startsWith('cp ')) {
      await mkdir(dir.path('second'), { recursive: true });
      execFileSync('bash', ['-c', line]);
      continue;
    }
    const result: CliResult = await cli(wordsOf(line, dir.path()), { now: folder.now, logN: 12, terminal: { answers } });
    expect([line, result.code, result.asked.length], result.err).toEqual([line, code, answers.length]);
    errors.push(result.err);
  }
  expect(errors.at(-1)).toContain('There is a folder already: nothing to do.');
  const out = await folder.out('volunteers');
  expect(out.map(({ serial }) => serial)).toEqual(Array.from({ length: out.length }, (_, at) => 61 + at));
  expect(out.at(-1)?.notAfter).toBe('2027-03-01T00:00:00Z');
  expect(out.every(({ release }) => release?.version === '1.2.0')).toBe(true);
  // The second stick is that of the first season.
  const second = new AdminFolder(dir.path, 'second/folder', new Date('2026-12-15T09:00:00Z'));
  expect((await second.run(['status'])).text).toContain('Oak (team psych) has keys until 2027-02-28');
});

test('the sheet of the folder brings the root key back, with the command as it stands', async () => {
  const [last = ''] = (await commands()).slice(-1);
  await cp(dir.path('admin', 'folder', 'sheet.txt'), sheet());
  const words = wordsOf(last.replace('sheet.txt', sheet()).replace('admin/folder', 'restored/folder'), dir.path());
  const { code, err } = await cli(words, { now: new Date(), terminal: { answers: [PASSPHRASE] } });
  expect([code, err]).toEqual([EXIT.ok, expect.stringContaining('Its fingerprint, to read to each other')]);
});

test('the sheet for the ceremony has the same commands, in both languages', async () => {
  const [page, sheets] = [await commands(), await commands('docs/ceremony.md')];
  expect(sheets).toHaveLength(12);
  expect(sheets.slice(6)).toEqual(sheets.slice(0, 6));
  for (const line of sheets) expect(page).toContain(line);
});

test('names every error of these commands', async () => {
  const text = await readFile('docs/administrator.md', 'utf8');
  const sources = await readFile('cli/errors.ts', 'utf8');
  const kinds = /^(?:FOLDER|CARD|TEAM|WEEK|SHEET)_/;
  const others = /^(?:BACKUP_(?:FORMAT|KEY)|WORKER_MISSING|CLOCK_BEHIND|SIGNER_REVOKED|ALIAS_UNKNOWN|NOT_CONFIRMED)$/;
  const all = [...sources.matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, code = '']) => code);
  const codes = all.filter((code) => kinds.test(code) || others.test(code));
  expect(codes.length).toBeGreaterThan(15);
  for (const code of codes) expect(text).toContain(`\`${code}\``);
});
