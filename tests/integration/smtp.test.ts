// The inbox that is an address at a mail server.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import type { SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dearmor } from '../../crypto/age/armor.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { LETTER_BYTES } from '../../crypto/letter.ts';
import { ready } from '../../crypto/sodium.ts';
import type { Guard } from '../../worker/inboxes/guard.ts';
import type { Letter, Refused } from '../../worker/inboxes/inbox.ts';
import { guardedInbox, inboxesSchema } from '../../worker/inboxes/kinds.ts';
import { closedPort, makeCertificate, startSmtp, type Certificate, type TestSmtp } from '../support/smtp.ts';
import { dripAtMail, scripted, type Script } from '../support/smtp-scripts.ts';

const USER = { user: 'relay', password: 'open sesame' };
let certificate: Certificate;
let elsewhere: Certificate;
let dir: string;
const servers: TestSmtp[] = [];

beforeAll(async () => {
  await ready;
  certificate = makeCertificate('IP:127.0.0.1');
  elsewhere = makeCertificate('DNS:mail.example.org');
  dir = await mkdtemp(join(tmpdir(), 'relay-smtp-'));
  await writeFile(join(dir, 'password'), `${USER.password}\n`);
});
afterAll(async () => {
  certificate.remove();
  elsewhere.remove();
  await rm(dir, { recursive: true });
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const newLetter = (): Letter => ({ id: randomBytes(16), bytes: randomBytes(LETTER_BYTES) });

async function serve(...args: Parameters<typeof startSmtp>): Promise<TestSmtp> {
  const server = await startSmtp(...args);
  servers.push(server);
  return server;
}

function inboxAt(port: number, more: object = {}): Guard {
  const settings = {
    id: 'inbox-1',
    team: '00112233445566aa',
    kind: 'smtp',
    host: '127.0.0.1',
    port,
    tls: 'none',
    from: 'relay@example.org',
    to: 'team@example.org',
    ...more,
  };
  const [parsed] = inboxesSchema.parse([settings]);
  if (!parsed) throw new Error('no inbox');
  return guardedInbox(parsed, null);
}

const login: NonNullable<SMTPServerOptions['onAuth']> = (auth, _session, done) => {
  if (auth.username === USER.user && auth.password === USER.password) done(null, { user: USER.user });
  else done(Object.assign(new Error('wrong'), { responseCode: 535 }));
};

describe('an SMTP inbox', () => {
  it('sends one mail per letter, which reveals nothing about this machine, over one connection', async () => {
    const server = await serve();
    const inbox = inboxAt(server.port);
    const letters = [newLetter(), newLetter(), newLetter()];
    for (const letter of letters) await inbox.deliver(letter);
    expect(server.connections).toBe(1);
    expect(server.mails.map(({ from, to, hello }) => ({ from, to, hello }))).toEqual(
      letters.map(() => ({ from: 'relay@example.org', to: ['team@example.org'], hello: '[127.0.0.1]' })),
    );
    for (const [index, letter] of letters.entries()) {
      const mail = await PostalMime.parse(server.mails[index]?.raw ?? '');
      expect(mail.headers.map(({ key }) => key)).toEqual(['from', 'to', 'subject', 'message-id', 'date', 'mime-version', 'content-type']);
      expect(mail).toMatchObject({ subject: 'Message', messageId: `<${toHex(letter.id)}@relay.invalid>` });
      expect(new Date(mail.date ?? '').getTime() % 86_400_000).toBe(0);
      expect(new Uint8Array(mail.attachments[0]?.content as ArrayBuffer)).toEqual(letter.bytes);
      expect(dearmor(mail.text ?? '')).toEqual(letter.bytes);
    }
  });

  it('closes its connection when nothing follows', async () => {
    const server = await serve({ closeTimeout: 60_000 });
    await inboxAt(server.port).deliver(newLetter());
    const start = Date.now();
    await server.stop();
    servers.pop();
    expect(Date.now() - start).toBeLessThan(10_000);
  });

  it('uses implicit TLS, and logs in', async () => {
    const server = await serve({ secure: true, key: certificate.key, cert: certificate.cert, authOptional: false, onAuth: login });
    const inbox = inboxAt(server.port, { tls: 'implicit', caFile: certificate.file, user: USER.user, passwordFile: join(dir, 'password') });
    await inbox.deliver(newLetter());
    expect(server.mails).toMatchObject([{ secure: true, user: USER.user }]);
  });

  it('uses STARTTLS', async () => {
    const server = await serve({ key: certificate.key, cert: certificate.cert });
    await inboxAt(server.port, { tls: 'starttls', caFile: certificate.file }).deliver(newLetter());
    expect(server.mails).toMatchObject([{ secure: true }]);
  });

  it.each<[string, SMTPServerOptions, () => object]>([
    ['of nobody we know', { secure: true }, () => ({ tls: 'implicit' })],
    ['of nobody we know, after STARTTLS', {}, () => ({ tls: 'starttls' })],
    ['of another host', { secure: true }, () => ({ tls: 'implicit', caFile: elsewhere.file })],
  ])('sends nothing to a server with a certificate %s', async (_name, options, settings) => {
    const { key, cert } = 'caFile' in settings() ? elsewhere : certificate;
    const server = await serve({ ...options, key, cert });
    await expect(inboxAt(server.port, settings()).deliver(newLetter())).rejects.toMatchObject({ giveUpAfterMs: Infinity, about: 'inbox' });
    expect(server.mails).toEqual([]);
  });

  it('sends nothing when STARTTLS is not offered', async () => {
    const server = await serve();
    await expect(inboxAt(server.port, { tls: 'starttls' }).deliver(newLetter())).rejects.toMatchObject({
      giveUpAfterMs: Infinity,
      about: 'inbox',
    });
    expect(server.mails).toEqual([]);
  });

  it('waits for the operator when the login fails', async () => {
    const server = await serve({ secure: true, key: certificate.key, cert: certificate.cert, onAuth: login });
    await writeFile(join(dir, 'wrong'), 'wrong');
    const inbox = inboxAt(server.port, { tls: 'implicit', caFile: certificate.file, user: USER.user, passwordFile: join(dir, 'wrong') });
    await expect(inbox.deliver(newLetter())).rejects.toMatchObject({ giveUpAfterMs: Infinity, reason: 'login-refused-535' });
    expect(server.mails).toEqual([]);
  });

  const FOR_EVER = Infinity;
  const FIVE_DAYS = 5 * 86_400_000;

  it.each<[keyof Script, string, number, Refused['about'], string]>([
    ['banner', '554 5.3.2 no service for you', FOR_EVER, 'inbox', 'connection-refused-554-5.3.2'],
    ['banner', '421 too many', FOR_EVER, 'inbox', 'connection-refused-421'],
    ['EHLO', '421 4.7.0 go away', FOR_EVER, 'inbox', 'greeting-refused-421-4.7.0'],
    ['HELO', '501 syntax', FOR_EVER, 'inbox', 'greeting-refused-501'],
    ['HELO', '550 5.7.1 your name is odd', FOR_EVER, 'inbox', 'greeting-refused-550-5.7.1'],
    ['MAIL', '550 5.7.1 sender refused', FOR_EVER, 'inbox', 'reply-550-5.7.1'],
    ['MAIL', '451 later', FOR_EVER, 'inbox', 'reply-451'],
    ['MAIL', '530 5.7.0 log in first', FOR_EVER, 'inbox', 'reply-530-5.7.0'],
    ['RCPT', '450 4.2.1 greylisted', FOR_EVER, 'inbox', 'reply-450-4.2.1'],
    ['RCPT', '550 5.1.1 no such user', FIVE_DAYS, 'inbox', 'reply-550-5.1.1'],
    ['RCPT', '550 5.7.1 not today', FIVE_DAYS, 'inbox', 'reply-550-5.7.1'],
    ['RCPT', '550 try later', FIVE_DAYS, 'inbox', 'reply-550'],
    ['RCPT', '552 5.2.2 mailbox full', FIVE_DAYS, 'inbox', 'reply-552-5.2.2'],
    ['RCPT', '552 5.3.4 too big', FIVE_DAYS, 'inbox', 'reply-552-5.3.4'],
    ['DATA', '451 4.3.0 later', FOR_EVER, 'letter', 'reply-451-4.3.0'],
    ['DATA', '554 no valid recipients', FIVE_DAYS, 'letter', 'reply-554'],
    ['end', '421 4.3.2 shutting down', FOR_EVER, 'inbox', 'reply-421-4.3.2'],
    ['end', '452 4.3.1 disk full', FOR_EVER, 'letter', 'reply-452-4.3.1'],
    ['end', '552 5.2.2 mailbox full', FIVE_DAYS, 'letter', 'reply-552-5.2.2'],
    ['end', '554 5.7.0 policy', FIVE_DAYS, 'letter', 'reply-554-5.7.0'],
    ['end', '550-5.7.1 spam\r\n550 5.7.1 a second line', FIVE_DAYS, 'letter', 'reply-550-5.7.1'],
    ['end', '554 rejected 5.6.0', FIVE_DAYS, 'letter', 'reply-554'],
    ['end', '554 5.6.0 content', 0, 'letter', 'reply-554-5.6.0'],
    ['end', '552 5.3.4 too big', 0, 'letter', 'reply-552-5.3.4'],
    ['end', '552 5.2.3 too long for this mailbox', 0, 'letter', 'reply-552-5.2.3'],
  ])('a reply to %s of "%s" is tried for %d ms, is about the %s, and called %s', async (stage, reply, giveUpAfterMs, about, reason) => {
    const script: Script = { [stage]: reply, ...(stage === 'HELO' && { EHLO: reply }) };
    const server = await scripted(script);
    const inbox = inboxAt(server.port);
    const letter = newLetter();
    try {
      const refusal: unknown = await inbox.deliver(letter).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ giveUpAfterMs, about, reason });
      expect(String(refusal)).not.toMatch(/example|127\.0|odd|spam|policy/);
      Object.assign(script, {
        banner: undefined,
        EHLO: undefined,
        HELO: undefined,
        MAIL: undefined,
        RCPT: undefined,
        DATA: undefined,
        end: undefined,
      });
      await inbox.deliver(letter);
      expect(server.heard.filter((line) => line === '.')).not.toEqual([]);
    } finally {
      await server.stop();
    }
  });

  it('greets with the configured name, and gives up after the configured days', async () => {
    const server = await scripted({ RCPT: '550 no' });
    try {
      const inbox = inboxAt(server.port, { greeting: 'relay.example.org', giveUpDays: 2 });
      await expect(inbox.deliver(newLetter())).rejects.toMatchObject({ giveUpAfterMs: 2 * 86_400_000 });
      expect(server.heard[0]).toBe('EHLO relay.example.org');
    } finally {
      await server.stop();
    }
  });

  it.each(['a b', 'x\r\nMAIL FROM:<a@b.c>', '-a', 'a..b', '[x]', ''])('refuses %j as a greeting', (greeting) => {
    expect(() => inboxAt(1, { greeting })).toThrow('expected a host name, or an address in brackets');
  });

  it.each([
    ['armor', 0],
    ['attachment', 1],
  ] as const)('sends the letter as %s alone', async (form, attachments) => {
    const server = await serve();
    const letter = newLetter();
    await inboxAt(server.port, { form }).deliver(letter);
    const mail = await PostalMime.parse(server.mails[0]?.raw ?? '');
    expect(mail.attachments).toHaveLength(attachments);
    const [attachment] = mail.attachments;
    expect(attachment === undefined ? dearmor(mail.text ?? '') : new Uint8Array(attachment.content as ArrayBuffer)).toEqual(letter.bytes);
    expect(mail.text?.trim() ?? '').toMatch(form === 'armor' ? /^-----BEGIN AGE/ : /^$/);
  });

  it('tries again when there is no server, and delivers once there is one', async () => {
    const port = await closedPort();
    const inbox = inboxAt(port);
    await expect(inbox.deliver(newLetter())).rejects.toMatchObject({ giveUpAfterMs: Infinity, about: 'inbox' });
    const server = await serve({}, {}, port);
    await inbox.deliver(newLetter());
    expect(server.mails).toHaveLength(1);
  });

  it('sends the same Message-ID again when the connection broke before the answer', async () => {
    let times = 0;
    const server = await serve({}, { hangUp: () => times++ === 0 });
    const inbox = inboxAt(server.port);
    const letter = newLetter();
    await expect(inbox.deliver(letter)).rejects.toMatchObject({ giveUpAfterMs: Infinity, about: 'inbox' });
    await inbox.deliver(letter);
    expect(server.mails.length).toBeGreaterThanOrEqual(2);
    expect(new Set(server.mails.map(({ raw }) => raw.toString('latin1'))).size).toBe(1);
  });

  it('gives up on a server that never finishes its reply, and starts afresh', async () => {
    const dripping = await dripAtMail();
    try {
      const inbox = inboxAt(dripping.port, { timeoutSeconds: 2 });
      for (let times = 1; times <= 2; times += 1) {
        await expect(inbox.deliver(newLetter())).rejects.toMatchObject({ giveUpAfterMs: Infinity, about: 'inbox', reason: 'EABORT' });
        expect(dripping.connections()).toBe(times);
      }
    } finally {
      await dripping.stop();
    }
  });
});
