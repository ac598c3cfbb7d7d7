import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { generateIdentity } from '../../crypto/age/identity.ts';
import { log } from '../../runtime/log.ts';
import { keys } from '../../redis/keys.ts';
import { limitsText, readState } from '../../redis/state.ts';
import type { Housekeeping } from '../../worker/housekeeping.ts';
import type { MixSettings } from '../../worker/mix.ts';
import { oneRedis } from '../support/one-redis.ts';
import { WorkerStand, type MixRounds } from '../support/stand.ts';
import { until, type Bench } from '../support/worker.ts';

const DAY_MS = 24 * 3_600_000;
const DUE = 168 + 24 + 72;

let stand: WorkerStand;
let admin: Redis;
let bench: Bench;
let mix: MixRounds;
let housekeeping: Housekeeping;
const emptyRedis = oneRedis();

beforeEach(async () => {
  stand = await WorkerStand.start(await emptyRedis());
  ({ admin, bench } = stand);
  // Serial 1 ends at hour 168, whatever serial 2 does; grace and backlog extend that to 264.
  await bench.keyring(2, { hours: [24, 400] });
  await make({ flushProbability: 0.01 });
});
afterEach(() => stand.stop());

async function make(settings: Partial<MixSettings>): Promise<void> {
  ({ mix, housekeeping } = await stand.worker({ settings }));
}

const running = () => false;
const keyFiles = (): Promise<string[]> => readdir(bench.config.identities);
const later = (hours: number): void => stand.later(hours);
const round = async (): Promise<void> => {
  await mix.round(running);
  await housekeeping.run();
};

