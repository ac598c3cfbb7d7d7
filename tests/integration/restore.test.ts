// A state that is made again from a backup, and what is refused.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Encrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { BACKUP_RECIPIENT } from '../../cli/operating/backup-recipient.ts';
import { generateIdentity } from '../../crypto/age/identity.ts';
import { encodePublicKey, generateKeyPair } from '../../crypto/minisign.ts';
import { SECRET_MODE, tarOf } from '../../runtime/tar.ts';
import { BackupStand, filesUnder, NOW, ONION_KEY, operator, PASSPHRASE } from '../support/backup-stand.ts';
import { cli, writeTo, type CliResult } from '../support/cli.ts';

const WORDS = 'six words that nobody guesses';

let stand: BackupStand;
let sealed: Uint8Array;
let resealed: string;
let shown: CliResult;
/** @param answers after the passphrase of the backup's identity */
const reseal = (file: string, out: string, answers: readonly string[], ...more: string[]): Promise<CliResult> =>
  cli(['admin', 'reseal', file, '--out', out, '--folder', stand.folder.dir, ...more], {
    now: NOW,
    logN: 12,
    terminal: { answers: [PASSPHRASE, ...answers] },
  });
beforeAll(async () => {
  stand = await BackupStand.start();
  sealed = await stand.backup();
  const backup = await writeTo(stand.path('carried.age'), sealed);
  resealed = stand.path('restore.age');
  shown = await reseal(backup, resealed, ['y', WORDS, WORDS]);
  expect(shown.code, shown.err).toBe(EXIT.ok);
});
afterAll(() => stand.remove());

let copies = 0;
const fresh = (): string => stand.path(`machine-${String((copies += 1))}`);
const restore = (into: string, file = resealed, answers: readonly string[] = [WORDS], ...more: string[]): Promise<CliResult> =>
  operator(['restore', file, '--state', into, ...more], answers);

test('brings every file back, for its owner alone, and nothing else', async () => {
  const into = fresh();
  const { code, err } = await restore(into);
  expect(code, err).toBe(EXIT.ok);
  const files = await filesUnder(into);
  expect(files.toSorted()).toEqual([...stand.kept.keys(), 'keyrings/root.pub', `keyrings/${BACKUP_RECIPIENT}`].toSorted());
  for (const path of files) {
    expect(await readFile(join(into, path))).toEqual(await readFile(join(stand.state, path)));
    expect((await stat(join(into, path))).mode & 0o777).toBe(0o600);
  }
  for (const path of ['', 'worker', 'tor/onion']) expect((await stat(join(into, path))).mode & 0o777).toBe(0o700);
});

test('goes with the identity of backups as well, which asks its passphrase', async () => {
  const into = fresh();
  const given = ['--identity', join(stand.folder.dir, 'backup.identity')];
  expect((await restore(into, stand.path('carried.age'), [PASSPHRASE], ...given)).code).toBe(EXIT.ok);
  expect(await readFile(join(into, ONION_KEY))).toEqual(Buffer.from(stand.kept.get(ONION_KEY) ?? []));
});

test('goes on where it broke off, and replaces another file only if told', async () => {
  const into = fresh();
  await restore(into);
  await rm(join(into, 'version'));
  await rm(join(into, ONION_KEY));
  await writeFile(join(into, `${ONION_KEY}.part`), 'half');
  const again = await restore(into);
  expect([again.code, again.text]).toEqual([EXIT.ok, `${ONION_KEY}\nversion\n`]);
  await writeFile(join(into, ONION_KEY), 'the key of another onion');
  await rm(join(into, 'site.json'));
  const refused = await restore(into);
  expect([refused.code, refused.err]).toEqual([EXIT.output, expect.stringContaining(`has its own: ${ONION_KEY}; restore into an empty`)]);
  expect(await filesUnder(into)).not.toContain('site.json');
  expect((await restore(into, resealed, [WORDS], '--replace')).text).toBe(`site.json\n${ONION_KEY}\n`);
});

