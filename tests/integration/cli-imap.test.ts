import { execFileSync } from 'node:child_process';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseImapUrl } from '../../cli/net/imap.ts';
import { createSignerFile } from '../../cli/keys/signer.ts';
import { EXIT } from '../../cli/errors.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { sealLetter } from '../../crypto/letter.ts';
import { openSealed, parseParcel } from '../../crypto/parcel.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { openReply } from '../../crypto/reply.ts';
import { signAddress, threadOf } from '../../crypto/thread.ts';
import { composeMail } from '../../worker/inboxes/message.ts';
import { cli, identitiesOf, openOffice, temporaryDirectory, writeTo } from '../support/cli.ts';
import type { CliInput, CliResult, Office } from '../support/cli.ts';
import { startImap, type TestImap } from '../support/imap.ts';
import { closedPort, makeCertificate, type Certificate } from '../support/smtp.ts';
import { startSocksServer } from '../support/socks-server.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;
let certificate: Certificate;
let server: TestImap;
let passwordFile: string;

beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path);
  certificate = makeCertificate('IP:127.0.0.1');
  const mail = (message: string): Promise<Buffer> => mailOf(office.letter({ message }));
  server = await startImap(certificate, {
    '1.a': await mail('Первое'),
    '2.a': await mail('Второе'),
    '3.a': 'Subject: x\n\nordinary\n',
    '4.a': `Subject: x\n\n${'x'.repeat(17 * 1024 * 1024)}`,
  });
  passwordFile = await writeTo(dir.path('password'), `${server.password}\n`);
});
afterAll(async () => {
  await server.stop();
  certificate.remove();
  await dir.remove();
});

function mailOf(letter: Uint8Array): Promise<Buffer> {
  return composeMail(
    { id: randomBytes(16), bytes: letter },
    { from: 'relay@example.org', to: 'team@example.org', subject: 'Message' },
    new Date(),
    'windows',
  );
}

const url = (host = '127.0.0.1', port = server.port, folder = ''): string => `imaps://team%40example.org@${host}:${String(port)}/${folder}`;
const authority = (): string[] => ['--ca', certificate.file];
const command = (
  name: string,
  path: string,
  options: readonly string[] = ['--imap-password-file', passwordFile, ...authority()],
  input?: CliInput,
): Promise<CliResult> => cli([name, '--identity', office.identity, ...options, path], input);