describe('a key of the worker', () => {
  const sweeps = async (): Promise<void> => {
    await round();
    stand.now = new Date(stand.now.getTime() + 60_000);
    await round();
  };

  it('outlives grace and backlog, and is shredded after one more round took everything', async () => {
    await bench.put(admin, bench.parcel());
    await admin.sadd(keys.seen(bench.keyId()), 'x');
    await admin.sadd(keys.opened(bench.keyId()), 'x');
    later(DUE - 1);
    await round();
    expect(await keyFiles()).toHaveLength(2);
    later(2);
    await housekeeping.run();
    expect(await keyFiles()).toHaveLength(2);
    // This round takes everything, whatever the flush probability.
    stand.now = new Date(stand.now.getTime() + 60_000);
    await round();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
    expect(await admin.hlen(keys.outbox('inbox-1'))).toBe(1);
    expect(await admin.exists(keys.seen(bench.keyId()), keys.opened(bench.keyId()))).toBe(0);
    await round();
    expect(await admin.get(keys.alive)).toBe('1');
  });

  it('is kept for parcels accepted before a backdated keyring replaced it', async () => {
    later(150);
    await make({ flushProbability: 1 });
    await round();
    await bench.keyring(3, { hours: [-1, 168] });
    await bench.put(admin, bench.parcel());
    for (let times = 0; times < 3; times += 1) await sweeps();
    expect(await keyFiles()).toHaveLength(3);
    expect(await admin.hlen(keys.outbox('inbox-1'))).toBe(1);
    // Accepted by a relay that had not read the third keyring yet.
    later(DUE - 151);
    await bench.put(admin, bench.parcel());
    await sweeps();
    expect([await admin.hlen(keys.outbox('inbox-1')), await admin.exists(keys.dropped)]).toEqual([2, 0]);
  });

  it('is kept until a sweep that began after every relay knew of the end', async () => {
    await make({ flushProbability: 1 });
    later(DUE);
    await round();
    stand.now = new Date(stand.now.getTime() + 29_000);
    await round();
    expect(await keyFiles()).toHaveLength(2);
    stand.now = new Date(stand.now.getTime() + 1_000);
    await round();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
  });

  it('is kept as long as letters are held back', async () => {
    await bench.put(admin, bench.parcel());
    later(DUE);
    await admin.hset(keys.outbox('inbox-1'), 'a', 'b');
    await make({ limits: { outbox: 1, dead: 1, replies: 10 } });
    for (let times = 0; times < 3; times += 1) await sweeps();
    expect(await keyFiles()).toHaveLength(2);
    await admin.del(keys.outbox('inbox-1'));
    await sweeps();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
  });

  it('is shredded even while letters under other keys are held back', async () => {
    await bench.put(admin, bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter() }, 2));
    later(DUE);
    await admin.hset(keys.outbox('inbox-1'), 'a', 'b');
    await make({ limits: { outbox: 1, dead: 1, replies: 10 } });
    for (let times = 0; times < 2; times += 1) await sweeps();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
    expect(await admin.hlen(keys.pool)).toBe(1);
  });

  it('is shredded even while Redis is out of memory, which makes room', async () => {
    await round();
    await admin.sadd(keys.seen(bench.keyId()), 'x');
    later(DUE);
    await admin.config('SET', 'maxmemory', '100kb');
    const tried = async (): Promise<void> => {
      await mix.round(running).catch(() => undefined);
      await housekeeping.run();
    };
    await tried();
    stand.now = new Date(stand.now.getTime() + 60_000);
    await tried();
    expect([await keyFiles(), await admin.exists(keys.seen(bench.keyId()))]).toEqual([['worker-2.txt'], 0]);
  });

  it('makes only its own parcels leave at once, while all others are still mixed', async () => {
    const letter = (serial: number) => bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter() }, serial);
    await bench.put(admin, ...Array.from({ length: 3 }, () => letter(1)), ...Array.from({ length: 60 }, () => letter(2)));
    later(DUE);
    await housekeeping.run();
    await round();
    expect(await admin.scard(keys.opened(bench.keyId()))).toBe(4);
    // A probability of 0.026 on average: 20 of 60 do not come together by chance.
    expect(await admin.hlen(keys.pool)).toBeGreaterThan(40);
  });

  it('is kept as long as another worker may hold a parcel under it', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const other = stand.lease('other');
    await other.take([parcel.id]);
    later(DUE);
    for (let times = 0; times < 3; times += 1) await sweeps();
    expect(await keyFiles()).toHaveLength(2);
    await admin.del(keys.lease('other'));
    await sweeps();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
    expect(await admin.hlen(keys.outbox('inbox-1'))).toBe(1);
  });

  it('that could not be read is kept until it was readable and its parcels left', async () => {
    const file = join(bench.config.identities, 'worker-1.txt');
    await bench.put(admin, bench.parcel());
    await admin.sadd(keys.seen(bench.keyId()), 'x');
    await chmod(file, 0o640);
    later(DUE + 100);
    for (let times = 0; times < 3; times += 1) await sweeps();
    expect(await keyFiles()).toHaveLength(2);
    expect([await admin.hlen(keys.pool), await admin.exists(keys.seen(bench.keyId()), keys.alive)]).toEqual([1, 1]);
    await chmod(file, 0o600);
    await sweeps();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
    expect([await admin.hlen(keys.outbox('inbox-1')), await admin.exists(keys.dropped, keys.seen(bench.keyId()))]).toEqual([1, 0]);
  });

  it('is shredded despite its file mode when nothing was accepted under it', async () => {
    await chmod(join(bench.config.identities, 'worker-1.txt'), 0o640);
    later(DUE);
    await round();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
  });

  it('is shredded even when its keyring was removed, or when all keyrings have expired', async () => {
    const { keyrings, identities } = bench.config;
    await rm(join(keyrings, 'keyring-1.json'));
    // By the name of its file its week ends in 168 hours; another name would not say when.
    const week = new Date(Math.ceil(stand.now.getTime() / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
    await rename(join(identities, 'worker-1.txt'), join(identities, `week-${week}.txt`));
    await writeFile(join(identities, 'other.txt'), generateIdentity(), { mode: 0o600 });
    later(400 + 24 + 73);
    await sweeps();
    expect(await keyFiles()).toEqual(['other.txt']);
  });

  it('is kept as long as a keyring names it, and shredded in every file that holds it', async () => {
    await bench.keyring(3, { hours: [50, 240], keyOf: 1 });
    await copyFile(join(bench.config.identities, 'worker-1.txt'), join(bench.config.identities, 'a copy.txt'));
    later(DUE);
    for (let times = 0; times < 2; times += 1) await sweeps();
    expect(await keyFiles()).toHaveLength(3);
    later(240 - 168);
    for (let times = 0; times < 2; times += 1) await sweeps();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
  });
});

