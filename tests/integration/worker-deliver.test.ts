import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { LETTER_BYTES } from '../../crypto/letter.ts';
import { ready } from '../../crypto/sodium.ts';
import { log } from '../../runtime/log.ts';
import { keys } from '../../redis/keys.ts';
import { readState } from '../../redis/state.ts';
import { Delivery } from '../../worker/deliver.ts';
import { Guard } from '../../worker/inboxes/guard.ts';
import type { Letter } from '../../worker/inboxes/inbox.ts';
import { inboxesSchema, inboxOf } from '../../worker/inboxes/kinds.ts';
import { LEASE_MS, roundLease, withLease } from '../../worker/lease.ts';
import { Outbox } from '../../worker/outbox.ts';
import { oneRedis } from '../support/one-redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { closedPort, startSmtp, type TestSmtp } from '../support/smtp.ts';
import { maildirFiles, until } from '../support/worker.ts';

let redis: TestRedis;
let admin: Redis;
let outbox: Outbox;
let dir: string;
let nowMs: number;
const servers: TestSmtp[] = [];
const emptyRedis = oneRedis();

beforeEach(async () => {
  await ready;
  redis = await emptyRedis();
  admin = await redis.connect('admin');
  outbox = new Outbox(await redis.connect('worker'), 'inbox-1');
  dir = await mkdtemp(join(tmpdir(), 'relay-deliver-'));
  nowMs = 0;
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await redis.stop();
  await rm(dir, { recursive: true });
});

const running = () => false;
const team = '00112233445566aa';
const deliveryTo = (inbox: Guard): Delivery => new Delivery(outbox, inbox, () => nowMs);

async function fill(count: number): Promise<Buffer[]> {
  const ids = Array.from({ length: count }, () => Buffer.from(randomBytes(16)));
  for (const id of ids) await admin.hset(keys.outbox('inbox-1'), id, Buffer.from(randomBytes(LETTER_BYTES)));
  return ids;
}

function open(settings: object): Guard {
  const [parsed] = inboxesSchema.parse([{ id: 'inbox-1', team, ...settings }]);
  if (!parsed) throw new Error('no inbox');
  return inboxOf(parsed);
}
const maildir = (): Guard => open({ kind: 'maildir', path: join(dir, 'box') });
const smtp = (port: number): Guard => open({ kind: 'smtp', host: '127.0.0.1', port, tls: 'none', from: 'a@example.org', to: 'b@example.org' });

