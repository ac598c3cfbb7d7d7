import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyringShelf } from '../../service/keyrings.ts';
import { keys } from '../../store/keys.ts';
import { Claims } from '../../worker/claims.ts';
import { Housekeeping } from '../../worker/housekeeping.ts';
import { Mix, type MixSettings } from '../../worker/mix.ts';
import { Outbox } from '../../worker/outbox.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until, workerBench, type Bench } from '../support/worker.ts';

const HOUR_MS = 3_600_000;
let redis: TestRedis;
let admin: Redis;
let client: Redis;
let bench: Bench;
let now: Date;
let mix: Mix;
let housekeeping: Housekeeping;

beforeEach(async () => {
  redis = await startRedis();
  admin = await redis.connect('admin');
  client = await redis.connect('worker');
  bench = await workerBench(redis);
  // Serial 1 is accepted until 24 hours after serial 2 begins at 24; its key is kept 72 hours longer.
  await bench.keyring(2, { hours: [24, 400] });
  now = new Date();
  await make({ share: 0.01 });
});
afterEach(async () => {
  await redis.stop();
  await bench.remove();
});

async function make(settings: Partial<MixSettings>): Promise<void> {
  const shelf = new KeyringShelf({ directory: bench.config.keyrings, rootKeyFile: bench.config.rootKeyFile, graceHours: 24, now: () => now });
  await shelf.load();
  const outboxes = new Map([[bench.team, [new Outbox(client, 'inbox-1')]]]);
  mix = new Mix(client, new Claims(client, 'me'), shelf, outboxes, { ...bench.config, ...settings }, () => now);
  housekeeping = new Housekeeping(client, shelf, mix, { ...bench.config, inboxes: ['inbox-1'] }, () => now);
}

const running = () => false;
const keyFiles = (): Promise<string[]> => readdir(bench.config.identities);
const later = (hours: number): void => {
  now = new Date(now.getTime() + hours * HOUR_MS);
};
const round = async (): Promise<void> => {
  await mix.round(running);
  await housekeeping.run();
};

describe('the key of a serial', () => {
  it('lives through grace and backlog, and is shredded after one more round took everything', async () => {
    await bench.put(admin, bench.parcel());
    await admin.sadd(keys.seen(1), 'x');
    await admin.sadd(keys.opened(1), 'x');
    later(119);
    await round();
    expect(await keyFiles()).toHaveLength(2);
    later(2);
    await housekeeping.run();
    expect(await keyFiles()).toHaveLength(2);
    // This round takes all that is there, whatever its share.
    await round();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
    expect(await admin.hlen(keys.outbox('inbox-1'))).toBe(1);
    expect(await admin.exists(keys.seen(1), keys.opened(1))).toBe(0);
    await round();
    expect(await admin.get(keys.alive)).toBe('1');
  });

  it('is kept as long as the mix pauses', async () => {
    later(121);
    await admin.hset(keys.dead('inbox-1'), 'a', 'b');
    await make({ limits: { outbox: 10, dead: 1 } });
    for (let times = 0; times < 3; times += 1) await round();
    expect(await keyFiles()).toHaveLength(2);
    await admin.del(keys.dead('inbox-1'));
    await round();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
  });

  it('is kept as long as another worker may hold a parcel under it', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const other = new Claims(client, 'other');
    await other.take([parcel.id]);
    later(121);
    for (let times = 0; times < 3; times += 1) await round();
    expect(await keyFiles()).toHaveLength(2);
    await admin.del(keys.lease('other'));
    await round();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
    expect(await admin.hlen(keys.outbox('inbox-1'))).toBe(1);
  });

  it('is shredded too when its keyring was taken away, and when all keyrings have expired', async () => {
    await rm(join(bench.config.keyrings, 'keyring-1.json'));
    later(400 + 24 + 73);
    for (let times = 0; times < 2; times += 1) await round();
    expect(await keyFiles()).toEqual([]);
  });
});

describe('housekeeping', () => {
  it('rewrites the append-only file, so that nothing of earlier rounds is in it', async () => {
    await admin.set('canary', 'was-here');
    await admin.del('canary');
    const folder = join(redis.dir, 'appendonlydir');
    const content = async (): Promise<string> => {
      return (await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')))).join('');
    };
    expect(await content()).toContain('was-here');
    await housekeeping.run();
    await until('the rewrite', async () => !(await content()).includes('was-here'));
  });

  it('lists the inboxes for the operator, with those taken away that still have letters', async () => {
    await admin.sadd(keys.inboxes, 'old', 'forgotten');
    await admin.hset(keys.dead('forgotten'), 'a', 'b');
    await housekeeping.run();
    expect((await admin.smembers(keys.inboxes)).toSorted()).toEqual(['forgotten', 'inbox-1']);
  });

  it('does the rest when one duty fails', async () => {
    await admin.set(keys.inboxes, 'of another type');
    later(121);
    await round();
    await round();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
  });
});