describe('housekeeping', () => {
  it('rewrites the append-only file, so that nothing of earlier rounds stays in it', async () => {
    await admin.set('canary', 'was-here');
    await admin.del('canary');
    const folder = join(stand.redis.dir, 'appendonlydir');
    const content = async (): Promise<string> => {
      // A file may vanish between being listed and being read, as the rewrite intends.
      return (await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1').catch(() => '')))).join('');
    };
    expect(await content()).toContain('was-here');
    await housekeeping.run();
    await until('the rewrite', async () => !(await content()).includes('was-here'));
  });

  it('says once that a rewrite failed in the background', async () => {
    const said = vi.spyOn(log, 'error');
    for (let index = 0; index < 300; index += 1) await admin.set(`k${String(index)}`, randomBytes(1_000).toString('hex'));
    const info = () => admin.info('persistence');
    await admin.bgrewriteaof();
    await until('the rewrite', async () => /aof_rewrite_in_progress:0[^]*aof_current_size:(\d+)\r\naof_base_size:\1\r/.test(await info()));
    // As on a disk without room for a second copy.
    execFileSync('prlimit', ['--pid', String(stand.redis.pid), '--fsize=100000:100000']);
    const failed = async (): Promise<boolean> => (await info()).includes('aof_last_bgrewrite_status:err');
    await housekeeping.run();
    await until('the failure', failed);
    for (let times = 0; times < 3; times += 1) await housekeeping.run();
    expect(said.mock.calls).toEqual([['housekeeping failed', { reason: 'aof', code: 'AOF_REWRITE' }]]);
    expect((await readState(admin)).housekeeping).toMatchObject({
      housekeeping: 'aof:AOF_REWRITE',
      aof: 'failing',
      memory: 'ok',
      relayLimits: limitsText(bench.config.relay),
    });
    said.mockRestore();
    // The limit ends with the process.
    await stand.redis.kill9();
  });

  it('names the settings of Redis that are not as they must be', async () => {
    const differing = async (): Promise<string | undefined> => {
      await housekeeping.run();
      return (await readState(admin)).housekeeping.redisSettings;
    };
    expect(await differing()).toBe('');
    await admin.config('SET', 'appendfsync', 'everysec', 'slowlog-max-len', '9');
    expect(await differing()).toBe('appendfsync slowlog-max-len');
    await admin.config('SET', 'appendfsync', 'always', 'slowlog-max-len', '0');
    expect(await differing()).toBe('');
  });

  it('lists the inboxes for the operator, including removed ones that still have letters', async () => {
    await admin.sadd(keys.inboxes, 'old', 'forgotten');
    await admin.hset(keys.dead('forgotten'), 'a', 'b');
    await housekeeping.run();
    expect((await admin.smembers(keys.inboxes)).toSorted()).toEqual(['forgotten', 'inbox-1']);
    const unconfigured = async () => {
      const { trouble } = await readState(admin);
      return ['forgotten', 'inbox-1', 'old'].map((id) => trouble(id, 'unconfigured'));
    };
    expect(await unconfigured()).toEqual(['unconfigured', null, null]);
    await admin.del(keys.dead('forgotten'));
    await housekeeping.run();
    expect(await unconfigured()).toEqual([null, null, null]);
  });

  it('carries on when one duty fails', async () => {
    await admin.set(keys.inboxes, 'of another type');
    later(168 + 24 + 72);
    await round();
    stand.now = new Date(stand.now.getTime() + 60_000);
    await round();
    expect(await keyFiles()).toEqual(['worker-2.txt']);
  });
});
