// The administrator's folder on a stick that is pulled: after every cut it opens, or is refused with words. Nothing half-written is
// believed.
import { spawn } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { WEEK_MS, weekStart } from '../../crypto/card.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { ROOT } from '../../runtime/root.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { isThorough } from '../support/thorough.ts';

const PROGRAM = join(ROOT, 'dist', 'support-relay.js');
const CUTTER = join(ROOT, 'tests', 'support', 'cut-after.mjs');
const WEEKS = 2;
/**
 * The first writes one by one; those into out/, which follow, are all alike. The sample cuts each file once: while its content is written,
 * when all that came before is there.
 */
const CUTS = isThorough() ? { only: '', oneByOne: 24, later: 9 } : { only: 'content', oneByOne: 6, later: 17 };
/** The program has the clock of this machine. */
const NOW = new Date();
const REFUSALS = /\((?:FOLDER_MISSING|FOLDER_DAMAGED|FOLDER_DIVERGED)\)\n$/;

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
/** A furnished folder, and the same with its season signed. */
let furnished: AdminFolder;
let signed: AdminFolder;
let workerCard: string;
let copies = 0;

beforeAll(async () => {
  dir = await temporaryDirectory();
  furnished = new AdminFolder(dir.path, 'furnished', NOW);
  await furnished.furnish(WEEKS);
  await furnished.done('add', await furnished.card('volunteer', { weeks: WEEKS }), '--team', 'psych', '--alias', 'Oak', '--yes');
  signed = await copyOf(furnished);
  await signed.done('season', '--weeks', String(WEEKS), '--yes');
  workerCard = await signed.card('worker', { weeks: WEEKS });
});
afterAll(() => dir.remove());

async function copyOf(folder: AdminFolder): Promise<AdminFolder> {
  copies += 1;
  const copy = new AdminFolder(dir.path, `copy-${String(copies)}`, NOW);
  await cp(folder.dir, copy.dir, { recursive: true, force: true }).catch(() => undefined);
  return copy;
}

/** Runs the real program until the write of this number; true when it came to its end before that. */
function runUntil(write: number, folder: AdminFolder, argv: readonly string[]): Promise<boolean> {
  const [command = '', ...rest] = argv;
  const child = spawn(process.execPath, ['--import', CUTTER, PROGRAM, 'admin', command, '--folder', folder.dir, ...rest], {
    env: { ...process.env, CUT_AFTER: String(write), CUT_ONLY: CUTS.only },
    stdio: 'ignore',
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(false);
      else if (code === EXIT.ok) resolve(true);
      else reject(new Error(`ended with ${String(code)}`));
    });
  });
}

/** One keyring after the other, from now to the end of the last week, whatever else was signed. */
function insistOnCover(keyrings: readonly Keyring[]): void {
  const last = keyrings.at(-1);
  expect(last?.notAfter).toBe(`${new Date(weekStart(NOW.getTime()) + WEEKS * WEEK_MS).toISOString().slice(0, 19)}Z`);
  expect(keyrings.map(({ notBefore }) => notBefore).slice(1)).toEqual(keyrings.map(({ notAfter }) => notAfter).slice(0, -1));
}

async function namesUnder(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).toSorted();
}

const SIGNING = ['--yes'] as const;
/** Each command, the folder it begins with, and what must be true once it was run again. */
const COMMANDS: readonly [string, () => AdminFolder | null, () => readonly string[], (folder: AdminFolder) => Promise<void>][] = [
  [
    'init',
    () => null,
    () => ['init', '--no-passphrase'],
    async (folder) => expect((await folder.run(['status'])).text).toContain('Root key'),
  ],
  [
    'add',
    () => furnished,
    () => ['add', join(dir.path(), 'new.card'), '--team', 'psych', '--alias', 'Birch', ...SIGNING],
    async (folder) => expect((await folder.run(['status'])).text).toContain('Birch'),
  ],
  [
    'season',
    () => furnished,
    () => ['season', '--weeks', String(WEEKS), ...SIGNING],
    async (folder) => {
      insistOnCover(await folder.keyrings());
      expect(await folder.out()).toEqual(await folder.keyrings());
    },
  ],
  [
    'revoke',
    () => signed,
    () => ['revoke', 'Oak', ...SIGNING],
    async (folder) => {
      const out = await folder.out('volunteers');
      insistOnCover(out);
      expect(out.map(({ teams }) => teams.map(({ recipients }) => recipients.length))).toEqual(out.map(() => [1]));
    },
  ],
  [
    'revoke --worker',
    () => signed,
    () => ['revoke', '--worker', workerCard, ...SIGNING],
    async (folder) => {
      const out = await folder.out('worker');
      insistOnCover(out);
      for (const { worker } of out) expect(await readFile(workerCard, 'utf8')).toContain(worker);
    },
  ],
];

describe.each(COMMANDS)('a cut in `admin %s`', (_name, from, argv, check) => {
  test('at any write: the folder opens or is refused with words, and the same command again does the rest', async () => {
    await writeFile(join(dir.path(), 'new.card'), await readFile(await furnished.card('volunteer', { weeks: WEEKS }), 'utf8'));
    const begin = from();
    for (let write = 1; ; write += write < CUTS.oneByOne ? 1 : CUTS.later) {
      copies += 1;
      const folder = begin === null ? new AdminFolder(dir.path, `copy-${String(copies)}`, NOW) : await copyOf(begin);
      const isDone = await runUntil(write, folder, argv());
      folder.now = new Date();
      const status = await folder.run(['status']);
      if (status.code !== EXIT.ok && status.code !== EXIT.attention) expect(status.err).toMatch(REFUSALS);
      const again = await folder.run(argv());
      expect([again.code, again.err], `cut at write ${String(write)}`).toEqual([EXIT.ok, again.err]);
      await check(folder);
      expect((await namesUnder(folder.dir)).filter((name) => name.endsWith('.part'))).toEqual([]);
      await rm(folder.dir, { recursive: true });
      if (isDone) break;
    }
    expect(copies).toBeGreaterThan(5);
  });
});

describe('a file of the folder that is', () => {
  const STATE = ['folder.json', 'root.pub'];

  test.each<[string, (bytes: Buffer) => Buffer | null]>([
    ['cut in half', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['empty', () => Buffer.alloc(0)],
    ['gone', () => null],
    ['changed in one bit', (bytes) => Buffer.from(bytes.map((byte, at) => (at === Math.floor(bytes.length * 0.7) ? byte ^ 1 : byte)))],
  ])('%s is never believed', async (_what, change) => {
    // Without backup.recipient it is a folder of before: that is something to do.
    const kinds =
      change(Buffer.alloc(1)) === null ? /\.(?:card|minisig)$|keyring-\d+\.json$/ : /\.(?:card|minisig|recipient)$|keyring-\d+\.json$/;
    const files = (await namesUnder(signed.dir)).filter((name) => kinds.test(name) && !name.startsWith('out'));
    for (const file of [...STATE, ...files]) {
      const folder = await copyOf(signed);
      const bytes = change(await readFile(join(folder.dir, file)));
      if (bytes === null) await rm(join(folder.dir, file));
      else await writeFile(join(folder.dir, file), bytes);
      const { code, err } = await folder.run(['status']);
      expect([file, code, err]).toEqual([file, EXIT.input, expect.stringMatching(REFUSALS)]);
      await rm(folder.dir, { recursive: true });
    }
  });
});
