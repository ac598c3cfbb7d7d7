// A backup of the relay: what is in it and what is not, and to whom it is sealed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { collectFiles } from '../../cli/operating/backup-files.ts';
import { BACKUP_RECIPIENT } from '../../cli/operating/backup-recipient.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { program } from '../../deploy/state/layout.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { BackupStand, filesUnder, NOW, operator, putFile } from '../support/backup-stand.ts';
import { cli, writeTo } from '../support/cli.ts';

let stand: BackupStand;
let sealed: Uint8Array;
beforeAll(async () => {
  stand = await BackupStand.start();
  sealed = await stand.backup();
});
afterAll(() => stand.remove());

/** The tar in a backup, opened with another program. */
async function archiveOf(backup: Uint8Array): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(await stand.identity());
  return decrypter.decrypt(backup);
}

/** The right recipient, signed by the root key for another purpose. */
async function signedAsOther(): Promise<string> {
  const line = await writeTo(stand.path('line'), `${await stand.recipient()}\n`);
  const key = ['--root-key', join(stand.folder.dir, 'root.key'), '--passphrase-file', stand.path('passphrase')];
  const { code, err } = await cli(['admin', 'sign', line, ...key]);
  expect(code, err).toBe(EXIT.ok);
  return (await readFile(stand.path('line.minisig'), 'utf8')) + (await readFile(line, 'utf8'));
}

describe('a backup', () => {
  test('holds configuration and lasting keys, and tar lists them', async () => {
    const tar = await writeTo(stand.path('opened.tar'), await archiveOf(sealed));
    const listed = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--file', tar]).toString().trim().split('\n');
    const expected = [...stand.kept.keys(), 'keyrings/root.pub', `keyrings/${BACKUP_RECIPIENT}`].toSorted();
    expect(listed.map((line) => line.split(/\s+/).at(-1))).toEqual(expected);
    for (const line of listed) expect(line).toMatch(/^-rw------- 0\/0 .* 1980-01-01 00:00 /);
    await mkdir(stand.path('extracted'));
    execFileSync('tar', ['--extract', '--file', tar, '--directory', stand.path('extracted')]);
    for (const [path, content] of stand.kept) expect(await readFile(stand.path('extracted', path))).toEqual(Buffer.from(content));
  });

  test('holds no key of a week, no keyring, nothing that waits, no password of Redis', async () => {
    const archive = Buffer.from(await archiveOf(sealed));
    const weekly = await readdir(join(stand.state, 'worker/identities'));
    const identities = await Promise.all(weekly.map((name) => readFile(join(stand.state, 'worker/identities', name), 'utf8')));
    const keys = identities.flatMap((text) => [...text.matchAll(/AGE-SECRET-KEY-PQ-1\w+/g)].map(([key]) => key));
    expect(keys).toHaveLength(13);
    const recipients = (await stand.folder.out()).map(({ worker }) => worker);
    const passwords = await Promise.all(
      ['relay', 'worker', 'operator'].map((role) => readFile(join(stand.state, `redis/${role}.password`), 'utf8')),
    );
    const others = [...stand.left.values()].map(String);
    for (const text of [...keys, ...recipients, ...passwords, ...others, '"notAfter"']) expect(archive.includes(text)).toBe(false);
    // So that the search finds what is there.
    for (const text of ['the password of the mail', await stand.recipient()]) expect(archive.includes(text)).toBe(true);
  });

  test('is sealed to nobody whom the root key has not signed', async () => {
    const place = join(stand.state, 'keyrings', BACKUP_RECIPIENT);
    const right = await readFile(place, 'utf8');
    const other = identityToRecipient(generateIdentity());
    const wrong = [right.replace(/^age1pq1.+$/m, other), `${other}\n`, await signedAsOther(), ''];
    try {
      for (const text of wrong) {
        await writeFile(place, text);
        const { code, err, out } = await operator(['backup', '--state', stand.state]);
        expect([code, err, out.length]).toEqual([EXIT.notAuthentic, expect.stringContaining('(BACKUP_RECIPIENT)'), 0]);
      }
      await rm(place);
      expect((await operator(['backup', '--state', stand.state])).err).toContain(`${place} is missing`);
    } finally {
      await writeFile(place, right);
    }
  });

  test('follows no link, which a part could have put there to have a key of a week in it', async () => {
    const link = join(stand.state, 'tor/onion/authorized_clients/somebody.auth');
    const [week = ''] = await readdir(join(stand.state, 'worker/identities'));
    await symlink(join(stand.state, 'worker/identities', week), link);
    const { code, err } = await operator(['backup', '--state', stand.state, '--out', stand.path('never.age')]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining(`${link} cannot be in a backup: it is a link`)]);
    await rm(link);
  });

  test('nor one that takes the place of a file between two looks', async () => {
    const place = join(stand.state, 'tor/onion/authorized_clients/somebody.auth');
    const key = join(stand.state, 'worker/identities', (await readdir(join(stand.state, 'worker/identities')))[0] ?? '');
    const swap = `
      const { renameSync, symlinkSync, writeFileSync } = require('node:fs');
      const [place, key] = process.argv.slice(1);
      for (;;) {
        writeFileSync(place + '.new', 'descriptor:x25519:A'); renameSync(place + '.new', place);
        symlinkSync(key, place + '.new'); renameSync(place + '.new', place);
      }`;
    const tor = spawn(process.execPath, ['-e', swap, place, key], { stdio: 'ignore' });
    try {
      const secret = await readFile(key);
      let whole = 0;
      for (let tries = 0; whole < 20 || tries < 200; tries += 1) {
        const files = await collectFiles(stand.state).catch(() => new Map<string, Uint8Array>());
        if (files.size > 0) whole += 1;
        expect([...files.values()].some((content) => secret.equals(content))).toBe(false);
      }
    } finally {
      const ended = once(tor, 'exit');
      tor.kill('SIGKILL');
      await ended;
      await rm(place, { force: true });
      await rm(`${place}.new`, { force: true });
    }
  });

  test('misses no file of the mail settings without saying so, and is made of nothing but a state', async () => {
    await putFile(stand.state, 'worker/mail/my file.pem', Buffer.from('x'));
    const { code, err } = await operator(['backup', '--state', stand.state, '--out', stand.path('never.age')]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('my file.pem cannot be in a backup')]);
    await rm(join(stand.state, 'worker/mail/my file.pem'));
    const empty = await operator(['backup', '--state', stand.path('nothing'), '--out', stand.path('never.age')]);
    expect([empty.code, empty.err]).toEqual([EXIT.input, expect.stringContaining('is not the state of a relay')]);
    expect(await filesUnder(stand.path('never.age'))).toEqual([]);
  });

  test('is not made of an onion service whose files do not belong together', async () => {
    const hostname = join(stand.state, 'tor/onion/hostname');
    const right = await readFile(hostname);
    await writeFile(hostname, `${'a'.repeat(56)}.onion\n`);
    const { code, err } = await operator(['backup', '--state', stand.state, '--out', stand.path('never.age')]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('keys and address in it do not belong together')]);
    await writeFile(hostname, right);
  });

  test('goes into a file that must be new, readable by its owner alone, and to no terminal', async () => {
    const file = stand.path('relay.age');
    const { code, text } = await operator(['backup', '--state', stand.state, '--out', file, '--json']);
    expect([code, JSON.parse(text)]).toMatchObject([EXIT.ok, { file, address: await stand.address() }]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await operator(['backup', '--state', stand.state, '--out', file])).err).toContain('(OUTPUT_EXISTS)');
    expect((await operator(['backup', '--state', stand.state], [])).err).toContain('(OUTPUT_TERMINAL)');
  });
});

