// `open`: letters in every form they come in, and the identities that open them.
import { mkdir, readdir, rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIdentityFile } from '../../cli/keys/identity.ts';
import { createSignerFile } from '../../cli/keys/signer.ts';
import { EXIT } from '../../cli/errors.ts';
import type { Io } from '../../cli/terminal/io.ts';
import { sourcesOf, type Source } from '../../cli/reading/sources.ts';
import { armor } from '../../crypto/age/armor.ts';
import { encrypt } from '../../crypto/age/age.ts';
import { generateIdentity } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { randomBytes, utf8 } from '../../crypto/bytes.ts';
import { composeMail } from '../../worker/inboxes/message.ts';
import { TOPIC, cli, jsonLines, openOffice, temporaryDirectory, writeTo } from '../support/cli.ts';
import type { CliInput, CliResult, Office } from '../support/cli.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;

beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path);
});
afterAll(() => dir.remove());

const open = (paths: readonly string[], input?: CliInput): Promise<CliResult> =>
  cli(['open', '--identity', office.identity, ...paths], input);
const keyring = (): string[] => ['--keyring', office.keyring.file, '--root-key', office.rootPublicKey];
const envelope = { from: 'relay@example.org', to: 'team@example.org', subject: 'Message' };
const mail = (letter: Uint8Array): Promise<Buffer> => composeMail({ id: randomBytes(16), bytes: letter }, envelope, new Date(), 'windows');
async function maildir(name: string, messages: Record<string, string | Uint8Array>): Promise<string> {
  for (const folder of ['tmp', 'new', 'cur']) await mkdir(dir.path(name, folder), { recursive: true });
  for (const [file, content] of Object.entries(messages)) await writeTo(dir.path(name, file), content);
  return dir.path(name);
}

