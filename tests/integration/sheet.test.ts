// The one-page sheets, followed literally: a season of a small team, each person in a folder of their own, in each language.
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { ready } from '../../crypto/sodium.ts';
import { ROOT } from '../../runtime/root.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { cli, temporaryDirectory, type CliResult } from '../support/cli.ts';
import { sampled } from '../support/thorough.ts';

const PASSPHRASE = 'correct horse ёжик';
const FIRST = new Date('2026-11-30T09:00:00Z');
/** Three weeks before the first season ends. */
const NEXT = new Date('2027-02-08T09:00:00Z');
const SECOND_UNTIL = '2027-05-31T00:00:00Z';

type Place = 'volunteer' | 'operator' | 'media';
type Step = { at: Place; answers?: readonly string[]; code?: number; before?: () => Promise<void> };

async function commandsOf(sheet: string): Promise<string[]> {
  const text = await readFile(join(ROOT, 'docs', sheet), 'utf8');
  return [...text.matchAll(/^```\n([^]*?)^```$/gm)].map(([, block = '']) => block.trim());
}

test('both sheets have the same commands', async () => {
  const [en, ru] = [await commandsOf('sheet-en.md'), await commandsOf('sheet-ru.md')];
  expect(ru.map((line) => line.replace(' --language ru', ''))).toEqual(en);
});

// Both have the same commands.
describe.each(sampled(['sheet-en.md', 'sheet-ru.md'], (sheet) => sheet === 'sheet-ru.md'))('docs/%s', (sheet) => {
  let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
  let folder: AdminFolder;
  beforeAll(async () => {
    await ready;
    dir = await temporaryDirectory();
    for (const place of ['volunteer', 'operator/worker/identities', 'media/carry/cards', 'media/second/folder']) {
      await mkdir(dir.path(place), { recursive: true });
    }
    folder = new AdminFolder(dir.path, 'media/admin/folder', FIRST);
    await firstSeason();
  });
  afterAll(() => dir.remove());

  /** Runs a command in somebody's folder, at a terminal. The sticks are in a folder of ours. */
  async function typed(line: string, at: Place, now: Date, answers: readonly string[] = []): Promise<CliResult> {
    const script = `cd "$0" && printf '%s\\0' ${line.replaceAll('/media/', `${dir.path('media')}/`)}`;
    const words = execFileSync('bash', ['-c', script, dir.path(at)])
      .toString()
      .split('\0')
      .slice(1, -1);
    const before = process.cwd();
    process.chdir(dir.path(at));
    try {
      return await cli(words, { now, logN: 12, terminal: { answers } });
    } finally {
      process.chdir(before);
    }
  }
  const card = async (from: string): Promise<string> => {
    const [last = ''] = (await readdir(dir.path(from))).filter((name) => name.endsWith('.card')).slice(-1);
    return dir.path(from, last);
  };

  /** Maple and Oak in one team; Oak has made keys for two seasons. */
  async function firstSeason(): Promise<void> {
    const run = async (line: string, at: Place, ...answers: string[]): Promise<void> => {
      const { code, err } = await typed(line, at, FIRST, answers);
      expect([line, code], err).toEqual([line, EXIT.ok]);
    };
    await run('support-relay volunteer keys', 'volunteer', PASSPHRASE, PASSPHRASE);
    await run('support-relay worker keys --out worker/identities', 'operator');
    await run('support-relay admin init --folder /media/admin/folder', 'media', PASSPHRASE, PASSPHRASE);
    await folder.done('team', 'psych', '--name', 'en=Psychologists', '--topic', 'psychological:en=Psychological help');
    await folder.done('add', await card('volunteer/keys'), '--team', 'psych', '--alias', 'Maple', '--yes');
    await folder.done('add', await folder.card('volunteer', { weeks: 26 }), '--team', 'psych', '--alias', 'Oak', '--yes');
    await folder.done('add', await card('operator/worker/identities'), '--worker', '--yes');
    await run('support-relay admin season --folder /media/admin/folder', 'media', 'y', PASSPHRASE);
    await cp(dir.path('media/admin/folder/out/volunteers'), dir.path('volunteer/from-admin'), { recursive: true });
    await run('support-relay volunteer keyring --root-key from-admin/root.pub from-admin', 'volunteer');
  }

  async function carryCards(): Promise<void> {
    await cp(await card('volunteer/keys'), dir.path('media/carry/cards/volunteer.card'));
    await cp(await card('operator/worker/identities'), dir.path('media/carry/cards/worker.card'));
  }
  async function carryOut(): Promise<void> {
    const out = dir.path('media/admin/folder/out');
    await cp(join(out, 'relay'), dir.path('operator/keyrings'), { recursive: true });
    await cp(join(out, 'relay/root.pub'), dir.path('operator/root.pub'));
    await rm(dir.path('volunteer/from-admin'), { recursive: true });
    await cp(join(out, 'volunteers'), dir.path('volunteer/from-admin'), { recursive: true });
  }

  test('is followed literally', async () => {
    const steps: Step[] = [
      { at: 'volunteer', answers: [PASSPHRASE] },
      { at: 'operator' },
      { at: 'media', code: EXIT.attention },
      { at: 'media', answers: ['y', 'y'], before: carryCards },
      { at: 'media', answers: ['y', PASSPHRASE] },
      { at: 'media' },
      { at: 'operator', before: carryOut },
      { at: 'volunteer' },
      { at: 'media', answers: ['y', PASSPHRASE] },
    ];
    const lines = await commandsOf(sheet);
    expect(lines).toHaveLength(steps.length);
    const said: string[] = [];
    folder.now = NEXT;
    for (const [index, line] of lines.entries()) {
      const { at, answers = [], code = EXIT.ok, before } = steps[index] ?? { at: 'media' };
      await before?.();
      if (line.startsWith('cp ')) {
        execFileSync('bash', ['-c', line.replaceAll('/media/', `${dir.path('media')}/`)]);
        continue;
      }
      const result = await typed(line, at, NEXT, answers);
      expect([line, result.code, result.asked.length], result.err).toEqual([line, code, answers.length]);
      said.push(result.err);
    }
    expect(said.join('')).toContain('Keyrings in the offline form: ');
    expect((await folder.out('volunteers')).at(-1)?.notAfter).toBe(SECOND_UNTIL);
    const signers = (await folder.out('relay')).map(({ teams }) => teams.flatMap((team) => team.signers).length);
    // Since Maple was taken off.
    expect(new Set(signers)).toEqual(new Set([1]));
  });
});