test('a backup of which the disk took only a part is not taken for one', async () => {
  const argv = [process.execPath, program('support-relay'), 'operator', 'backup', '--state', stand.state];
  const line = 'ulimit -f 8; out=$1; shift; "$@" > "$out"';
  const { status, stderr } = spawnSync('sh', ['-c', line, 'sh', stand.path('cut.age'), ...argv], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([EXIT.output, expect.stringContaining('the backup is not whole; make room there')]);
});

describe('the key to backups', () => {
  test('is made once in a folder of before, and goes out with the next signing', async () => {
    const old = new AdminFolder(stand.path, 'old', NOW);
    await old.furnish();
    for (const name of ['backup.identity', BACKUP_RECIPIENT]) await rm(join(old.dir, name));
    expect((await old.run(['status'])).text).toContain('make the key to backups of the relay: admin init');
    await old.done('season', '--yes');
    expect(await readdir(join(old.dir, 'out/relay'))).not.toContain(BACKUP_RECIPIENT);
    expect((await old.done('init')).err).toContain('backup.identity is new');
    await old.done('season', '--yes');
    const out = await readFile(join(old.dir, 'out/relay', BACKUP_RECIPIENT), 'utf8');
    // Where only one half is left, the other comes from it.
    await rm(join(old.dir, BACKUP_RECIPIENT));
    await old.done('init');
    expect(/^age1pq1.+$/m.exec(await readFile(join(old.dir, BACKUP_RECIPIENT), 'utf8'))).toEqual(/^age1pq1.+$/m.exec(out));
  });
});
