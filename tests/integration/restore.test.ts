// A state that is made again from a backup, and what is refused.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Encrypter } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
beforeAll(async () => {
  stand = await BackupStand.start();
  sealed = await stand.backup();
  const backup = await writeTo(stand.path('carried.age'), sealed);
  resealed = stand.path('restore.age');
  const { code, err } = await cli(['admin', 'reseal', backup, '--out', resealed, '--folder', stand.folder.dir], {
    now: NOW,
    logN: 12,
    terminal: { answers: [PASSPHRASE, WORDS, WORDS] },
  });
  expect(code, err).toBe(EXIT.ok);
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
  const out = stand.path('never.age');
  const { code, err } = await cli(['admin', 'reseal', file, '--out', out, '--folder', stand.folder.dir], {
    now: NOW,
    logN: 12,
    terminal: { answers: [PASSPHRASE, WORDS, WORDS] },
  });
  expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('the root.pub in it is another one')]);
});

test('refuses a backup of newer programs', async () => {
  const into = fresh();
  const { file, given } = await foreign(withVersion('2\n'));
  const { code, err } = await restore(into, file, [], ...given);
  expect([code, err]).toEqual([EXIT.input, expect.stringContaining('is of version 2 of the state, these programs know up to 1')]);
  expect(await filesUnder(into)).toEqual([]);
});