describe('delivery', () => {
  it('empties the outbox in an order that is not the outbox’s', async () => {
    const server = await startSmtp();
    servers.push(server);
    const ids = await fill(12);
    await deliveryTo(smtp(server.port)).run(running);
    expect(await admin.exists(keys.outbox('inbox-1'))).toBe(0);
    const sent = server.mails.map(({ raw }) => /Message-ID: <([0-9a-f]+)@/.exec(raw.toString('latin1'))?.[1]);
    expect(sent.toSorted()).toEqual(ids.map((id) => id.toString('hex')).toSorted());
    expect(sent).not.toEqual(ids.map((id) => id.toString('hex')));
  });

  it('keeps what is refused for now, asks less often, and goes on when it is taken', async () => {
    const port = await closedPort();
    await fill(5);
    const delivery = deliveryTo(smtp(port));
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 5, dead: 0 });
    const server = await startSmtp({}, {}, port);
    servers.push(server);
    await delivery.run(running);
    expect(server.connections).toBe(0);
    nowMs += 60_000;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 0 });
    expect(server.mails).toHaveLength(5);
  });

  it('asks a server that answers 4xx three times, not once for each letter', async () => {
    let asked = 0;
    const server = await startSmtp({}, { rcptTo: () => ((asked += 1), '451') });
    servers.push(server);
    await fill(20);
    await deliveryTo(smtp(server.port)).run(running);
    expect(asked).toBe(3);
    expect(await outbox.depths()).toEqual({ waiting: 20, dead: 0 });
  });

  it('does not let one letter that never passes hold up the others', async () => {
    const [poison] = await fill(8);
    const server = await startSmtp({}, { data: (raw) => (raw.includes(`<${toHex(poison ?? Buffer.alloc(0))}@`) ? '451' : null) });
    servers.push(server);
    await deliveryTo(smtp(server.port)).run(running);
    expect(server.mails).toHaveLength(7);
    expect(await outbox.depths()).toEqual({ waiting: 1, dead: 0 });
  });

  it('moves to the dead letters what is clearly refused for what it is, with the reason, and delivers the rest', async () => {
    const ids = await fill(6);
    const bad = ids.slice(0, 4).map(toHex);
    const server = await startSmtp({}, { data: (raw) => (bad.some((id) => raw.includes(`<${id}@`)) ? '552 5.3.4' : null) });
    servers.push(server);
    const before = await admin.hgetallBuffer(keys.outbox('inbox-1'));
    await deliveryTo(smtp(server.port)).run(running);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 4 });
    expect(server.mails).toHaveLength(2);
    for (const [id, letter] of Object.entries(await admin.hgetallBuffer(keys.dead('inbox-1')))) expect(letter).toEqual(before[id]);
    expect(await admin.hvals(keys.deadReasons('inbox-1'))).toEqual(Array.from({ length: 4 }, () => 'reply-552-5.3.4'));
  });

  const MINUTE_MS = 60_000;
  const DAY_MS = 86_400_000;

  it.each(['550 5.7.1', '550', '552 5.2.2', '450'])('keeps what a recipient refuses with %s, asks at growing intervals, and delivers when it passes', async (answer) => {
    let [asked, refuses] = [0, true];
    const server = await startSmtp({}, { rcptTo: () => ((asked += 1), refuses ? answer : null) });
    servers.push(server);
    await fill(5);
    const delivery = deliveryTo(smtp(server.port));
    await delivery.run(running);
    expect(asked).toBe(3);
    // An hour of rounds of a minute: at last every ten minutes.
    for (let minute = 0; minute < 60; minute += 1) {
      nowMs += MINUTE_MS;
      await delivery.run(running);
    }
    expect(asked).toBeGreaterThan(3 * 6);
    expect(asked).toBeLessThan(3 * 25);
    expect(await outbox.depths()).toEqual({ waiting: 5, dead: 0 });
    refuses = false;
    nowMs += 15 * MINUTE_MS;
    await delivery.run(running);
    expect([await outbox.depths(), server.mails.length]).toEqual([{ waiting: 0, dead: 0 }, 5]);
  });

  it('gives a 5xx up after the days that are set, and a 4xx never', async () => {
    const [passing] = await fill(2);
    const server = await startSmtp({}, { data: (raw) => (raw.includes(`<${toHex(passing ?? Buffer.alloc(0))}@`) ? '451 4.7.0' : '554 5.7.0') });
    servers.push(server);
    const delivery = deliveryTo(smtp(server.port));
    await delivery.run(running);
    nowMs += 5 * DAY_MS - 1;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 2, dead: 0 });
    nowMs += 2 * 60 * MINUTE_MS;
    await delivery.run(running);
    expect([await outbox.depths(), await admin.hvals(keys.deadReasons('inbox-1'))]).toEqual([{ waiting: 1, dead: 1 }, ['reply-554-5.7.0']]);
    nowMs += 100 * DAY_MS;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 1, dead: 1 });
  });

  it('lets the letters that a server refuses one by one hold up no other, and asks about each less and less', async () => {
    const refused = (await fill(150)).map(toHex);
    const asked = new Map<string, number>();
    const server = await startSmtp({}, {
      data: (raw) => {
        const id = /<([0-9a-f]{32})@/.exec(raw.toString('latin1'))?.[1] ?? '';
        asked.set(id, (asked.get(id) ?? 0) + 1);
        return refused.includes(id) ? '554 5.7.1' : null;
      },
    });
    servers.push(server);
    const delivery = deliveryTo(smtp(server.port));
    await delivery.run(running);
    expect([asked.size, server.mails.length]).toEqual([150, 0]);
    const client = await redis.connect('operator');
    const { trouble } = await readState(client);
    expect([trouble('inbox-1', 'deferring'), trouble('inbox-1', 'failing')]).toEqual(['reply-554-5.7.1', null]);
    await fill(3);
    nowMs += 1_000;
    await delivery.run(running);
    expect([server.mails.length, await outbox.depths()]).toEqual([3, { waiting: 150, dead: 0 }]);
    nowMs += 2 * 60 * MINUTE_MS;
    await delivery.run(running);
    // A provider may think ill of who asks too often.
    expect([...asked.values()].filter((times) => times === 2)).toHaveLength(100);
    refused.length = 0;
    nowMs += 2 * 60 * MINUTE_MS;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 0 });
    expect((await readState(client)).trouble('inbox-1', 'deferring')).toBeNull();
  });

  it('asks first about letters that it has not tried, so that one at which the server hangs up holds up no other', async () => {
    await fill(4);
    let poisonous = true;
    const server = await startSmtp({}, { hangUp: () => poisonous });
    servers.push(server);
    const delivery = deliveryTo(smtp(server.port));
    await delivery.run(running);
    const tried = new Set(server.mails.map(({ raw }) => /<([0-9a-f]{32})@/.exec(raw.toString('latin1'))?.[1]));
    const fresh = (await fill(2)).map(toHex);
    poisonous = false;
    nowMs += MINUTE_MS;
    const before = server.mails.length;
    await delivery.run(running);
    const order = server.mails.slice(before).map(({ raw }) => /<([0-9a-f]{32})@/.exec(raw.toString('latin1'))?.[1]);
    expect(tried.size).toBe(3);
    expect(order).toHaveLength(6);
    expect(order.slice(0, 3)).toEqual(expect.arrayContaining(fresh));
  });

  it('tells operators while the inbox takes nothing, and no longer', async () => {
    const client = await redis.connect('operator');
    const failing = async (): Promise<boolean> => (await readState(client)).trouble('inbox-1', 'failing') !== null;
    await fill(1);
    const port = await closedPort();
    const delivery = deliveryTo(smtp(port));
    await delivery.run(running);
    expect(await failing()).toBe(true);
    servers.push(await startSmtp({}, {}, port));
    // As a worker started anew, which remembers nothing.
    await deliveryTo(smtp(port)).run(running);
    expect(await failing()).toBe(false);
  });

  it('says once for each reason that an inbox refuses letters, until it works again', async () => {
    const said = vi.spyOn(log, 'error');
    const answers: (string | null)[] = ['552 5.3.4', '552 5.3.4', '554 5.7.1', null, '552 5.3.4'];
    const server = await startSmtp({}, { data: () => answers.shift() ?? null });
    servers.push(server);
    await fill(5);
    await deliveryTo(smtp(server.port)).run(running);
    expect(said.mock.calls).toEqual([
      ['letter refused for good', { inbox: 'inbox-1', reason: 'reply-552-5.3.4' }],
      ['letter waits', { inbox: 'inbox-1', reason: 'reply-554-5.7.1' }],
      ['letter refused for good', { inbox: 'inbox-1', reason: 'reply-552-5.3.4' }],
    ]);
    said.mockRestore();
  });

  it('opens an inbox when it can be opened, and says meanwhile that it cannot, also when nothing waits', async () => {
    const said = vi.spyOn(log, 'error');
    await writeFile(join(dir, 'box'), 'a file in its place');
    const delivery = deliveryTo(maildir());
    await delivery.run(running);
    expect(said.mock.calls).toEqual([['delivery failed', { inbox: 'inbox-1', reason: 'ENOTDIR' }]]);
    said.mockRestore();
    await fill(2);
    nowMs += 60_000;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 2, dead: 0 });
    await rm(join(dir, 'box'));
    nowMs += 60_000;
    const back = vi.spyOn(log, 'info');
    await delivery.run(() => true);
    expect(back.mock.calls).toEqual([['delivery works again', { inbox: 'inbox-1' }]]);
    back.mockRestore();
    await delivery.run(running);
    expect([await outbox.depths(), await maildirFiles(join(dir, 'box'))]).toEqual([{ waiting: 0, dead: 0 }, expect.objectContaining({ length: 2 })]);
  });

  it('leaves an inbox that hangs, asks it nothing until it comes back, and then goes on', async () => {
    await fill(2);
    const [calls, came]: [Letter[], (() => void)[]] = [[], []];
    const deliver = (letter: Letter): Promise<void> => {
      calls.push(letter);
      return calls.length > 1 ? Promise.resolve() : new Promise((resolve) => came.push(resolve));
    };
    const delivery = deliveryTo(new Guard(() => Promise.resolve({ deliver }), 50));
    const said = vi.spyOn(log, 'error');
    await delivery.run(running);
    expect([calls.length, said.mock.calls]).toEqual([1, [['delivery failed', { inbox: 'inbox-1', reason: 'ETIMEDOUT' }]]]);
    said.mockRestore();
    nowMs += 60_000;
    await delivery.run(running);
    expect(calls).toHaveLength(1);
    came[0]?.();
    nowMs += 60_000;
    await delivery.run(running);
    // Nobody heard that the first one arrived.
    expect([calls.length, await outbox.depths()]).toEqual([3, { waiting: 0, dead: 0 }]);
  });

  it('stops after the letter in hand', async () => {
    await fill(5);
    let asked = 0;
    await deliveryTo(maildir()).run(() => (asked += 1) > 2);
    expect(await outbox.depths()).toEqual({ waiting: 3, dead: 0 });
    expect(await maildirFiles(join(dir, 'box'))).toHaveLength(2);
  });

  it('sends nothing twice when Redis was away at the moment to remove it', async () => {
    const server = await startSmtp({}, {});
    servers.push(server);
    await fill(1);
    const inbox = smtp(server.port);
    const deliver = async (letter: Letter): Promise<void> => {
      await inbox.deliver(letter);
      await redis.kill9();
    };
    const delivery = deliveryTo(new Guard(() => Promise.resolve({ deliver }), 60_000));
    await expect(delivery.run(running)).rejects.toThrow();
    await redis.restart();
    await until('Redis', () => outbox.depths().then(() => true, () => false));
    expect(await outbox.depths()).toEqual({ waiting: 1, dead: 0 });
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 0 });
    expect(server.mails).toHaveLength(1);
  });

  it('finds a letter that its dead predecessor had delivered', async () => {
    const [id] = await fill(1);
    const inbox = maildir();
    const letter = await outbox.letter(id ?? Buffer.alloc(0));
    if (!letter) throw new Error('no letter');
    await inbox.deliver(letter);
    await rename(join(dir, 'box/new', toHex(letter.id)), join(dir, 'box/cur', `${toHex(letter.id)}:2,S`));
    await deliveryTo(inbox).run(running);
    expect(await maildirFiles(join(dir, 'box'))).toEqual([`${toHex(letter.id)}:2,S`]);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 0 });
  });
});

