import { chmod, link, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeIdentity, generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { keyId } from '../../runtime/key-id.ts';
import { ready } from '../../crypto/sodium.ts';
import { parseEnv } from '../../runtime/env.ts';
import { shred } from '../../runtime/files.ts';
import { haveInboxesChanged, workerEnv } from '../../worker/config.ts';
import { loadIdentities } from '../../worker/identities.ts';
import { inboxesSchema } from '../../worker/inboxes/kinds.ts';

let dir: string;
beforeAll(() => ready);
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'relay-config-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const team = '00112233445566aa';
const maildir = { id: 'inbox-1', team, kind: 'maildir', path: '/var/mail/team' };
const server = { host: 'mail.example.org', port: 465, tls: 'implicit', from: 'a@example.org', to: 'b@example.org' };
const smtp = { id: 'inbox-2', team, kind: 'smtp', ...server };

describe('inboxes.json', () => {
  const issues = (inboxes: unknown): string[] => inboxesSchema.safeParse(inboxes).error?.issues.map(({ path }) => path.join('.')) ?? [];

  const whereLettersGo = async (): Promise<string> =>
    (await readFile('docs/operations.md', 'utf8')).split(/\n#+ /).find((section) => section.startsWith('Where letters go')) ?? '';

  it('may be empty: a worker starts before anybody has said where letters go', () => {
    expect(issues([])).toEqual([]);
  });

  it('takes a Maildir and a mail server, and fills in what is left out', () => {
    expect(inboxesSchema.parse([maildir, smtp])).toEqual([
      { ...maildir, timeoutSeconds: 300 },
      { ...smtp, subject: 'Message', timeoutSeconds: 300, greeting: '[127.0.0.1]', giveUpDays: 5, form: 'both' },
    ]);
  });

  it('counts as changed once it says something else, or nothing that can be used', async () => {
    const inboxesFile = join(dir, 'inboxes.json');
    const inboxes = inboxesSchema.parse([maildir]);
    const changed: boolean[] = [];
    for (const text of [
      JSON.stringify([maildir], null, 2),
      JSON.stringify([maildir, smtp]),
      '[]',
      'junk',
      null,
      JSON.stringify([maildir]),
    ]) {
      await (text === null ? rm(inboxesFile) : writeFile(inboxesFile, text));
      changed.push(haveInboxesChanged({ inboxesFile, inboxes }));
    }
    expect(changed).toEqual([false, true, true, true, true, false]);
  });

  it('has every setting described', async () => {
    const rows = (await whereLettersGo()).split('\n').filter((line) => line.startsWith('| `'));
    const described = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
    const settings = new Set(inboxesSchema.element.options.flatMap(({ shape }) => Object.keys(shape)));
    expect(described.toSorted()).toEqual([...settings].toSorted());
  });

  it('is accepted as the documents show it', async () => {
    const example = /```json\n([^]*?)```/.exec(await whereLettersGo())?.[1] ?? '';
    expect(inboxesSchema.parse(JSON.parse(example))).toHaveLength(2);
  });

  it.each<[string, unknown, string]>([
    ['an unknown kind', [{ ...maildir, kind: 'pigeon' }], '0.kind'],
    ['an unknown field', [{ ...maildir, hots: 'x' }], '0'],
    ['a relative path', [{ ...maildir, path: 'inbox' }], '0.path'],
    ['a team that is none', [{ ...maildir, team: 'legal' }], '0.team'],
    ['an id that could not be a key', [{ ...maildir, id: 'a:b' }], '0.id'],
    ['an id twice', [maildir, { ...smtp, id: 'inbox-1' }], ''],
    ['plain SMTP to another machine', [{ ...smtp, tls: 'none' }], '0.tls'],
    ['plain SMTP to a name that looks like loopback', [{ ...smtp, tls: 'none', host: '127.0.0.1.example.org' }], '0.tls'],
    ['a server on this machine, through Tor', [{ ...smtp, host: '127.0.0.1', via: 'tor' }], '0.via'],
    ['an onion, directly', [{ ...smtp, host: `${'a'.repeat(56)}.onion`, via: 'direct' }], '0.via'],
    ['plain SMTP to a name that looks like an onion', [{ ...smtp, tls: 'none', host: 'a.onion.example.org' }], '0.tls'],
    ['a user without a password', [{ ...smtp, user: 'a' }], '0.passwordFile'],
    ['a subject that would be a header', [{ ...smtp, subject: 'a\r\nBcc: x@example.org' }], '0.subject'],
    ['no time at all', [{ ...smtp, timeoutSeconds: 0 }], '0.timeoutSeconds'],
    ['two recipients', [{ ...smtp, to: 'a@example.org, b@example.org' }], '0.to'],
  ])('refuses %s', (_name, inboxes, place) => {
    expect(issues(inboxes)).toEqual([place]);
  });

  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1', `${'a'.repeat(56)}.onion`])('lets plain SMTP to %s', (host) => {
    expect(issues([{ ...smtp, tls: 'none', host }])).toEqual([]);
  });
});