test('opens with nothing else', async () => {
  const into = fresh();
  const wrong = await restore(into, resealed, ['other words than these']);
  expect([wrong.code, wrong.err]).toEqual([EXIT.passphrase, expect.stringContaining('(PASSPHRASE_WRONG)')]);
  const other = await writeTo(stand.path('other.identity'), `${generateIdentity()}\n`);
  const foreign = await restore(into, stand.path('carried.age'), [], '--identity', other);
  expect([foreign.code, foreign.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(BACKUP_KEY)')]);
  expect((await restore(into, stand.path('carried.age'), [])).err).toContain('--identity is missing');
  expect(await filesUnder(into)).toEqual([]);
});

test('refuses what is cut or changed anywhere, and writes nothing', async () => {
  const identity = await writeTo(stand.path('plain.identity'), `${await stand.identity()}\n`);
  const into = fresh();
  const damaged: Uint8Array[] = [0, 10, 1_000, sealed.length - 1, sealed.length - 20_000].map((length) => sealed.subarray(0, length));
  for (const at of [5, 700, 1_620, sealed.length - 5_000, sealed.length - 1]) {
    damaged.push(Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte)));
  }
  for (const bytes of damaged) {
    const { code, err } = await restore(into, await writeTo(stand.path('damaged.age'), bytes), [], '--identity', identity);
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringMatching(/\((?:BACKUP_FORMAT|BACKUP_KEY)\)\n$/)]);
  }
  expect(await filesUnder(into)).toEqual([]);
});

/** Sealed by whoever knows the recipient. */
async function foreign(archive: Uint8Array): Promise<{ file: string; given: string[] }> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(await stand.recipient());
  const file = await writeTo(stand.path('foreign.age'), await encrypter.encrypt(archive));
  return { file, given: ['--identity', await writeTo(stand.path('plain.identity'), `${await stand.identity()}\n`)] };
}
const withVersion = (version: string, ...paths: string[]): Uint8Array => {
  const files = paths.map((path): [string, Uint8Array] => [path, Buffer.from('x')]);
  return tarOf(new Map<string, Uint8Array>([['version', Buffer.from(version)], ...files]), SECRET_MODE);
};
const tarOfSystem = (...argv: string[]): Uint8Array =>
  new Uint8Array(execFileSync('tar', ['--create', '--directory', stand.state, ...argv]));

test.each<[string, () => Uint8Array]>([
  ['leaves its folder', () => withVersion('1', '../escaped')],
  ['begins at the root', () => withVersion('1', `${stand.path()}/escaped`)],
  ['is no file of a state', () => withVersion('1', 'redis/users.acl')],
  ['hides in a known folder', () => withVersion('1', 'worker/mail/../identities/x')],
  ['is a key of a week', () => withVersion('1', 'worker/identities/week-2026-11-30.txt')],
  [
    'is a link',
    () => {
      execFileSync('ln', ['--symbolic', '--force', '/etc/passwd', stand.path('site.json')]);
      return tarOfSystem('version', '--directory', stand.path(), 'site.json');
    },
  ],
  ['is from another tar', () => tarOfSystem('--mode=600', '--owner=0', '--group=0', '--numeric-owner', '--mtime=1980-01-01Z', 'version')],
  ['is an empty archive', () => tarOf(new Map(), SECRET_MODE)],
  ['is something else', () => new Uint8Array(randomBytes(2_000))],
])('refuses an archive of somebody else with what %s', async (_what, make) => {
  const into = fresh();
  const { file, given } = await foreign(make());
  const { code, err } = await restore(into, file, [], ...given);
  expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringMatching(/\(BACKUP_FORMAT\)\n$/)]);
  expect((await filesUnder(stand.path())).filter((path) => path.endsWith('escaped'))).toEqual([]);
  expect(await filesUnder(into)).toEqual([]);
});

