// The state of a relay with its administrator, and a backup of it.
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Decrypter } from 'age-encryption';
import { expect } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { layoutOf } from '../../deploy/state/layout.ts';
import { ensureOnion } from '../../deploy/setup/onion.ts';
import { AdminFolder } from './admin-folder.ts';
import { cli, temporaryDirectory, writeTo, type CliResult } from './cli.ts';

export const NOW = new Date('2026-11-30T09:00:00Z');
export const PASSPHRASE = 'correct horse ёжик';
const INBOX = {
  id: 'inbox-1',
  team: '00112233445566aa',
  kind: 'smtp',
  host: 'mail.example.org',
  to: 'team@example.org',
  passwordFile: '/etc/support-relay/mail/inbox-1.password',
};
export const ONION_KEY = 'tor/onion/hs_ed25519_secret_key';

export const operator = (argv: readonly string[], answers?: readonly string[]): Promise<CliResult> =>
  cli(['operator', ...argv], { now: NOW, logN: 12, ...(answers === undefined ? {} : { terminal: { answers } }) });

export async function putFile(base: string, path: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(join(base, path)), { recursive: true, mode: 0o700 });
  await writeFile(join(base, path), content, { mode: 0o600 });
}

/** Paths of all files below a folder; none where there is no folder. */
export async function filesUnder(base: string): Promise<string[]> {
  const entries = await readdir(base, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(base.length + 1));
}

export class BackupStand {
  readonly path: (...parts: string[]) => string;
  readonly remove: () => Promise<void>;
  readonly folder: AdminFolder;
  /** What a backup is made of, by its path in the state. */
  readonly kept = new Map<string, Uint8Array>([
    ['version', Buffer.from('1\n')],
    ['site.json', Buffer.from('{ "exit": "https://weather.example/" }\n')],
    ['worker/mail/inboxes.json', Buffer.from(JSON.stringify([INBOX]))],
    ['worker/mail/administrator.json', Buffer.from('null\n')],
    ['worker/mail/inbox-1.password', Buffer.from('the password of the mail')],
    ['tor/onion/authorized_clients/deputy.auth', Buffer.from('descriptor:x25519:ABC\n')],
  ]);
  /** What must be in none, besides the keys of weeks. */
  readonly left = new Map<string, Uint8Array>(
    ['inbox/inbox-1/new/1', 'redis/data/appendonlydir/incr.aof', 'tor/state', 'admin/root.key', 'volunteer/volunteer-1.txt'].map((path) => [
      path,
      Buffer.from(randomBytes(32).toString('hex')),
    ]),
  );

  constructor({ path, remove }: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.path = path;
    this.remove = remove;
    this.folder = new AdminFolder(path, 'admin', NOW);
  }

  static async start(): Promise<BackupStand> {
    const stand = new BackupStand(await temporaryDirectory());
    await stand.#furnish();
    for (const [path, content] of [...stand.kept, ...stand.left]) await putFile(stand.state, path, content);
    await cp(join(stand.folder.dir, 'out/relay'), join(stand.state, 'keyrings'), { recursive: true });
    const { code, err } = await operator(['acl', '--out', join(stand.state, 'redis')]);
    expect(code, err).toBe(EXIT.ok);
    return stand;
  }

  get state(): string {
    return this.path('state');
  }

  /** The relay's onion address. */
  async address(): Promise<string> {
    return (await readFile(join(this.state, 'onion/address'), 'utf8')).trim();
  }

  async backup(): Promise<Uint8Array> {
    const { code, err, out } = await operator(['backup', '--state', this.state]);
    expect(code, err).toBe(EXIT.ok);
    return out;
  }

  /** The identity of backups, opened with another program. */
  async identity(): Promise<string> {
    const decrypter = new Decrypter();
    decrypter.addPassphrase(PASSPHRASE);
    const text = await decrypter.decrypt(await readFile(join(this.folder.dir, 'backup.identity')), 'text');
    return /^AGE-SECRET-KEY-PQ-1.+$/m.exec(text)?.[0] ?? '';
  }

  async recipient(): Promise<string> {
    return identityToRecipient(await this.identity());
  }

  /** The files of a new onion service, by their paths in a state. */
  async onionFiles(): Promise<Map<string, Uint8Array>> {
    const layout = layoutOf(this.path(randomBytes(4).toString('hex')));
    await ensureOnion(layout, () => undefined);
    const paths = ['onion/address', 'tor/onion/hostname', 'tor/onion/hs_ed25519_public_key', ONION_KEY];
    return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(layout.dir, path))] as const)));
  }

  /** An administrator with a passphrase, a team, and a season signed for the worker of this state. */
  async #furnish(): Promise<void> {
    const { folder } = this;
    for (const [path, content] of await this.onionFiles()) this.kept.set(path, content);
    const answers = [PASSPHRASE, PASSPHRASE];
    const init = await cli(['admin', 'init', '--folder', folder.dir], { now: NOW, logN: 12, terminal: { answers } });
    expect(init.code, init.err).toBe(EXIT.ok);
    await folder.done('team', 'psych', '--name', 'en=Psychologists', '--topic', 'other:en=Something else');
    await folder.done('add', await folder.card('volunteer'), '--team', 'psych', '--alias', 'Maple', '--yes');
    const identities = join(this.state, 'worker/identities');
    const worker = await cli(['worker', 'keys', '--out', identities], { now: NOW });
    expect(worker.code, worker.err).toBe(EXIT.ok);
    await folder.done('add', join(identities, 'season-2026-11-30.card'), '--yes');
    await folder.done('season', '--yes', '--passphrase-file', await writeTo(this.path('passphrase'), `${PASSPHRASE}\n`));
  }
}