describe('the environment', () => {
  it('reports every problem at once, by name and without values', async () => {
    await writeFile(join(dir, 'inboxes.json'), JSON.stringify([{ ...maildir, team: 'secret-team' }]));
    const result = parseEnv(workerEnv, { WORKER_INBOXES: join(dir, 'inboxes.json'), WORKER_SHARE: '0', WORKER_ROUND_SECONDS: '0.5' });
    const text = 'problems' in result ? result.problems.join('\n') : '';
    for (const name of ['REDIS_SOCKET', 'REDIS_PASSWORD_FILE', 'KEYRINGS', 'ROOT_KEY', 'IDENTITIES', 'INBOXES', 'SHARE', 'ROUND_SECONDS']) {
      expect(text).toContain(`WORKER_${name}: `);
    }
    expect(text).not.toContain('secret-team');
  });

  describe('of mail through Tor', () => {
    const problems = async (inbox: object, more: NodeJS.ProcessEnv = {}): Promise<string[]> => {
      await writeFile(join(dir, 'inboxes.json'), JSON.stringify([inbox]));
      await writeFile(join(dir, 'password'), 'secret');
      const paths = { WORKER_REDIS_SOCKET: '/x', WORKER_KEYRINGS: '/x', WORKER_ROOT_KEY: '/x', WORKER_IDENTITIES: '/x' };
      const files = { WORKER_INBOXES: join(dir, 'inboxes.json'), WORKER_REDIS_PASSWORD_FILE: join(dir, 'password') };
      const result = parseEnv(workerEnv, { ...paths, ...files, ...more });
      return 'problems' in result ? result.problems : [];
    };
    const lacking = 'is reached through Tor: set WORKER_TOR_SOCKS';

    it('lacks a SOCKS port for an inbox or an administrator that needs one', async () => {
      for (const inbox of [maildir, smtp, { ...smtp, via: 'direct' }]) expect(await problems(inbox)).toEqual([]);
      for (const inbox of [
        { ...smtp, via: 'tor' },
        { ...smtp, host: `${'a'.repeat(56)}.onion` },
      ]) {
        expect(await problems(inbox)).toEqual([`WORKER_INBOXES: inbox-2 ${lacking}`]);
        expect(await problems(inbox, { WORKER_TOR_SOCKS: 'unix:/run/tor/socks' })).toEqual([]);
      }
      await writeFile(join(dir, 'administrator.json'), JSON.stringify({ ...server, via: 'tor' }));
      const told = { WORKER_ADMINISTRATOR: join(dir, 'administrator.json') };
      expect(await problems(maildir, told)).toEqual([`WORKER_ADMINISTRATOR: the mail server ${lacking}`]);
      expect(await problems(maildir, { ...told, WORKER_TOR_SOCKS: '127.0.0.1:9050' })).toEqual([]);
    });

    it.each(['9050', '127.0.0.1', 'unix:socks', 'unix:', '127.0.0.1:0', '127.0.0.1:65536', 'a b:1'])('is not %j', async (text) => {
      expect(await problems(maildir, { WORKER_TOR_SOCKS: text })).toEqual(['WORKER_TOR_SOCKS: expected unix:/path or HOST:PORT']);
    });
  });
});

describe('identity files', () => {
  const add = (name: string, text: string, mode = 0o600) => writeFile(join(dir, name), text, { mode });

  it('are known by their recipients; one that others may read, or without exactly one identity, is not used', async () => {
    const [identity, other] = [generateIdentity(), generateIdentity()];
    await add('week-2030-01-07.txt', `# comment\n${identity}\n`);
    await add('copy of it.txt', identity);
    await add('mode.txt', other);
    await chmod(join(dir, 'mode.txt'), 0o640);
    await add('two.txt', `${identity}\n${generateIdentity()}\n`);
    await add('wrong.txt', 'AGE-SECRET-KEY-PQ-1NO');
    await symlink(join(dir, 'week-2030-01-07.txt'), join(dir, 'link.txt'));
    await add('season-2030-01-07.card', 'nothing');
    const { identities, unusable } = await loadIdentities(dir);
    expect(identities).toEqual([
      {
        keyId: keyId(identityToRecipient(identity)),
        files: ['copy of it.txt', 'week-2030-01-07.txt'],
        weekEnd: new Date('2030-01-14T00:00:00Z'),
        identity,
        secret: decodeIdentity(identity),
      },
    ]);
    expect(unusable).toEqual([
      { file: 'link.txt', problem: 'unreadable', key: null },
      { file: 'mode.txt', problem: 'mode', key: expect.objectContaining({ keyId: keyId(identityToRecipient(other)), weekEnd: null }) },
      { file: 'two.txt', problem: 'format', key: null },
      { file: 'wrong.txt', problem: 'format', key: null },
    ]);
  });

  it('are overwritten before they are removed', async () => {
    const path = join(dir, 'worker-1.txt');
    await add('worker-1.txt', generateIdentity());
    const before = await readFile(path);
    // A hard link to the same file shows what became of its content.
    await link(path, join(dir, 'same'));
    await shred(path);
    expect(await readdir(dir)).toEqual(['same']);
    const after = await readFile(join(dir, 'same'));
    expect(after).toHaveLength(before.length);
    expect(after.includes('AGE-SECRET-KEY')).toBe(false);
    const unchanged = after.filter((byte, index) => byte === before[index]).length;
    expect(unchanged).toBeLessThan(before.length / 4);
  });
});