describe('open', () => {
  test('shows a request plainly in its language', async () => {
    const file = await writeTo(dir.path('a.age'), office.letter({ message: 'Мне страшно.\nЧто делать?', contact: '@anna' }));
    const { code, text, err } = await open([...keyring(), file]);
    expect(err).toBe('');
    expect(code).toBe(EXIT.ok);
    expect(text).toContain(`=== Обращение 1 · ${file}\n`);
    expect(text).toMatch(/^Тема: +Психологическая помощь \(psychological\)$/m);
    expect(text).toMatch(/^Контакт:\n {4}@anna$/m);
    expect(text).toContain('Текст:\n    Мне страшно.\n    Что делать?\n');
    const english = await writeTo(dir.path('b.age'), office.letter({ message: 'Help', language: 'en' }));
    expect((await open([...keyring(), english])).text).toMatch(
      /=== Request 1 .*\nTopic: +Psychological help \(psychological\)\nContact: +\(none given\)/,
    );
  });

  test('opens a letter in every form it comes in', async () => {
    const inBody = armor(office.letter({ message: 'in the body' })).replaceAll('\n', '\r\n');
    const forwarded = armor(office.letter({ message: 'quoted' })).replace(/^/gm, '> ');
    const files = [
      await writeTo(dir.path('binary.age'), office.letter({ message: 'binary' })),
      await writeTo(dir.path('armored.age'), armor(office.letter({ message: 'armored' }))),
      await writeTo(dir.path('pasted.txt'), `Посмотри:\n\n${armor(office.letter({ message: 'pasted' }))}\nСпасибо`),
      await writeTo(dir.path('mail.eml'), await mail(office.letter({ message: 'attached' }))),
      await writeTo(dir.path('body.eml'), `From: a@example.org\r\nContent-Type: text/plain\r\n\r\nSee below\r\n${inBody}`),
      await writeTo(dir.path('forward.eml'), `From: a@example.org\nContent-Type: text/plain\n\nLook:\n${forwarded}`),
    ];
    const { code, text, err } = await open(['--json', ...files]);
    expect(err).not.toContain('NOT OPENED');
    expect(code).toBe(EXIT.ok);
    expect(jsonLines(text)).toEqual(
      ['binary', 'armored', 'pasted', 'attached', 'in the body', 'quoted'].map((message, index) => ({
        source: files[index],
        authentic: true,
        keyringChecked: false,
        version: 1,
        kind: 'request',
        serial: 1,
        keyring: office.keyring.digest,
        topic: TOPIC.id,
        language: 'ru',
        message,
      })),
    );
  });

  test('reads standard input', async () => {
    for (const stdin of [
      office.letter({ message: 'piped' }),
      armor(office.letter({ message: 'piped' })),
      await mail(office.letter({ message: 'piped' })),
    ]) {
      const { code, text } = await open(['-'], { stdin });
      expect(code).toBe(EXIT.ok);
      expect(text).toContain('    piped\n');
    }
  });

  test('a Maildir with a corrupt message: the rest is shown, and the exit code is not zero', async () => {
    const corrupt = office.letter({ message: 'lost' });
    corrupt.set([1, 2, 3], corrupt.length - 100);
    const box = await maildir('box', {
      'new/1': await mail(office.letter({ message: 'first' })),
      'new/2': await mail(corrupt),
      'new/3': await mail(office.letter({ message: 'third' }).subarray(0, 20_000)),
      'cur/4:2,S': await mail(office.letter({ message: 'fourth' })),
      'tmp/5': 'half written',
    });
    const { code, text, err } = await open(['--json', box]);
    expect(code).toBe(EXIT.notAuthentic);
    expect(jsonLines(text)).toMatchObject([
      { authentic: true, message: 'first' },
      { source: `${box}/new/2`, authentic: false, error: { code: 'AGE_PAYLOAD' } },
      { source: `${box}/new/3`, authentic: false, error: { code: 'LETTER_STRUCTURE' } },
      { authentic: true, message: 'fourth' },
    ]);
    expect(err).toContain(`NOT OPENED: ${box}/new/2: `);
    expect(err).toContain('2 opened, 2 NOT opened');
    expect(text + err).not.toContain('tmp/5');
  });

  test('a Maildir that others read and change at the same time', async () => {
    const box = await maildir('used', {
      'new/1.host': await mail(office.letter({ message: 'moved' })),
      'new/2.host': await mail(office.letter({ message: 'stayed' })),
      'cur/3.host:2,S': await mail(office.letter({ message: 'marked' })),
    });
    await mkdir(dir.path('used/new/@eaDir'));
    await maildir('used/.Archive', { 'cur/9.host:2,S': 'Subject: x\n\nold\n' });
    const sources: Source[] = [];
    let err = '';
    for await (const source of sourcesOf(box, { err: (line: string) => void (err += line) } as Io)) sources.push(source);
    await rename(dir.path('used/new/1.host'), dir.path('used/cur/1.host:2,RS'));
    await rename(dir.path('used/cur/3.host:2,S'), dir.path('used/cur/3.host:2,FRS'));
    expect(await Promise.all(sources.map(async ({ read }) => (await read()).length > 20_000))).toEqual([true, true, true]);
    expect(err).toContain('folders within');
    expect(err).toContain('.Archive');
  });

  test('a Maildir whose messages are all in subfolders is not taken for an empty one', async () => {
    const box = await maildir('outer', {});
    await maildir('outer/.Requests', { 'new/1': await mail(office.letter({ message: 'within' })) });
    const { code, err } = await open([box]);
    expect([code, err]).toEqual([EXIT.input, expect.stringMatching(/no message in .*\.Requests.*\(INPUT_MISSING\)/)]);
    expect((await open([dir.path('outer/.Requests')])).text).toContain('    within\n');
  });

  test('a message without a letter is reported', async () => {
    const box = await maildir('chatter', { 'new/1': 'Subject: hello\n\nHow are you?' });
    const { code, err } = await open([box]);
    expect(code).toBe(EXIT.notAuthentic);
    expect(err).toContain('(LETTER_MISSING)');
  });

  test('a mail with several letters shows each, and says which one is damaged', async () => {
    const parts = ['one', 'two'].map((message) => armor(office.letter({ message })));
    const damaged = armor(office.letter()).replace(/\n[A-Za-z]/, '\n*');
    const file = await writeTo(dir.path('four.eml'), `Subject: x\n\n${[parts[0], damaged, parts[1]].join('\n')}`);
    const { code, text, err } = await open([file]);
    expect(code).toBe(EXIT.notAuthentic);
    expect(text).toContain('    one\n');
    expect(text).toContain('    two\n');
    expect(err).toContain('four.eml, letter 2: ');
  });

  test('the same letter delivered twice is shown once', async () => {
    const letter = office.letter({ message: 'once' });
    const box = await maildir('twice', { 'new/1': await mail(letter), 'cur/2:2,': await mail(letter) });
    const { code, text } = await open(['--json', box]);
    expect(code).toBe(EXIT.ok);
    expect(jsonLines(text)).toHaveLength(1);
  });

  test('an empty Maildir is no failure; a directory that is not a Maildir, a missing path and garbage are', async () => {
    expect((await open([await maildir('empty', {})])).code).toBe(EXIT.ok);
    const other = await open([dir.path('root')]);
    expect(other).toMatchObject({ code: EXIT.input });
    expect(other.err).toContain('no Maildir');
    expect((await open([dir.path('nowhere')])).code).toBe(EXIT.input);
    expect((await open([await writeTo(dir.path('garbage'), randomBytes(30_000))])).code).toBe(EXIT.notAuthentic);
    const letter = await writeTo(dir.path('still.age'), office.letter({ message: 'still' }));
    const mixed = await open([dir.path('nowhere'), letter]);
    expect(mixed.code).toBe(EXIT.input);
    expect(mixed.text).toContain('    still\n');
  });

  test('an age file that is not a letter is refused', async () => {
    const file = await writeTo(dir.path('small.age'), encrypt(utf8('{"version":1}'), [office.recipient]));
    const { code, err, text } = await open([file]);
    expect(code).toBe(EXIT.notAuthentic);
    expect(err).toContain('(LETTER_STRUCTURE)');
    expect(text).toBe('');
  });

  test('writes nothing to disk', async () => {
    const box = await maildir('quiet', { 'new/1': await mail(office.letter()) });
    const before = await readdir(dir.path(), { recursive: true });
    await open([box]);
    expect(await readdir(dir.path(), { recursive: true })).toEqual(before);
  });
});