describe('the lease of an inbox', () => {
  const lease = (instance: string, roundMs = 1_000) => roundLease('deliver-inbox-1', instance, roundMs);

  it('is written no more often than once a round', async () => {
    const client = await redis.connect('worker');
    let end: () => void = () => undefined;
    const work = withLease(client, lease('a', 60_000), () => new Promise((resolve) => (end = resolve)));
    await until('lease', async () => (await admin.exists(keys.lease('deliver-inbox-1'))) === 1);
    const before = await admin.pexpiretime(keys.lease('deliver-inbox-1'));
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
    expect(await admin.pexpiretime(keys.lease('deliver-inbox-1'))).toBe(before);
    end();
    await work;
  });

  it('given before the clock was set back is not waited for', async () => {
    const client = await redis.connect('worker');
    await admin.set(keys.lease('deliver-inbox-1'), 'a', 'PX', 3_600_000);
    let worked = false;
    await withLease(client, lease('b'), () => Promise.resolve(void (worked = true)));
    expect(worked).toBe(true);
  });

  it('keeps others away as long as the work takes, and no longer', async () => {
    const client = await redis.connect('worker');
    let end: () => void = () => undefined;
    const first = withLease(client, lease('a'), () => new Promise((resolve) => (end = resolve)));
    let worked = 0;
    const other = () => withLease(client, lease('b'), () => Promise.resolve(void (worked += 1)));
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 1_000));
    await other();
    expect(worked).toBe(0);
    end();
    await first;
    await other();
    expect(worked).toBe(1);
  });

  it('of a dead worker runs out', async () => {
    const client = await redis.connect('worker');
    void withLease(client, lease('a'), () => new Promise(() => undefined));
    await until('lease', async () => (await admin.exists(keys.lease('deliver-inbox-1'))) === 1);
    client.disconnect();
    const alive = await redis.connect('worker');
    let worked = false;
    await until('its end', async () => {
      await withLease(alive, lease('b'), () => Promise.resolve(void (worked = true)));
      return worked;
    }, LEASE_MS + 3_000);
  });
});
