// Mail that goes through Tor's SOCKS port.
import { createHook } from 'node:async_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { LETTER_BYTES } from '../../crypto/letter.ts';
import { ready } from '../../crypto/sodium.ts';
import { publishMix } from '../../redis/state.ts';
import type { SocksAddress } from '../../runtime/socks.ts';
import { AdministratorMail, administratorSchema } from '../../worker/administrator.ts';
import type { Guard } from '../../worker/inboxes/guard.ts';
import type { Letter } from '../../worker/inboxes/inbox.ts';
import { guardedInbox, inboxesSchema } from '../../worker/inboxes/kinds.ts';
import { oneRedis } from '../support/one-redis.ts';
import { WELL } from '../support/operator-stand.ts';
import { closedPort, makeCertificate, startSmtp, type Certificate, type TestSmtp } from '../support/smtp.ts';
import { ONION, startSocksServer } from '../support/socks-server.ts';

const HOST = 'mail.example.org';
const DAY_MS = 86_400_000;
let certificate: Certificate;
let dir: string;
const running: { stop: () => Promise<void> }[] = [];
const emptyRedis = oneRedis();

beforeAll(async () => {
  await ready;
  certificate = makeCertificate(`DNS:${HOST}`);
  dir = await mkdtemp(join(tmpdir(), 'relay-smtp-tor-'));
});
afterAll(async () => {
  certificate.remove();
  await rm(dir, { recursive: true });
});
afterEach(async () => {
  for (const each of running.splice(0).toReversed()) await each.stop();
});

function kept<T extends { stop: () => Promise<void> }>(server: T): T {
  running.push(server);
  return server;
}

const serve = async (secure = true): Promise<TestSmtp> =>
  kept(await startSmtp(secure ? { secure, key: certificate.key, cert: certificate.cert } : {}));
const proxy = async (...args: Parameters<typeof startSocksServer>) => kept(await startSocksServer(...args));
const at = ({ port }: { port: number }): SocksAddress => ({ host: '127.0.0.1', port });
const newLetter = (): Letter => ({ id: randomBytes(16), bytes: randomBytes(LETTER_BYTES) });

function inboxBehind(tor: SocksAddress | null, more: object = {}): Guard {
  const settings = {
    ...{ id: 'inbox-1', team: '00112233445566aa', kind: 'smtp', host: HOST, port: 465, tls: 'implicit', caFile: certificate.file },
    ...{ from: 'relay@example.org', to: 'team@example.org', ...more },
  };
  const [parsed] = inboxesSchema.parse([settings]);
  if (!parsed) throw new Error('no inbox');
  return guardedInbox(parsed, tor);
}

/** How often this process asks for a name while `work` goes on, in whatever way. */
async function namesAsked(work: () => Promise<unknown>): Promise<number> {
  let asked = 0;
  const hook = createHook({ init: (_id, type) => (asked += /^(?:GETADDRINFOREQWRAP|QUERYWRAP)$/.test(type) ? 1 : 0) }).enable();
  await work().finally(() => hook.disable());
  return asked;
}

