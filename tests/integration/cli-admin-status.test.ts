// `admin status`: what is to be asked of whom, and when.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { encodePublicKey, generateKeyPair } from '../../crypto/minisign.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { temporaryDirectory } from '../support/cli.ts';

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

describe('admin status', () => {
  test.each([
    ['2027-01-30T00:00:00Z', null],
    ['2027-02-01T00:00:00Z', 28],
    ['2027-02-15T00:00:00Z', 14],
    ['2027-02-22T00:00:00Z', 7],
    ['2027-02-27T00:00:00Z', 2],
    ['2027-03-10T00:00:00Z', 2],
  ])('on %s it asks for cards and for signing at the step of %s days', async (now, days) => {
    const folder = await seasonOnce();
    folder.now = new Date(now);
    const { code, text } = await folder.run(['status', '--json']);
    const { tasks, coveredUntil } = JSON.parse(text) as { tasks: { who: string; what: string; days: number }[]; coveredUntil: string };
    expect(code).toBe(days === null ? EXIT.ok : EXIT.attention);
    const asked = tasks.filter(({ what }) => what !== 'team').map((task) => [task.who, task.what, task.days]);
    const all = ['Maple card', 'the worker card', 'you season'].map((task) => [...(/^(.+) (\w+)$/.exec(task) ?? []).slice(1), days]);
    expect(asked).toEqual(days === null ? [] : all);
    expect(coveredUntil).toBe(now < '2027-03' ? '2027-03-01T00:00:00Z' : null);
  });

  test('of an empty folder asks for the worker', async () => {
    const folder = newFolder();
    await folder.done('init', '--no-passphrase');
    const { code, text } = await folder.run(['status']);
    expect(code).toBe(EXIT.attention);
    expect(text).toContain('The worker has no card\n');
    expect(text).toContain('ask the operator for a card');
  });
});

let season: Promise<AdminFolder> | undefined;

function seasonOnce(): Promise<AdminFolder> {
  season ??= furnished().then(async (folder) => {
    await folder.done('season', '--yes');
    return folder;
  });
  return season;
}

test('root.pub of another key is never believed', async () => {
  const folder = await furnished(1);
  await writeFile(join(folder.dir, 'root.pub'), encodePublicKey(generateKeyPair()));
  const { code, err } = await folder.run(['status']);
  expect([code, err]).toEqual([EXIT.input, expect.stringContaining('root.pub: it is not the public key of this folder')]);
});
