// Where letters go, as setup is told or answered: what it writes, and what it says of it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Layout } from '../../deploy/state/layout.ts';
import { administratorSchema } from '../../worker/administrator.ts';
import { inboxesSchema } from '../../worker/inboxes/kinds.ts';
import { writeTo } from '../support/cli.ts';
import { jsonIn, leftToDo, useSetupStand } from '../support/setup-stand.ts';

const stand = useSetupStand();
const { setup, done, path } = stand;
let layout: Layout;
beforeEach(() => {
  ({ layout } = stand);
});

describe('inboxes', () => {
  const mail = { host: 'mail.example.org', port: 465, tls: 'implicit', user: 'relay', from: 'relay@example.org', to: 'team@example.org' };

  beforeEach(stand.putAdministratorsFiles);

  test('a team gets a Maildir by its name, in any language and case', async () => {
    const result = await done(['--inbox', 'психологи=maildir']);
    const inboxes = inboxesSchema.parse(await jsonIn(layout.inboxes));
    expect(inboxes).toMatchObject([{ id: 'inbox-1', kind: 'maildir', path: join(layout.maildirs, 'inbox-1') }]);
    expect(leftToDo(result).join()).not.toContain('Say where');
    expect(result.text).toContain('docker compose restart worker');
  });

  test('a team gets a mail address from a file; the password is copied where the worker reads it', async () => {
    await writeTo(path('secret'), 'correct horse\n');
    const file = await writeTo(path('mail.json'), JSON.stringify({ ...mail, passwordFile: 'secret' }));
    await done(['--inbox', `Psychologists=${file}`]);
    const [inbox] = inboxesSchema.parse(await jsonIn(layout.inboxes));
    expect(inbox).toMatchObject({ ...mail, kind: 'smtp', passwordFile: join(layout.mail, 'inbox-1.password') });
    expect(await readFile(join(layout.mail, 'inbox-1.password'), 'utf8')).toBe('correct horse\n');
    // Another address for the same team takes the place of the first: what waits goes there.
    await writeTo(path('mail.json'), JSON.stringify({ ...mail, to: 'other@example.org', passwordFile: 'secret' }));
    await done(['--inbox', `Psychologists=${file}`]);
    expect(inboxesSchema.parse(await jsonIn(layout.inboxes))).toMatchObject([{ id: 'inbox-1', to: 'other@example.org' }]);
  });

  test('at a terminal it asks for each team and for the reminders, once', async () => {
    const answers = [
      'team@example.org',
      'mail.example.org',
      '',
      'relay@example.org',
      '',
      'correct horse',
      'admin@example.org',
      '',
      '',
      '',
      '',
    ];
    const first = await done([], { terminal: { answers } });
    expect(first.asked).toHaveLength(answers.length);
    expect(first.asked.filter((question) => question.startsWith('Password'))).toHaveLength(1);
    expect(inboxesSchema.parse(await jsonIn(layout.inboxes))).toMatchObject([
      { ...mail, user: 'relay@example.org', passwordFile: join(layout.mail, 'inbox-1.password') },
    ]);
    expect(administratorSchema.parse(await jsonIn(layout.administrator))).toMatchObject({
      host: 'mail.example.org',
      to: 'admin@example.org',
    });
    expect(first.text + first.err).not.toContain('correct horse');
    expect((await done([], { terminal: { answers: [] } })).asked).toEqual([]);
  });

  test('what cannot be used is named, and the list stays as it was', async () => {
    const file = await writeTo(path('mail.json'), JSON.stringify({ ...mail, user: undefined, tls: 'none' }));
    expect((await setup(['--inbox', `Psychologists=${file}`])).err).toMatch(
      /"none" is allowed on loopback and to an onion only; .*\(INPUT_FORMAT\)/,
    );
    expect((await setup(['--inbox', 'Lawyers=maildir'])).err).toMatch(/there are: Psychologists \([0-9a-f]{16}\) \(TEAM_UNKNOWN\)/);
    expect((await setup(['--inbox', 'maildir'])).err).toContain('(USAGE)');
    expect(await jsonIn(layout.inboxes)).toEqual([]);
  });

  test('each setting is confirmed, and so is that nothing was changed', async () => {
    const file = await writeTo(path('mail.json'), JSON.stringify({ ...mail, passwordFile: 'secret' }));
    await writeTo(path('secret'), 'correct horse');
    const asked = ['--inbox', 'Psychologists=maildir', '--inbox', `Psychologists=${file}`, '--administrator', file];
    const settings = [
      `letters for "Psychologists" go to the folder ${join(layout.maildirs, 'inbox-1')}`,
      'letters for "Psychologists" go to team@example.org',
      'reminders go to team@example.org',
    ];
    const first = await done(asked);
    for (const setting of settings) expect(first.text).toContain(`  · ${setting}\n`);
    expect(first.text).not.toContain('Nothing was changed.');

    const second = await done(asked);
    for (const setting of settings) expect(second.text).toContain(`  · ${setting} already\n`);
    expect(second.text).toContain('Nothing was changed.');
    expect(second.text).not.toContain('restart worker');

    await writeTo(path('secret'), 'another password');
    expect((await done(asked)).text).toContain('restart worker');
    expect((await done(['--administrator', 'none'])).text).toContain('  · nobody gets reminders\n');
  });

  test('settings that cannot be used leave a working inbox its password', async () => {
    await writeTo(path('secret'), 'correct horse');
    const file = await writeTo(path('mail.json'), JSON.stringify({ ...mail, passwordFile: 'secret' }));
    await done(['--inbox', `Psychologists=${file}`]);
    await writeTo(path('secret'), 'another password');
    await writeTo(file, JSON.stringify({ ...mail, passwordFile: 'secret', tls: 'none' }));
    expect((await setup(['--inbox', `Psychologists=${file}`])).err).toContain('(INPUT_FORMAT)');
    expect(await readFile(join(layout.mail, 'inbox-1.password'), 'utf8')).toBe('correct horse\n');
  });

  test('what is no password is refused', async () => {
    const file = await writeTo(path('mail.json'), JSON.stringify({ ...mail, passwordFile: 'secret' }));
    for (const content of ['', 'one\ntwo\n', 'a'.repeat(257)]) {
      await writeTo(path('secret'), content);
      expect((await setup(['--inbox', `Psychologists=${file}`])).err).toContain('must be one line of 1 to 256 letters');
    }
  });

  test('reminders go where a file says, until "none"', async () => {
    const file = await writeTo(path('mail.json'), JSON.stringify({ ...mail, user: undefined }));
    await done(['--administrator', file]);
    expect(administratorSchema.parse(await jsonIn(layout.administrator))).toMatchObject({ to: 'team@example.org' });
    await done(['--administrator', 'none']);
    expect(await jsonIn(layout.administrator)).toBeNull();
  });
});