describe('mail through Tor', () => {
  it('reaches the server by a name that only Tor resolves, and verifies its certificate', async () => {
    const server = await serve();
    const socks = await proxy({ [HOST]: server.port });
    expect(await namesAsked(() => inboxBehind(at(socks)).deliver(newLetter()))).toBe(0);
    expect(server.mails).toMatchObject([{ secure: true, hello: '[127.0.0.1]', to: ['team@example.org'] }]);
    expect(socks.visits).toMatchObject([{ host: HOST, port: 465 }]);
  });

  it('goes through a unix socket, with STARTTLS', async () => {
    const server = kept(await startSmtp({ key: certificate.key, cert: certificate.cert }));
    const path = join(dir, 'socks.sock');
    await proxy({ [HOST]: server.port }, { path });
    await inboxBehind({ path }, { tls: 'starttls', port: 587 }).deliver(newLetter());
    expect(server.mails).toMatchObject([{ secure: true }]);
  });

  it('has a circuit for each inbox and each connection, under a name that says nothing', async () => {
    const server = await serve();
    const socks = await proxy({ [HOST]: server.port });
    const first = inboxBehind(at(socks));
    for (let letters = 0; letters < 3; letters += 1) await first.deliver(newLetter());
    await inboxBehind(at(socks)).deliver(newLetter());
    expect(server.connections).toBe(2);
    const names = socks.visits.flatMap(({ user, password }) => [user, password]);
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/);
  });

  it('sends nothing to a server with a certificate of another name, or that nobody vouches for', async () => {
    const server = await serve();
    const socks = await proxy({ 'other.example.org': server.port, [HOST]: server.port });
    for (const wrong of [{ host: 'other.example.org' }, { caFile: undefined }]) {
      await expect(inboxBehind(at(socks), wrong).deliver(newLetter())).rejects.toMatchObject({ giveUpAfterMs: Infinity, about: 'inbox' });
    }
    expect(socks.visits).toHaveLength(2);
    expect(server.mails).toEqual([]);
  });

  it('goes directly where the inbox says so, where the server is on this machine, and where there is no Tor', async () => {
    const server = await serve(false);
    const socks = await proxy({});
    const here = { host: '127.0.0.1', port: server.port, tls: 'none' };
    for (const [tor, more] of [
      [at(socks), { ...here, via: 'direct' }],
      [at(socks), here],
      [null, here],
    ] as const) {
      await inboxBehind(tor, more).deliver(newLetter());
    }
    expect(server.mails).toHaveLength(3);
    // A name, which is then resolved on this machine: what counts names would see it.
    const direct = inboxBehind(at(socks), { host: 'localhost', port: server.port, tls: 'none' });
    expect(await namesAsked(() => direct.deliver(newLetter()))).toBeGreaterThan(0);
    expect(socks.visits).toEqual([]);
  });

  it('needs no TLS to an onion service, which Tor encrypts and proves by itself', async () => {
    const server = await serve(false);
    const socks = await proxy({ [ONION]: server.port });
    await inboxBehind(at(socks), { host: ONION, port: 25, tls: 'none' }).deliver(newLetter());
    expect(server.mails).toHaveLength(1);
  });

  it.each([
    ['tor-failed', 1],
    ['tor-refused', 2],
    ['tor-failed', 3],
    ['tor-unresolved', 4],
    ['tor-connection-refused', 5],
    ['tor-slow', 6],
    ['tor-onion', 0xf0],
    ['tor-onion', 0xf7],
    ['tor-locked', 0xf4],
    ['tor-locked', 0xf5],
  ])('says %s when Tor replies %d, and tries again for ever', async (reason, unknown) => {
    const socks = await proxy({}, { unknown });
    await expect(inboxBehind(at(socks)).deliver(newLetter())).rejects.toMatchObject({ reason, giveUpAfterMs: Infinity, about: 'inbox' });
  });

  it('says when Tor is away, and delivers once it is back', async () => {
    const server = await serve();
    const path = join(dir, 'later.sock');
    const inbox = inboxBehind({ path });
    const letter = newLetter();
    await expect(inbox.deliver(letter)).rejects.toMatchObject({ reason: 'tor-away', about: 'inbox' });
    await expect(inboxBehind({ host: '127.0.0.1', port: await closedPort() }).deliver(letter)).rejects.toMatchObject({
      reason: 'tor-away',
    });
    await proxy({ [HOST]: server.port }, { path });
    await inbox.deliver(letter);
    expect(server.mails).toHaveLength(1);
  });

  it('says when what listens there is not Tor, or says nothing in the time of the inbox', async () => {
    const mail = await serve(false);
    await expect(inboxBehind(at(mail)).deliver(newLetter())).rejects.toMatchObject({ reason: 'tor-unlike' });
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    try {
      const inbox = inboxBehind(at(silent.address() as AddressInfo), { timeoutSeconds: 1 });
      await expect(inbox.deliver(newLetter())).rejects.toMatchObject({ giveUpAfterMs: Infinity, about: 'inbox' });
    } finally {
      silent.close();
    }
  });

  it('also brings the reminder to the administrator', async () => {
    const server = await serve();
    const socks = await proxy({ [HOST]: server.port });
    const client = await (await emptyRedis()).connect('worker');
    const now = Date.parse('2030-01-14T00:00:00Z');
    await publishMix(client, { ...WELL, keyringUntil: new Date(now + DAY_MS).toISOString() });
    const settings = { host: HOST, port: 465, tls: 'implicit', caFile: certificate.file, from: 'relay@example.org', to: 'a@example.org' };
    const asked = await namesAsked(() =>
      new AdministratorMail(client, administratorSchema.parse(settings), at(socks), () => new Date(now)).run(),
    );
    expect([asked, server.mails.length, socks.visits.length]).toEqual([0, 1, 1]);
  });
});
