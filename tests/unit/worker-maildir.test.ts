import { execFileSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dearmor } from '../../crypto/age/armor.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { LETTER_BYTES } from '../../crypto/letter.ts';
import { ready } from '../../crypto/sodium.ts';
import type { Inbox, Letter } from '../../worker/inboxes/inbox.ts';
import { maildir } from '../../worker/inboxes/maildir.ts';
import { composeMail, NEUTRAL_ENVELOPE, startOfDay } from '../../worker/inboxes/message.ts';

let path: string;
let inbox: Inbox;
let letter: Letter;

beforeAll(() => ready);
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'relay-maildir-'));
  inbox = await open();
  letter = { id: randomBytes(16), bytes: randomBytes(LETTER_BYTES) };
});
afterEach(() => rm(path, { recursive: true, force: true }));

const open = (): Promise<Inbox> =>
  maildir.createInbox({ id: 'inbox-1', team: '0'.repeat(16), kind: 'maildir', path: join(path, 'box'), timeoutSeconds: 60 }, null);
const list = (part: string): Promise<string[]> => readdir(join(path, 'box', part));

describe('a Maildir', () => {
  it('gets a complete file in new/, for its owner only, with its time rounded to the day', async () => {
    await inbox.deliver(letter);
    const name = toHex(letter.id);
    expect([await list('new'), await list('tmp'), await list('cur')]).toEqual([[name], [], []]);
    const { mode, mtimeMs, atimeMs } = await stat(join(path, 'box/new', name));
    expect(mode & 0o777).toBe(0o600);
    expect(mtimeMs % 86_400_000).toBe(0);
    expect(atimeMs % 86_400_000).toBe(0);
    expect((await stat(join(path, 'box'))).mode & 0o777).toBe(0o700);
    const mail = await PostalMime.parse(await readFile(join(path, 'box/new', name)));
    expect(new Uint8Array(mail.attachments[0]?.content as ArrayBuffer)).toEqual(letter.bytes);
  });

  it.each([
    ['cur', ''],
    ['cur', ':2,'],
    ['cur', ':2,S'],
    ['cur', ':2,FRSTab'],
    ['cur', ';2,FS'],
    ['cur', '!2,R'],
    ['cur', '-2,S'],
    ['cur', ',S=30917,W=31416:2,S'],
    ['cur', ',U=7,FMD5=d41d8cd98f00b204e9800998ecf8427e:2,RS'],
    ['cur', '.host:2,S'],
    ['new', ',U=5'],
    ['new', ':2,'],
  ])('does not get a letter again that its reader has in %s/ as <id>%s', async (part, suffix) => {
    await inbox.deliver(letter);
    await rename(join(path, 'box/new', toHex(letter.id)), join(path, 'box', part, `${toHex(letter.id)}${suffix}`));
    await inbox.deliver(letter);
    // Like a worker restarted after a crash, which remembers nothing.
    await (await open()).deliver(letter);
    expect([...(await list('new')), ...(await list('cur'))]).toEqual([`${toHex(letter.id)}${suffix}`]);
  });

  it('takes no other file for a letter, whether its name is longer or shorter', async () => {
    const name = toHex(letter.id);
    for (const other of [`${name}0`, `${name}abc:2,S`, name.slice(1), `x${name}`]) await writeFile(join(path, 'box/cur', other), 'mail');
    await inbox.deliver(letter);
    expect(await list('new')).toEqual([name]);
  });

  it.each([
    ['a folder in cur/', 'cur', (file: string) => mkdir(file)],
    ['a pipe in cur/', 'cur', (file: string) => Promise.resolve(void execFileSync('mkfifo', [file]))],
    ['a pipe in new/', 'new', (file: string) => Promise.resolve(void execFileSync('mkfifo', [file]))],
    ['a dangling link in new/', 'new', (file: string) => symlink('/nowhere', file)],
  ] as const)('does not take a %s for the letter of that name', async (_what, part, make) => {
    await make(join(path, 'box', part, toHex(letter.id)));
    await inbox.deliver(letter);
    expect((await lstat(join(path, 'box/new', toHex(letter.id)))).isFile()).toBe(true);
  });

  it('refuses only the letter whose place is taken by a folder, and leaves nothing in tmp/', async () => {
    await mkdir(join(path, 'box/new', toHex(letter.id)));
    await expect(inbox.deliver(letter)).rejects.toMatchObject({ giveUpAfterMs: Infinity, about: 'letter', reason: 'EISDIR' });
    await inbox.deliver({ id: randomBytes(16), bytes: randomBytes(LETTER_BYTES) });
    expect([(await list('new')).length, await list('tmp')]).toEqual([2, []]);
  });

  it('refuses a letter whose id is longer than a name can be, and no other with it', async () => {
    const strange = { id: randomBytes(200), bytes: randomBytes(LETTER_BYTES) };
    await expect(inbox.deliver(strange)).rejects.toMatchObject({ about: 'letter', reason: 'ENAMETOOLONG' });
  });

  it('opens despite files that it cannot remove or read', async () => {
    await mkdir(join(path, 'box/tmp', `${toHex(letter.id)}.0123456789abcdef`));
    await mkdir(join(path, 'box/cur/sub'));
    await writeFile(join(path, 'box/cur/unreadable'), '', { mode: 0 });
    execFileSync('mkfifo', [join(path, 'box/new/pipe')]);
    await (await open()).deliver(letter);
    expect(await list('new')).toContain(toHex(letter.id));
  });

  it('reads its folders once for many letters, and again for later ones', async () => {
    const reads = vi.spyOn(performance, 'now');
    let nowMs = 0;
    reads.mockImplementation(() => nowMs);
    const other = { id: randomBytes(16), bytes: randomBytes(LETTER_BYTES) };
    await inbox.deliver(letter);
    await writeFile(join(path, 'box/cur', `${toHex(other.id)}:2,S`), 'by a worker that has died since');
    nowMs = 1_000;
    await inbox.deliver(other);
    reads.mockRestore();
    expect(await list('new')).toEqual([toHex(letter.id)]);
  });

  it('has one file after a letter was delivered twice concurrently', async () => {
    // Opened first: opening removes what looks like the remains of a crash, and the delivery would have to be repeated.
    const other = await open();
    await Promise.all([inbox.deliver(letter), other.deliver(letter), inbox.deliver(letter)]);
    expect([await list('new'), await list('tmp')]).toEqual([[toHex(letter.id)], []]);
  });

  it('removes what a crash left in tmp/, and nothing else', async () => {
    await writeFile(join(path, 'box/tmp', `${toHex(letter.id)}.0123456789abcdef`), 'half a ma');
    await writeFile(join(path, 'box/tmp', '1234.other.program'), 'another program');
    await open();
    expect(await list('tmp')).toEqual(['1234.other.program']);
  });

  it('refuses for now when its disk is gone, and accepts the letter when it is back', async () => {
    await rename(join(path, 'box'), join(path, 'away'));
    await expect(inbox.deliver(letter)).rejects.toMatchObject({ giveUpAfterMs: Infinity, about: 'inbox', reason: 'ENOENT' });
    await rename(join(path, 'away'), join(path, 'box'));
    await inbox.deliver(letter);
    expect(await list('new')).toHaveLength(1);
  });

  it('can be an existing folder', async () => {
    await mkdir(join(path, 'box/new'), { recursive: true });
    await (await open()).deliver(letter);
    expect(await list('new')).toHaveLength(1);
  });
});

