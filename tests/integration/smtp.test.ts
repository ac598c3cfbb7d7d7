import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
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
import type { Letter } from '../../worker/inboxes/inbox.ts';
import { inboxesSchema, inboxOf } from '../../worker/inboxes/kinds.ts';
import { closedPort, makeCertificate, startSmtp, type Certificate, type TestSmtp } from '../support/smtp.ts';

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
  const settings = { id: 'inbox-1', team: '00112233445566aa', kind: 'smtp', host: '127.0.0.1', port, tls: 'none', from: 'relay@example.org', to: 'team@example.org', ...more };
  const [parsed] = inboxesSchema.parse([settings]);
  if (!parsed) throw new Error('no inbox');
  return inboxOf(parsed);
}

/** Answers MAIL with one line of its reply after the other, and never with the last. */
async function dripAtMail() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.write('220 hello\r\n');
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (!bytes.toString('latin1').startsWith('MAIL')) return void socket.write('250 ok\r\n');
      const drip = setInterval(() => socket.write('250-more\r\n'), 100);
      socket.on('close', () => clearInterval(drip));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.length,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

const login: NonNullable<SMTPServerOptions['onAuth']> = (auth, _session, done) => {
  if (auth.username === USER.user && auth.password === USER.password) done(null, { user: USER.user });
  else done(Object.assign(new Error('wrong'), { responseCode: 535 }));
};

describe('an SMTP inbox', () => {
  it('sends one mail a letter that tells nothing of this machine, over one connection', async () => {
    const server = await serve();
    const inbox = inboxAt(server.port);
    const letters = [newLetter(), newLetter(), newLetter()];
    for (const letter of letters) await inbox.deliver(letter);
    expect(server.connections).toBe(1);
    expect(server.mails.map(({ from, to, hello }) => ({ from, to, hello }))).toEqual(letters.map(() => ({ from: 'relay@example.org', to: ['team@example.org'], hello: '[127.0.0.1]' })));
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

  it('uses TLS from the first byte, and logs in', async () => {
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
    await expect(inboxAt(server.port, settings()).deliver(newLetter())).rejects.toMatchObject({ permanent: false });
    expect(server.mails).toEqual([]);
  });

  it('sends nothing when STARTTLS is not offered', async () => {
    const server = await serve();
    await expect(inboxAt(server.port, { tls: 'starttls' }).deliver(newLetter())).rejects.toMatchObject({ permanent: false });
    expect(server.mails).toEqual([]);
  });

  it('waits for the operator when the login fails', async () => {
    const server = await serve({ secure: true, key: certificate.key, cert: certificate.cert, onAuth: login });
    await writeFile(join(dir, 'wrong'), 'wrong');
    const inbox = inboxAt(server.port, { tls: 'implicit', caFile: certificate.file, user: USER.user, passwordFile: join(dir, 'wrong') });
    await expect(inbox.deliver(newLetter())).rejects.toMatchObject({ permanent: false, reason: 'reply-535' });
    expect(server.mails).toEqual([]);
  });

  it.each([
    ['mailFrom', 550, false],
    ['mailFrom', 451, false],
    ['rcptTo', 450, false],
    ['rcptTo', 530, false],
    ['rcptTo', 550, true],
    ['data', 452, false],
    ['data', 421, false],
    ['data', 552, true],
    ['data', 554, true],
  ] as const)('takes a reply to %s of %i for final: %s, and repeats nothing of it', async (stage, code, permanent) => {
    let times = 0;
    const server = await serve({}, { [stage]: () => (times++ === 0 ? code : null) });
    const inbox = inboxAt(server.port);
    const letter = newLetter();
    const refusal: unknown = await inbox.deliver(letter).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ permanent, reason: `reply-${String(code)}` });
    expect(String(refusal)).not.toMatch(/example|127\.0/);
    expect(server.mails).toEqual([]);
    await inbox.deliver(letter);
    expect(server.mails).toHaveLength(1);
  });

  it('tries again when there is no server, and when there is one again', async () => {
    const port = await closedPort();
    const inbox = inboxAt(port);
    await expect(inbox.deliver(newLetter())).rejects.toMatchObject({ permanent: false });
    const server = await serve({}, {}, port);
    await inbox.deliver(newLetter());
    expect(server.mails).toHaveLength(1);
  });

  it('sends the same Message-ID again when the connection broke before the answer', async () => {
    let times = 0;
    const server = await serve({}, { hangUp: () => times++ === 0 });
    const inbox = inboxAt(server.port);
    const letter = newLetter();
    await expect(inbox.deliver(letter)).rejects.toMatchObject({ permanent: false });
    await inbox.deliver(letter);
    expect(server.mails.length).toBeGreaterThanOrEqual(2);
    expect(new Set(server.mails.map(({ raw }) => raw.toString('latin1'))).size).toBe(1);
  });

  it('gives up on a server that goes on answering and never ends, and starts anew', async () => {
    const dripping = await dripAtMail();
    try {
      const inbox = inboxAt(dripping.port, { timeoutSeconds: 2 });
      for (let times = 1; times <= 2; times += 1) {
        await expect(inbox.deliver(newLetter())).rejects.toMatchObject({ permanent: false, reason: 'EABORT' });
        expect(dripping.connections()).toBe(times);
      }
    } finally {
      await dripping.stop();
    }
  });
});