test('the administrator does not reseal a backup with another root key, which anybody could make', async () => {
  const root = Buffer.from(encodePublicKey(generateKeyPair()));
  const { file } = await foreign(tarOf(new Map([...stand.kept, ['keyrings/root.pub', root]]), SECRET_MODE));
  const { code, err } = await reseal(file, stand.path('never.age'), ['y', WORDS, WORDS]);
  expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('the root.pub in it is another one')]);
});

test('refuses a backup of newer programs', async () => {
  const into = fresh();
  const { file, given } = await foreign(withVersion('2\n'));
  const { code, err } = await restore(into, file, [], ...given);
  expect([code, err]).toEqual([EXIT.input, expect.stringContaining('is of version 2 of the state, these programs know up to 1')]);
  expect(await filesUnder(into)).toEqual([]);
});

describe('a backup proves nothing of whoever made it, so the administrator', () => {
  test('is shown the address and the inboxes, and asked, before it is resealed', async () => {
    expect(shown.asked[1]).toMatch(/^Is this the address that people know.*\? \[y\/N\] $/);
    expect(shown.err).toContain(`\n  onion address  ${await stand.address()}\n`);
    expect(shown.err).toContain(
      '\n  inbox inbox-1  smtp, to team@example.org at mail.example.org, for team 00112233445566aa, which is not known here\n',
    );
    expect(shown.err).toMatch(/\n {2}only for +deputy\n.*site\.json.*\n {2}version +1\n/);
    expect(shown.err).not.toContain('the password of the mail');
    const out = stand.path('refused.age');
    const refused = await reseal(stand.path('carried.age'), out, ['']);
    expect([refused.err, await filesUnder(out)]).toEqual([expect.stringContaining('(NOT_CONFIRMED)'), []]);
  });

  test('is shown the address of the key, whatever stands beside it', async () => {
    const other = await stand.onionFiles();
    const theirs = Buffer.from(other.get('onion/address') ?? [])
      .toString()
      .trim();
    const { file } = await foreign(tarOf(new Map([...stand.kept, ...other]), SECRET_MODE));
    expect((await reseal(file, stand.path('theirs.age'), [''])).err).toContain(`\n  onion address  ${theirs}\n`);
    // Our address is public, and so is its key's other half.
    const ours = stand.kept;
    const taken = (path: string, from: ReadonlyMap<string, Uint8Array>): [string, Uint8Array] => [path, from.get(path) ?? new Uint8Array()];
    const posing = [
      new Map([...ours, taken(ONION_KEY, other)]),
      new Map([...ours, ...other, taken('onion/address', ours)]),
      new Map([...ours, ...other, taken('tor/onion/hostname', ours)]),
      new Map([...ours].filter(([path]) => !path.endsWith('public_key'))),
    ];
    for (const files of posing) {
      const { file: forged } = await foreign(tarOf(files, SECRET_MODE));
      const { code, err } = await reseal(forged, stand.path('never.age'), ['y']);
      expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('do not belong together; ask the operator')]);
    }
  });

  test('is told that a backup without a key has no address, and one without settings of mail is none', async () => {
    const without = new Map([...stand.kept].filter(([path]) => !path.includes('onion')));
    const { file } = await foreign(tarOf(without, SECRET_MODE));
    expect((await reseal(file, stand.path('never.age'), [''])).err).toContain('  onion address  none: ');
    const { file: spoiled } = await foreign(tarOf(new Map([...stand.kept, ['worker/mail/inboxes.json', Buffer.from('{')]]), SECRET_MODE));
    expect((await reseal(spoiled, stand.path('never.age'), ['y'])).err).toContain('worker/mail/inboxes.json in it holds no settings');
  });

  test('can say so beforehand, for scripts; and whoever restores is shown the same', async () => {
    const out = stand.path('by-script.age');
    const { code, text } = await reseal(stand.path('carried.age'), out, [WORDS, WORDS], '--yes', '--json');
    expect([code, JSON.parse(text)]).toMatchObject([EXIT.ok, { address: await stand.address(), inboxes: [{ id: 'inbox-1' }], site: true }]);
    expect((await restore(fresh(), out)).err).toContain(`\n  onion address  ${await stand.address()}\n`);
  });
});
