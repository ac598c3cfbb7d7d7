// Setup where something broke off, is no file, or the clock was wrong.
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import type { Layout } from '../../deploy/state/layout.ts';
import { writeTo } from '../support/cli.ts';
import { useSetupStand } from '../support/setup-stand.ts';

const stand = useSetupStand();
const { setup, done, path } = stand;
let layout: Layout;
beforeEach(() => {
  ({ layout } = stand);
});

const makePipe = (file: string): void => void spawnSync('mkfifo', [file]);

test('what a run that was killed left half written is removed', async () => {
  await done();
  await mkdir(join(layout.dir, 'web.new-Ab12'));
  await writeTo(join(layout.dir, 'web.new-Ab12/form.html'), '<html>');
  const half = 'inbox-1.password.0123456789abcdef.tmp';
  await writeTo(join(layout.mail, half), 'correct');
  await done();
  expect(await readdir(layout.dir)).not.toContain('web.new-Ab12');
  expect(await readdir(layout.mail)).not.toContain(half);
});

test('keys that were made while the clock was ahead are put aside, as long as nobody has signed them', async () => {
  const ahead = new Date(Date.now() + 5 * 365 * 86_400_000);
  await done([], { now: ahead });
  const former = (await readdir(layout.identities)).toSorted();
  const { text } = await done();
  expect(text).toContain("the worker's keys begin only on ");
  expect(text).toContain("making the worker's keys for 13 weeks");
  const names = await readdir(layout.identities);
  for (const name of former) expect(names).toContain(`former-${name}`);
  expect(names).toHaveLength(2 * former.length);

  await rm(layout.dir, { recursive: true });
  await done([], { now: ahead });
  await stand.putAdministratorsFiles();
  expect((await done()).text).not.toContain("the worker's keys begin");
});

test('a form that could not be built is the exit code', async () => {
  await done();
  await stand.putAdministratorsFiles();
  await writeTo(layout.site, 'not JSON');
  const result = await setup(['--form']);
  expect([result.code, result.err]).toEqual([EXIT.input, expect.stringContaining('(INPUT_FORMAT)')]);
  expect(result.text).toContain('the form was not built');
});

describe('pipes and devices, which nobody ever ends, are refused at once:', () => {
  beforeEach(async () => {
    await done();
    await stand.putAdministratorsFiles();
  });

  test('as what is given', async () => {
    const folder = path('given');
    await mkdir(folder);
    makePipe(join(folder, 'keyring-1.json'));
    for (const argv of [
      ['--keyrings', folder],
      ['--root-pub', join(folder, 'keyring-1.json')],
      ['--root-pub', '/dev/zero'],
      ['--inbox', `Psychologists=${join(folder, 'keyring-1.json')}`],
    ]) {
      expect((await setup(argv)).err, argv.join(' ')).toContain('it is a directory, a pipe or a device');
    }
  });

  test('as what is in the state folder', async () => {
    for (const file of [layout.inboxes, layout.rootKey, layout.passwordFile('worker'), layout.version]) {
      await rm(file);
      makePipe(file);
      expect((await setup()).err).toContain(`${file}: it is a directory, a pipe or a device`);
      await rm(file);
    }
  });
});
