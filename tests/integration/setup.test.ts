// The first run of setup and those after it: what it makes and keeps, what it takes, and what it says is left to do.
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { createRootKey } from '../../cli/keys/root-key.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { fingerprintOf } from '../../deploy/setup/administrator-files.ts';
import { layoutOf, type Layout } from '../../deploy/state/layout.ts';
import { writeTo } from '../support/cli.ts';
import { everythingIn, jsonIn, leftToDo, useSetupStand } from '../support/setup-stand.ts';

const stand = useSetupStand();
const { setup, done, putForm, path } = stand;
let layout: Layout;
let given: string;
beforeEach(() => {
  ({ layout, given } = stand);
});

/**
 * Names of files that others than the parts' user own, meanwhile, where parts look for files all the time: they would say of each that
 * something is wrong with it.
 */
async function foreignMeanwhile(owner: number, work: () => Promise<unknown>): Promise<string[]> {
  const seen = new Set<string>();
  const watch = setInterval(() => {
    for (const folder of [layout.keyrings, layout.web, layout.mail]) {
      for (const name of readdirSync(folder, { recursive: true }).map(String)) {
        const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
        if (stats?.isFile() === true && stats.uid !== owner && !name.endsWith('.tmp')) seen.add(name);
      }
    }
  }, 1);
  await work().finally(() => clearInterval(watch));
  return [...seen];
}

const isRoot = process.getuid?.() === 0;
/** Whose the files are with Docker. */
const user = isRoot ? 1000 : (process.getuid?.() ?? 0);

describe('the first run', () => {
  test('makes everything but the keys of others, and says what is left, in order', async () => {
    const result = await done();
    expect(leftToDo(result).map((step) => step.slice(0, 24))).toEqual([
      'Start all parts, unless ',
      "Take the administrator's",
      "Give the worker's card t",
      "Take the administrator's",
      'Say where the letters of',
      'Have the form built: thi',
      'See what is still missin',
      'Once the door is open, a',
    ]);
    expect(await readdir(layout.keyrings)).toEqual([]);
    expect(await jsonIn(layout.inboxes)).toEqual([]);
    expect(await jsonIn(layout.administrator)).toBeNull();
    expect(await readFile(layout.version, 'utf8')).toBe('1\n');
    expect((await readdir(layout.identities)).filter((name) => name.endsWith('.txt'))).toHaveLength(13);
    const address = (await readFile(layout.onionAddress, 'utf8')).trim();
    expect(address).toMatch(/^[a-z2-7]{56}\.onion$/);
    expect(result.text).toContain(`http://${address}/`);
    expect(result.text).toMatch(/█▀|▀█|▄/);
  });

  test('nothing is readable by others', async () => {
    await done();
    for (const name of await readdir(layout.dir, { recursive: true })) {
      if (/^web|\.(?:pub|card)$/.test(name)) continue;
      expect((await lstat(join(layout.dir, name))).mode & 0o077, name).toBe(0);
    }
  });

  test('gives all of it to the user of the containers, if root runs it', async () => {
    await done(['--for', 'docker']);
    for (const name of ['', ...(await readdir(layout.dir, { recursive: true }))]) {
      expect((await lstat(join(layout.dir, name))).uid, name).toBe(user);
    }
  });
});

test('run again it keeps every byte', async () => {
  await done();
  await putForm();
  const before = await everythingIn(layout.dir);
  expect((await done()).text).toContain('Nothing was changed.');
  expect(await everythingIn(layout.dir)).toEqual(before);
});