describe('the mail of a letter', () => {
  const morning = new Date('2026-03-04T05:06:07Z');
  const evening = new Date('2026-03-04T23:59:59Z');

  it('is the same to the byte when repeated', async () => {
    const first = await composeMail(letter, NEUTRAL_ENVELOPE, morning, 'unix');
    expect(await composeMail(letter, NEUTRAL_ENVELOPE, evening, 'unix')).toEqual(first);
  });

  it('has these headers and no other', async () => {
    const { headers, messageId, date } = await PostalMime.parse(await composeMail(letter, NEUTRAL_ENVELOPE, morning, 'windows'));
    expect(headers.map(({ key }) => key)).toEqual(['from', 'to', 'subject', 'message-id', 'date', 'mime-version', 'content-type']);
    expect(messageId).toBe(`<${toHex(letter.id)}@relay.invalid>`);
    expect(date).toBe(startOfDay(morning).toISOString());
  });

  it('holds the letter as a file and as 64-column armor', async () => {
    const raw = await composeMail(letter, NEUTRAL_ENVELOPE, morning, 'windows');
    const mail = await PostalMime.parse(raw);
    expect(mail.attachments.map(({ filename }) => filename)).toEqual(['letter.age']);
    expect(dearmor(mail.text ?? '')).toEqual(letter.bytes);
    const lines = raw.toString('latin1').split('\r\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
    const begin = lines.indexOf('-----BEGIN AGE ENCRYPTED FILE-----');
    const end = lines.indexOf('-----END AGE ENCRYPTED FILE-----');
    expect(lines.slice(begin + 1, end - 1).every((line) => line.length === 64)).toBe(true);
  });

  it('has LF line ends on disk and CRLF on the wire', async () => {
    expect((await composeMail(letter, NEUTRAL_ENVELOPE, morning, 'unix')).includes('\r')).toBe(false);
    const wire = (await composeMail(letter, NEUTRAL_ENVELOPE, morning, 'windows')).toString('latin1');
    expect(wire.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });
});
