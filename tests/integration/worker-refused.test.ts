// Delivery to an inbox that refuses letters: which wait, which become dead, how often it is tried, and what is reported.
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toHex } from '../../crypto/bytes.ts';
import { keys } from '../../redis/keys.ts';
import { readState } from '../../redis/state.ts';
import { log } from '../../runtime/log.ts';
import type { Outbox } from '../../worker/outbox.ts';
import { DeliveryStand } from '../support/delivery-stand.ts';
import { oneRedis } from '../support/one-redis.ts';
import { closedPort } from '../support/smtp.ts';

let stand: DeliveryStand;
let admin: Redis;
let outbox: Outbox;
const emptyRedis = oneRedis();

beforeEach(async () => {
  stand = await DeliveryStand.start(await emptyRedis());
  ({ admin, outbox } = stand);
});
afterEach(() => stand.stop());

const running = () => false;

describe('delivery', () => {
  it('keeps what is refused for now, tries less often, and continues once it is accepted', async () => {
    const port = await closedPort();
    await stand.fill(5);
    const delivery = stand.deliveryTo(stand.smtp(port));
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 5, dead: 0 });
    const server = await stand.startSmtp({}, {}, port);
    await delivery.run(running);
    expect(server.connections).toBe(0);
    stand.nowMs += 60_000;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 0 });
    expect(server.mails).toHaveLength(5);
  });

  it('tries a server that answers 4xx three times, not once per letter', async () => {
    let asked = 0;
    const server = await stand.startSmtp({}, { rcptTo: () => ((asked += 1), '451') });
    await stand.fill(20);
    await stand.deliveryTo(stand.smtp(server.port)).run(running);
    expect(asked).toBe(3);
    expect(await outbox.depths()).toEqual({ waiting: 20, dead: 0 });
  });

  it('does not let one letter that is always refused hold up the others', async () => {
    const [poison] = await stand.fill(8);
    const server = await stand.startSmtp({}, { data: (raw) => (raw.includes(`<${toHex(poison ?? Buffer.alloc(0))}@`) ? '451' : null) });
    await stand.deliveryTo(stand.smtp(server.port)).run(running);
    expect(server.mails).toHaveLength(7);
    expect(await outbox.depths()).toEqual({ waiting: 1, dead: 0 });
  });

  it('moves letters refused for their content to the dead letters, with the reason, and delivers the rest', async () => {
    const ids = await stand.fill(6);
    const bad = ids.slice(0, 4).map(toHex);
    const server = await stand.startSmtp({}, { data: (raw) => (bad.some((id) => raw.includes(`<${id}@`)) ? '552 5.3.4' : null) });
    const before = await admin.hgetallBuffer(keys.outbox('inbox-1'));
    await stand.deliveryTo(stand.smtp(server.port)).run(running);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 4 });
    expect(server.mails).toHaveLength(2);
    for (const [id, letter] of Object.entries(await admin.hgetallBuffer(keys.dead('inbox-1')))) expect(letter).toEqual(before[id]);
    expect(await admin.hvals(keys.deadReasons('inbox-1'))).toEqual(Array.from({ length: 4 }, () => 'reply-552-5.3.4'));
  });

  const MINUTE_MS = 60_000;
  const DAY_MS = 86_400_000;

  it.each(['550 5.7.1', '550', '552 5.2.2', '450'])(
    'keeps what a recipient refuses with %s, retries at growing intervals, and delivers once it is accepted',
    async (answer) => {
      let [asked, refuses] = [0, true];
      const server = await stand.startSmtp({}, { rcptTo: () => ((asked += 1), refuses ? answer : null) });
      await stand.fill(5);
      const delivery = stand.deliveryTo(stand.smtp(server.port));
      await delivery.run(running);
      expect(asked).toBe(3);
      // An hour of one-minute rounds: finally a try every ten minutes.
      for (let minute = 0; minute < 60; minute += 1) {
        stand.nowMs += MINUTE_MS;
        await delivery.run(running);
      }
      expect(asked).toBeGreaterThan(3 * 6);
      expect(asked).toBeLessThan(3 * 25);
      expect(await outbox.depths()).toEqual({ waiting: 5, dead: 0 });
      refuses = false;
      stand.nowMs += 15 * MINUTE_MS;
      await delivery.run(running);
      expect([await outbox.depths(), server.mails.length]).toEqual([{ waiting: 0, dead: 0 }, 5]);
    },
  );

  it('gives up on a 5xx after the configured days, and never on a 4xx', async () => {
    const [passing] = await stand.fill(2);
    const server = await stand.startSmtp(
      {},
      { data: (raw) => (raw.includes(`<${toHex(passing ?? Buffer.alloc(0))}@`) ? '451 4.7.0' : '554 5.7.0') },
    );
    const delivery = stand.deliveryTo(stand.smtp(server.port));
    await delivery.run(running);
    stand.nowMs += 5 * DAY_MS - 1;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 2, dead: 0 });
    stand.nowMs += 2 * 60 * MINUTE_MS;
    await delivery.run(running);
    expect([await outbox.depths(), await admin.hvals(keys.deadReasons('inbox-1'))]).toEqual([{ waiting: 1, dead: 1 }, ['reply-554-5.7.0']]);
    stand.nowMs += 100 * DAY_MS;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 1, dead: 1 });
  });

  it('does not let letters refused one by one hold up others, and tries each less and less often', async () => {
    const refused = (await stand.fill(150)).map(toHex);
    const asked = new Map<string, number>();
    const server = await stand.startSmtp(
      {},
      {
        data: (raw) => {
          const id = /<([0-9a-f]{32})@/.exec(raw.toString('latin1'))?.[1] ?? '';
          asked.set(id, (asked.get(id) ?? 0) + 1);
          return refused.includes(id) ? '554 5.7.1' : null;
        },
      },
    );
    const delivery = stand.deliveryTo(stand.smtp(server.port));
    await delivery.run(running);
    expect([asked.size, server.mails.length]).toEqual([150, 0]);
    const client = await stand.redis.connect('operator');
    const { trouble } = await readState(client);
    expect([trouble('inbox-1', 'deferring'), trouble('inbox-1', 'failing')]).toEqual(['reply-554-5.7.1', null]);
    await stand.fill(3);
    stand.nowMs += 1_000;
    await delivery.run(running);
    expect([server.mails.length, await outbox.depths()]).toEqual([3, { waiting: 150, dead: 0 }]);
    stand.nowMs += 2 * 60 * MINUTE_MS;
    await delivery.run(running);
    // Providers may block clients that try too often.
    expect([...asked.values()].filter((times) => times === 2)).toHaveLength(100);
    refused.length = 0;
    stand.nowMs += 2 * 60 * MINUTE_MS;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 0 });
    expect((await readState(client)).trouble('inbox-1', 'deferring')).toBeNull();
  });

  it('tries new letters first, so that one at which the server hangs up holds up no other', async () => {
    await stand.fill(4);
    let poisonous = true;
    const server = await stand.startSmtp({}, { hangUp: () => poisonous });
    const delivery = stand.deliveryTo(stand.smtp(server.port));
    await delivery.run(running);
    const tried = new Set(server.mails.map(({ raw }) => /<([0-9a-f]{32})@/.exec(raw.toString('latin1'))?.[1]));
    const fresh = (await stand.fill(2)).map(toHex);
    poisonous = false;
    stand.nowMs += MINUTE_MS;
    const before = server.mails.length;
    await delivery.run(running);
    const order = server.mails.slice(before).map(({ raw }) => /<([0-9a-f]{32})@/.exec(raw.toString('latin1'))?.[1]);
    expect(tried.size).toBe(3);
    expect(order).toHaveLength(6);
    expect(order.slice(0, 3)).toEqual(expect.arrayContaining(fresh));
  });

  it('tells operators exactly while the inbox accepts nothing', async () => {
    const client = await stand.redis.connect('operator');
    const failing = async (): Promise<boolean> => (await readState(client)).trouble('inbox-1', 'failing') !== null;
    await stand.fill(1);
    const port = await closedPort();
    const delivery = stand.deliveryTo(stand.smtp(port));
    await delivery.run(running);
    expect(await failing()).toBe(true);
    await stand.startSmtp({}, {}, port);
    // Like a restarted worker, which remembers nothing.
    await stand.deliveryTo(stand.smtp(port)).run(running);
    expect(await failing()).toBe(false);
  });

  it('logs each reason for which an inbox refuses letters once, until it works again', async () => {
    const said = vi.spyOn(log, 'error');
    const answers: (string | null)[] = ['552 5.3.4', '552 5.3.4', '554 5.7.1', null, '552 5.3.4'];
    const server = await stand.startSmtp({}, { data: () => answers.shift() ?? null });
    await stand.fill(5);
    await stand.deliveryTo(stand.smtp(server.port)).run(running);
    expect(said.mock.calls).toEqual([
      ['letter refused for good', { inbox: 'inbox-1', reason: 'reply-552-5.3.4' }],
      ['letter waits', { inbox: 'inbox-1', reason: 'reply-554-5.7.1' }],
      ['letter refused for good', { inbox: 'inbox-1', reason: 'reply-552-5.3.4' }],
    ]);
    said.mockRestore();
  });
});