describe("the administrator's files", () => {
  test('root.pub is taken, its fingerprint shown, and the form built; keyrings are taken with their signatures', async () => {
    const first = await done(['--root-pub', join(given, 'root.pub')]);
    const root = parsePublicKey(await readFile(join(given, 'root.pub'), 'utf8'));
    expect(first.text).toContain(fingerprintOf(root));
    expect(await readdir(layout.web)).toContain('manifest.json');
    expect(await readdir(layout.web)).not.toContain('form.html');
    expect(leftToDo(first)).toContain("Take the administrator's keyrings.");

    expect(first.text).not.toContain('operator backup');

    // What breaks off after the keyrings were taken leaves a form without them: the next run builds it.
    expect((await setup(['--keyrings', given, '--inbox', 'Lawyers=maildir'])).err).toContain('(TEAM_UNKNOWN)');
    const second = await done(['--keyrings', given]);
    expect((await readdir(layout.keyrings)).filter((name) => name.endsWith('.minisig'))).toHaveLength(13);
    expect(await readFile(join(layout.keyrings, 'backup.recipient'), 'utf8')).toBe(await readFile(join(given, 'backup.recipient'), 'utf8'));
    expect(await readdir(layout.web)).toContain('form.html');
    const { until } = (await jsonIn(join(layout.web, 'form.json'))) as { until: string };
    const day = until.slice(0, 10);
    expect(leftToDo(second)).toContain(`Before ${day}: build the form again, for the next weeks of the offline form.`);
    expect(second.text).toContain('docker compose run --rm -T tools operator backup --state /state > relay-');
    expect(leftToDo(second)).toContain('Say where letters go for: "Psychologists".');
  });

  test('each file belongs to who reads it from the first moment', async () => {
    await done(['--for', 'docker']);
    const argv = ['--root-pub', join(given, 'root.pub'), '--keyrings', given, '--inbox', 'Psychologists=maildir'];
    let text = '';
    expect(await foreignMeanwhile(user, async () => ({ text } = await done(['--for', 'docker', ...argv])))).toEqual([]);
    expect(text).toContain('took keyrings 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13\n');
  });

  test('another root.pub is refused, and nothing changes', async () => {
    await done();
    await putForm();
    await cp(join(given, 'root.pub'), layout.rootKey);
    await done(['--root-pub', join(given, 'root.pub'), '--no-questions']);
    const before = await everythingIn(layout.dir);
    const other = await createRootKey({ directory: path('other') });
    const result = await setup(['--root-pub', other.publicKeyFile]);
    expect([result.code, result.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(ROOT_KEY_DIFFERS)')]);
    expect(await everythingIn(layout.dir)).toEqual(before);
  });

  test('keyrings of another root key are refused, and so are keyrings without a root key', async () => {
    expect((await setup(['--keyrings', given])).err).toContain('give --root-pub too (INPUT_MISSING)');
    const other = await createRootKey({ directory: path('other') });
    await putForm();
    const result = await setup(['--root-pub', other.publicKeyFile, '--keyrings', given]);
    expect(result.err).toContain('(MINISIGN_KEY)');
    expect(await readdir(layout.keyrings)).toEqual(['root.pub']);
  });

  test('a trial does not take the place of what an administrator decides', async () => {
    await mkdir(layout.keyrings, { recursive: true });
    await cp(join(given, 'root.pub'), layout.rootKey);
    expect((await setup(['--trial'])).err).toContain('(ROOT_KEY_DIFFERS)');
    expect((await setup(['--trial', '--keyrings', given])).err).toContain('(USAGE)');
  });
});

test('of two at once one does nothing', async () => {
  const results = await Promise.all([setup(), setup()]);
  expect(results.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([EXIT.ok, EXIT.unavailable]);
  expect(results.map(({ err }) => err).join('')).toContain('(SETUP_RUNS)');
  await done();
});

test('no lock is made in a folder of somebody else, where it could be a link to anything', async () => {
  const dir = path('long'.repeat(30));
  const { run } = layoutOf(dir);
  await mkdir(run, { mode: 0o777 });
  await chmod(run, 0o777);
  await symlink(path('planted'), join(run, 'setup.lock'));
  try {
    expect((await setup(['--dir', dir])).err).toContain('(STATE_FOREIGN)');
    expect(existsSync(path('planted'))).toBe(false);
  } finally {
    await rm(run, { recursive: true });
  }
});

test('a season whose making broke off is made anew, and no key is lost', async () => {
  const week = join(layout.identities, 'week-2026-03-02.txt');
  const broken = join(layout.identities, 'season-2026-03-02.card');
  await mkdir(layout.identities, { recursive: true });
  await writeTo(week, 'a whole key');
  await writeTo(join(layout.identities, 'week-2026-03-09.txt'), '');
  // Written last: without it nobody has signed these keys.
  await writeTo(broken, '');
  const { text } = await done();
  expect(text).toContain("making the worker's keys for 13 weeks");
  const names = await readdir(layout.identities);
  expect(names.filter((name) => name.includes('2026-03')).toSorted()).toEqual([
    'former-season-2026-03-02.card',
    'former-week-2026-03-02.txt',
  ]);
  expect(await readFile(join(layout.identities, 'former-week-2026-03-02.txt'), 'utf8')).toBe('a whole key');
});

test('a new onion address is made only when asked for', async () => {
  await done();
  const before = await readFile(layout.onionAddress, 'utf8');
  expect((await setup(['--new-onion'], { terminal: { answers: ['n'] } })).err).toContain('(NOT_CONFIRMED)');
  expect(await readFile(layout.onionAddress, 'utf8')).toBe(before);
  await done(['--new-onion'], { terminal: { answers: ['y'] } });
  expect(await readFile(layout.onionAddress, 'utf8')).not.toBe(before);
  await rm(layout.onionAddress);
  const kept = await readFile(join(layout.onionKeys, 'hostname'), 'utf8');
  await done();
  expect(await readFile(layout.onionAddress, 'utf8')).toBe(kept);
});

test('no link leads out of the folder of tor', async () => {
  const other = path('other');
  await mkdir(other, { mode: 0o755 });
  await mkdir(join(layout.dir, 'tor'), { recursive: true });
  await symlink(other, layout.onionKeys);
  for (const argv of [[], ['--new-onion']]) expect((await setup(argv)).err).toContain(`${layout.onionKeys} is a link`);
  expect([(await lstat(other)).mode & 0o777, await readdir(other)]).toEqual([0o755, []]);
});

test('takes over what an earlier version left in other places', async () => {
  await mkdir(join(layout.dir, 'admin'), { recursive: true });
  await mkdir(join(layout.dir, 'worker'), { recursive: true });
  await cp(join(given, 'root.pub'), join(layout.dir, 'admin/root.pub'));
  const list = [{ id: 'inbox-1', team: '0f1e2d3c4b5a6978', kind: 'maildir', path: '/inbox' }];
  await writeTo(join(layout.dir, 'worker/inboxes.json'), JSON.stringify(list));
  await putForm();
  await done();
  expect(await readFile(layout.rootKey)).toEqual(await readFile(join(given, 'root.pub')));
  expect(await jsonIn(layout.inboxes)).toEqual(list);
});