describe('identities', () => {
  test('several: each letter opens with its own; one that none of them opens is reported', async () => {
    const second = await createIdentityFile({ file: dir.path('second.txt') });
    const [mine, theirs] = [
      await writeTo(dir.path('mine.age'), office.letter({ message: 'mine' })),
      await writeTo(dir.path('theirs.age'), (await openOffice((...parts) => dir.path('other', ...parts))).letter()),
    ];
    const both = await cli(['open', '--identity', second.file, '--identity', office.identity, mine, theirs]);
    expect(both.code).toBe(EXIT.notAuthentic);
    expect(both.text).toContain('    mine\n');
    expect(both.err).toContain(
      `NOT OPENED: ${theirs}: none of the identities opens this file; ` +
        'it is for others, or its week has another key, which may be shredded (AGE_NO_MATCH)',
    );
  });

  test('protected ones ask once for their common passphrase; a wrong one is exit 4', async () => {
    const protectedFiles = [dir.path('w1.age'), dir.path('w2.age')];
    // At a low work factor, which each file names.
    for (const file of protectedFiles) await writeTo(file, await encryptWithPassphrase(utf8(generateIdentity()), 'open sesame', 10));
    const letter = await writeTo(dir.path('l.age'), office.letter({ message: 'mine' }));
    const identities = [...protectedFiles, office.identity].flatMap((file) => ['--identity', file]);
    const asked = await cli(['open', ...identities, letter], { terminal: { answers: ['open sesame'] } });
    expect(asked.code, asked.err).toBe(EXIT.ok);
    expect(asked.asked).toHaveLength(1);
    const wrong = await cli(['open', ...identities, letter], { terminal: { answers: ['sesame'] } });
    expect(wrong.code).toBe(EXIT.passphrase);
    expect(wrong.err).toContain('(PASSPHRASE_WRONG)');
    const unaskable = await cli(['open', ...identities, letter]);
    expect(unaskable.code).toBe(EXIT.passphrase);
    expect(unaskable.err).toContain('(PASSPHRASE_UNASKABLE)');
  });

  test.each<readonly [string, () => Promise<string> | string, string]>([
    ['none', () => writeTo(dir.path('not-a-key'), 'AGE-SECRET-KEY-1QQQ\n'), ''],
    ['root.pub', () => office.rootPublicKey, 'the public half of the root key, or of a signer'],
    ['root.key', () => office.rootKey, 'a secret key of minisign, such as the root key'],
    ['a signer', async () => (await createSignerFile({ file: dir.path('given.key') })).file, 'the secret half of a signer'],
    ['a recipient', () => writeTo(dir.path('recipient'), `${office.recipient}\n`), 'the public half, a recipient'],
  ])('%s in place of an identity is named by its file and by what it is', async (_what, write, what) => {
    const file = await write();
    const { code, err } = await cli(['open', '--identity', file, dir.path('a.age')]);
    expect([code, err]).toEqual([EXIT.input, expect.stringMatching(/\(INPUT_FORMAT\)\n$/)]);
    expect(err).toContain(`${file} is no identity file: ${what === '' ? '' : `it is ${what}`}`);
  });
});