describe('a folder at a mail server', () => {
  test('is read, and left as it was', async () => {
    const { code, text, err } = await command('open', url());
    expect(text).toContain('    Первое\n');
    expect(text).toContain('    Второе\n');
    expect(err).toMatch(/NOT OPENED: imaps:\/\/127\.0\.0\.1\/INBOX#3: .*\(LETTER_MISSING\)/);
    expect(err).toMatch(/NOT OPENED: imaps:\/\/127\.0\.0\.1\/INBOX#4: .*\(INPUT_TOO_LARGE\)/);
    expect(code).toBe(EXIT.notAuthentic);
    const files = (await Promise.all(['new', 'cur'].map((folder) => readdir(`${server.maildir}/${folder}`)))).flat();
    expect(files).toHaveLength(4);
    for (const file of files) expect(file).not.toMatch(/:2,.*S/);
  });

  test('is not contacted when the certificate authority is not a text file', async () => {
    execFileSync('mkfifo', [dir.path('pipe')]);
    await writeTo(dir.path('picture'), new Uint8Array([0x89, 0x50, 0xff, 0xfe]));
    for (const [name, problem] of [
      ['pipe', 'INPUT_MISSING'],
      ['picture', 'INPUT_FORMAT'],
      ['nowhere', 'INPUT_MISSING'],
    ] as const) {
      const { code, err } = await command('open', url(), ['--imap-password-file', passwordFile, '--ca', dir.path(name)]);
      expect([code, err]).toEqual([EXIT.input, expect.stringMatching(new RegExp(`the certificate authority .*${name}.*\\(${problem}\\)`))]);
    }
  });

  test('is named with /, whatever separator and prefix the server has; for an unknown one the existing folders are listed', async () => {
    const other = await startImap(certificate, { '.Requests.Legal/1.a': await mailOf(office.letter({ message: 'В папке' })) }, 'INBOX.');
    try {
      for (const folder of ['Requests/Legal', 'INBOX/Requests/Legal', 'Requests.Legal']) {
        const { code, text, err } = await command('open', url('127.0.0.1', other.port, folder));
        expect([code, text], err).toEqual([EXIT.ok, expect.stringContaining('    В папке\n')]);
      }
      const { code, err } = await command('open', url('127.0.0.1', other.port, 'Request'));
      expect([code, err]).toEqual([
        EXIT.input,
        expect.stringMatching(/does not open the folder Request; it has .*INBOX\/Requests\/Legal.*\(INPUT_MISSING\)/),
      ]);
    } finally {
      await other.stop();
    }
  });

  test('a message that the server refuses is reported, and the others are shown', async () => {
    const names = ['1.a', '2.a', '3.a'];
    const other = await startImap(
      certificate,
      Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await mailOf(office.letter({ message: `Письмо ${name}` }))] as const)),
      ),
    );
    try {
      await command('open', url('127.0.0.1', other.port));
      const places = await Promise.all(
        ['new', 'cur'].map(async (folder) => (await readdir(join(other.maildir, folder))).map((name) => join(other.maildir, folder, name))),
      );
      const file = places.flat().find((name) => basename(name).startsWith('2.a')) ?? '';
      // The server lists it, but cannot read it.
      await chmod(file, 0);
      const { code, text, err } = await command('open', url('127.0.0.1', other.port));
      expect(text).toContain('    Письмо 1.a\n');
      expect(text).toContain('    Письмо 3.a\n');
      expect(err).toMatch(/NOT OPENED: imaps:\/\/127\.0\.0\.1\/INBOX#2: .*\(INPUT_MISSING\)/);
      expect(code).toBe(EXIT.input);
    } finally {
      await other.stop();
    }
  });

  test('is listed as conversations; the password is asked for without echo', async () => {
    const { text, asked } = await command('inbox', url(), authority(), { terminal: { answers: [server.password] } });
    expect(text.trimEnd().split('\n')).toHaveLength(2);
    expect(asked).toEqual(['Password of team@example.org at 127.0.0.1 (nothing is shown while you type): ']);
  });

  test('a user name with control characters is shown with them written out', async () => {
    const { asked } = await command('open', url().replace('team', '%1B%5B2J'), authority(), { terminal: { answers: ['x'] } });
    expect(asked).toEqual(['Password of ‹U+001B›[2J@example.org at 127.0.0.1 (nothing is shown while you type): ']);
  });

  test('a letter there is answered, without leaving any of it on this disk', async () => {
    const anna = await createSignerFile({ file: dir.path('anna.key') });
    const team = await openOffice((...parts) => dir.path('team', ...parts), { signers: [anna.signer] });
    const thread = threadOf(codeRoot('ru', makeCode()));
    const content = {
      version: 1 as const,
      kind: 'request' as const,
      serial: 1,
      keyring: team.keyring.digest,
      language: 'ru',
      message: 'По почте',
    };
    const letter = sealLetter({ ...content, thread: signAddress(content, thread) }, [team.recipient]);
    const mailbox = await startImap(certificate, { '1.a': await mailOf(letter) });
    const out = dir.path('answers');
    try {
      const by = ['--identity', team.identity, '--signer', anna.file, '--alias', 'Anna'];
      const under = ['--keyring', team.keyring.file, '--root-key', team.rootPublicKey];
      const from = ['--imap-password-file', passwordFile, ...authority(), url('127.0.0.1', mailbox.port)];
      const { code, err } = await cli(['reply', ...by, ...under, '--out', out, ...from], { stdin: 'Ответ' });
      expect(code, err).toBe(EXIT.ok);
    } finally {
      await mailbox.stop();
    }
    const worker = await identitiesOf(team.worker);
    const texts = await Promise.all((await readdir(out)).map((name) => readFile(join(out, name), 'utf8')));
    const deliveries = texts
      .map((text) => openSealed(parseParcel(decodeParcelText(text.trimEnd())).sealed, worker))
      .flatMap((each) => (each.kind === 'reply' ? [each.delivery] : []));
    expect(deliveries.map(({ reply }) => openReply(reply, thread.identity, thread.signing.key, new Set([anna.signer])).text)).toEqual([
      'Ответ',
    ]);
  });

  test('through a SOCKS proxy, which resolves the name', async () => {
    const named = makeCertificate('DNS:mail.example.org');
    const behind = await startImap(named, {});
    const proxy = await startSocksServer({ 'mail.example.org': behind.port });
    try {
      const { code, err } = await command('open', url('mail.example.org', behind.port), [
        '--imap-password-file',
        passwordFile,
        '--ca',
        named.file,
        '--socks',
        `127.0.0.1:${String(proxy.port)}`,
      ]);
      expect(err).toBe(`Nothing to read: there is no letter in ${url('mail.example.org', behind.port)}.\n`);
      expect(code).toBe(EXIT.ok);
      expect(proxy.visits).toMatchObject([{ user: 'inbox', host: 'mail.example.org', port: behind.port }]);
    } finally {
      await behind.stop();
      await proxy.stop();
      named.remove();
    }
  });

  test.each<[string, () => Promise<CliResult>, string, number]>([
    [
      'a certificate of nobody known',
      () => command('open', url(), ['--imap-password-file', passwordFile]),
      'IMAP_CERTIFICATE',
      EXIT.notAuthentic,
    ],
    ['a certificate of another host', () => command('open', url('localhost')), 'IMAP_CERTIFICATE', EXIT.notAuthentic],
    ['a wrong password', () => command('open', url(), authority(), { terminal: { answers: ['wrong'] } }), 'IMAP_REFUSED', EXIT.passphrase],
    ['nobody there', async () => command('open', url('127.0.0.1', await closedPort())), 'IMAP_AWAY', EXIT.unavailable],
    ['no such folder', () => command('open', url('127.0.0.1', server.port, 'Nowhere')), 'INPUT_MISSING', EXIT.input],
    ['no terminal and no file', () => command('open', url(), authority()), 'PASSPHRASE_UNASKABLE', EXIT.passphrase],
    ['no TLS', () => command('open', url().replace('imaps:', 'imap:')), 'USAGE', EXIT.usage],
  ])('%s is one plain line', async (_what, act, name, exit) => {
    const { code, text, err } = await act();
    expect(err).toMatch(new RegExp(`^support-relay: .*; .* \\(${name}\\)$`, 'm'));
    expect(code).toBe(exit);
    expect(text).toBe('');
  });
});

describe('its address', () => {
  test('has a user, a host, and a folder or INBOX', () => {
    expect(parseImapUrl('imaps://anna@mail.example.org')).toEqual({ user: 'anna', host: 'mail.example.org', port: 993, folder: 'INBOX' });
    expect(parseImapUrl('imaps://team%40example.org@mail.example.org:1993/%D0%9F%D0%B8%D1%81%D1%8C%D0%BC%D0%B0/New')).toEqual({
      user: 'team@example.org',
      host: 'mail.example.org',
      port: 1993,
      folder: 'Письма/New',
    });
  });

  test.each([
    'imap://anna@mail.example.org',
    'imaps://mail.example.org/x',
    'imaps://anna:secret@mail.example.org/x',
    'imaps://',
    'imaps://anna@host/%ff',
  ])('%s is not one, and is not echoed', (text) => {
    expect(() => parseImapUrl(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('secret') as unknown }),
    );
  });
});
