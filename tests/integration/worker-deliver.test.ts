// Delivery: how the outbox is emptied, whatever fails or hangs meanwhile, and by one worker at a time.
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toHex } from '../../crypto/bytes.ts';
import { keys } from '../../redis/keys.ts';
import { log } from '../../runtime/log.ts';
import { Guard } from '../../worker/inboxes/guard.ts';
import type { Letter } from '../../worker/inboxes/inbox.ts';
import { LEASE_MS, roundLease, withLease } from '../../worker/lease.ts';
import type { Outbox } from '../../worker/outbox.ts';
import { DeliveryStand } from '../support/delivery-stand.ts';
import { oneRedis } from '../support/one-redis.ts';
import { maildirFiles, until } from '../support/worker.ts';

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
  it('empties the outbox in an order other than the outbox’s', async () => {
    const server = await stand.startSmtp();
    const ids = await stand.fill(12);
    await stand.deliveryTo(stand.smtp(server.port)).run(running);
    expect(await admin.exists(keys.outbox('inbox-1'))).toBe(0);
    const sent = server.mails.map(({ raw }) => /Message-ID: <([0-9a-f]+)@/.exec(raw.toString('latin1'))?.[1]);
    expect(sent.toSorted()).toEqual(ids.map((id) => id.toString('hex')).toSorted());
    expect(sent).not.toEqual(ids.map((id) => id.toString('hex')));
  });

  it('opens an inbox as soon as it can, and until then reports that it cannot, even when nothing waits', async () => {
    const said = vi.spyOn(log, 'error');
    await writeFile(join(stand.dir, 'box'), 'a file in its place');
    const delivery = stand.deliveryTo(stand.maildir());
    await delivery.run(running);
    expect(said.mock.calls).toEqual([['delivery failed', { inbox: 'inbox-1', reason: 'ENOTDIR' }]]);
    said.mockRestore();
    await stand.fill(2);
    stand.nowMs += 60_000;
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 2, dead: 0 });
    await rm(join(stand.dir, 'box'));
    stand.nowMs += 60_000;
    const back = vi.spyOn(log, 'info');
    await delivery.run(() => true);
    expect(back.mock.calls).toEqual([['delivery works again', { inbox: 'inbox-1' }]]);
    back.mockRestore();
    await delivery.run(running);
    expect([await outbox.depths(), await maildirFiles(join(stand.dir, 'box'))]).toEqual([
      { waiting: 0, dead: 0 },
      expect.objectContaining({ length: 2 }),
    ]);
  });

  it('leaves an inbox that hangs, sends it nothing until it comes back, and then continues', async () => {
    await stand.fill(2);
    const [calls, came]: [Letter[], (() => void)[]] = [[], []];
    const deliver = (letter: Letter): Promise<void> => {
      calls.push(letter);
      return calls.length > 1 ? Promise.resolve() : new Promise((resolve) => came.push(resolve));
    };
    const delivery = stand.deliveryTo(new Guard(() => Promise.resolve({ deliver }), 50));
    const said = vi.spyOn(log, 'error');
    await delivery.run(running);
    expect([calls.length, said.mock.calls]).toEqual([1, [['delivery failed', { inbox: 'inbox-1', reason: 'ETIMEDOUT' }]]]);
    said.mockRestore();
    stand.nowMs += 60_000;
    await delivery.run(running);
    expect(calls).toHaveLength(1);
    came[0]?.();
    stand.nowMs += 60_000;
    await delivery.run(running);
    // The arrival of the first one was never confirmed.
    expect([calls.length, await outbox.depths()]).toEqual([3, { waiting: 0, dead: 0 }]);
  });

  it('stops after the current letter', async () => {
    await stand.fill(5);
    let asked = 0;
    await stand.deliveryTo(stand.maildir()).run(() => (asked += 1) > 2);
    expect(await outbox.depths()).toEqual({ waiting: 3, dead: 0 });
    expect(await maildirFiles(join(stand.dir, 'box'))).toHaveLength(2);
  });

  it('sends nothing twice when Redis was away when it should be removed', async () => {
    const server = await stand.startSmtp({}, {});
    await stand.fill(1);
    const inbox = stand.smtp(server.port);
    const deliver = async (letter: Letter): Promise<void> => {
      await inbox.deliver(letter);
      await stand.redis.kill9();
    };
    const delivery = stand.deliveryTo(new Guard(() => Promise.resolve({ deliver }), 60_000));
    await expect(delivery.run(running)).rejects.toThrow();
    await stand.redis.restart();
    await until('Redis', () =>
      outbox.depths().then(
        () => true,
        () => false,
      ),
    );
    expect(await outbox.depths()).toEqual({ waiting: 1, dead: 0 });
    await delivery.run(running);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 0 });
    expect(server.mails).toHaveLength(1);
  });

  it('finds a letter that its dead predecessor had delivered', async () => {
    const [id] = await stand.fill(1);
    const inbox = stand.maildir();
    const letter = await outbox.letter(id ?? Buffer.alloc(0));
    if (!letter) throw new Error('no letter');
    await inbox.deliver(letter);
    await rename(join(stand.dir, 'box/new', toHex(letter.id)), join(stand.dir, 'box/cur', `${toHex(letter.id)}:2,S`));
    await stand.deliveryTo(inbox).run(running);
    expect(await maildirFiles(join(stand.dir, 'box'))).toEqual([`${toHex(letter.id)}:2,S`]);
    expect(await outbox.depths()).toEqual({ waiting: 0, dead: 0 });
  });
});

describe('the lease of an inbox', () => {
  const lease = (instance: string, roundMs = 1_000) => roundLease('deliver-inbox-1', instance, roundMs);

  it('is written at most once per round', async () => {
    const client = await stand.redis.connect('worker');
    let end: () => void = () => undefined;
    const work = withLease(client, lease('a', 60_000), () => new Promise((resolve) => (end = resolve)));
    await until('lease', async () => (await admin.exists(keys.lease('deliver-inbox-1'))) === 1);
    const before = await admin.pexpiretime(keys.lease('deliver-inbox-1'));
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
    expect(await admin.pexpiretime(keys.lease('deliver-inbox-1'))).toBe(before);
    end();
    await work;
  });

  it('from before the clock was set back is not waited for', async () => {
    const client = await stand.redis.connect('worker');
    await admin.set(keys.lease('deliver-inbox-1'), 'a', 'PX', 3_600_000);
    let worked = false;
    await withLease(client, lease('b'), () => Promise.resolve(void (worked = true)));
    expect(worked).toBe(true);
  });

  it('keeps others away exactly as long as the work takes', async () => {
    const client = await stand.redis.connect('worker');
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
    const client = await stand.redis.connect('worker');
    void withLease(client, lease('a'), () => new Promise(() => undefined));
    await until('lease', async () => (await admin.exists(keys.lease('deliver-inbox-1'))) === 1);
    client.disconnect();
    const alive = await stand.redis.connect('worker');
    let worked = false;
    await until(
      'its end',
      async () => {
        await withLease(alive, lease('b'), () => Promise.resolve(void (worked = true)));
        return worked;
      },
      LEASE_MS + 3_000,
    );
  });
});
