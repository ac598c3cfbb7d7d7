import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keys, SET_ANCHOR, rememberedId } from '../../redis/keys.ts';
import { BatchLease } from '../../worker/batch-lease.ts';
import type { Outcome } from '../../worker/commit.ts';
import { loadIdentities } from '../../worker/identities.ts';
import { LEASE_MS } from '../../worker/lease.ts';
import { letterId } from '../../crypto/letter.ts';
import { Outbox } from '../../worker/outbox.ts';
import { oneRedis } from '../support/one-redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { WorkerStand, type MixRounds, type StandOptions } from '../support/stand.ts';
import { until, type Bench } from '../support/worker.ts';

let stand: WorkerStand;
let admin: Redis;
let bench: Bench;
let redis: TestRedis;
const emptyRedis = oneRedis();

beforeEach(async () => {
  stand = await WorkerStand.start(await emptyRedis());
  ({ admin, bench, redis } = stand);
});
afterEach(() => stand.stop());

const running = () => false;
const outbox = keys.outbox('inbox-1');
const makeMix = async (options?: StandOptions): Promise<MixRounds> => (await stand.worker(options)).mix;

/** The commands in the append-only file since it was rewritten, each with its arguments. */
async function commandsIn({ dir }: TestRedis): Promise<string[][]> {
  const folder = join(dir, 'appendonlydir');
  const file = (await readdir(folder)).find((name) => name.endsWith('.incr.aof')) ?? 'none';
  const text = await readFile(join(folder, file), 'latin1');
  const commands: string[][] = [];
  let at = 0;
  const line = (): string => {
    const end = text.indexOf('\r\n', at);
    const found = text.slice(at, end);
    at = end + 2;
    return found;
  };
  while (at < text.length) {
    const count = Number(line().slice(1));
    commands.push(
      Array.from({ length: count }, () => {
        const length = Number(line().slice(1));
        const value = text.slice(at, at + length);
        at += length + 2;
        return value;
      }),
    );
  }
  return commands;
}

describe('a claim', () => {
  it('whose lease dates from before the clock was set back is not waited for', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    await stand.lease('dead').take([parcel.id]);
    await admin.pexpire(keys.lease('dead'), 3_600_000);
    await (await makeMix()).round(running);
    expect(await admin.hlen(outbox)).toBe(1);
  });

  it('is taken, committed and removed while Redis is out of memory', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    await admin.config('SET', 'maxmemory', '100kb');
    await expect(bench.put(admin, bench.parcel())).rejects.toThrow('OOM');
    const lease = stand.lease('own');
    expect(await lease.take([parcel.id])).toEqual([parcel]);
    const letterId = Buffer.alloc(16);
    expect(
      await lease.commit([
        { kind: 'letter', id: parcel.id, keyId: bench.keyId(), letter: Buffer.from('letter'), to: [{ inbox: 'inbox-1', letterId }] },
      ]),
    ).toBe(true);
    await new Outbox(stand.client, 'inbox-1').bury(letterId, 'reply-554');
    expect(await new Outbox(stand.client, 'inbox-1').depths()).toEqual({ waiting: 0, dead: 1 });
  });

  it('leaves no lease behind when it is done', async () => {
    await bench.put(admin, bench.parcel());
    await (await makeMix()).round(running);
    expect(await admin.keys('lease:*')).toEqual([]);
  });

  it('of a worker that died before its commit is finished by the next, with the same letter id', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const dead = stand.lease('dead');
    expect(await dead.take([parcel.id])).toEqual([parcel]);
    expect(await admin.hlen(keys.pool)).toBe(0);
    const mix = await makeMix();
    // Its lease has not run out.
    await mix.round(running);
    expect(await admin.hlen(outbox)).toBe(0);
    await until('the end of the lease', async () => (await admin.exists(keys.lease('dead'))) === 0, LEASE_MS + 2_000);
    await mix.round(running);
    const [id] = await admin.hkeysBuffer(outbox);
    expect(await admin.exists(keys.claims, keys.claim('dead'))).toBe(0);

    // As it would have been, had the first one lived.
    await admin.del(outbox, keys.opened(bench.keyId()));
    await bench.put(admin, parcel);
    await (await makeMix()).round(running);
    expect(await admin.hkeysBuffer(outbox)).toEqual([id]);
  });

  it('of a paused worker, once taken over, cannot be committed by it', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const slow = stand.lease('slow');
    await slow.take([parcel.id]);
    await admin.del(keys.lease('slow'));
    const fast = stand.lease('fast');
    expect(await fast.takeOver()).toEqual([parcel]);
    const outcome: Outcome = {
      kind: 'letter',
      id: parcel.id,
      keyId: bench.keyId(),
      letter: Buffer.from('letter'),
      to: [{ inbox: 'inbox-1', letterId: Buffer.alloc(16) }],
    };
    expect(await slow.commit([outcome])).toBe(false);
    expect(await admin.exists(outbox, keys.opened(bench.keyId()))).toBe(0);
    expect(await fast.commit([outcome])).toBe(true);
    expect(await fast.commit([outcome])).toBe(false);
    expect(await admin.hlen(outbox)).toBe(1);
  });

  it('with an outcome of a kind unknown to Redis is an error, and nothing of it is written', async () => {
    const parcels = [bench.parcel(), bench.parcel()];
    await bench.put(admin, ...parcels);
    const lease = stand.lease('own');
    await lease.take(parcels.map(({ id }) => id));
    const [known, unknown] = parcels.map(({ id }) => id);
    const outcomes = [
      { kind: 'drop', id: known, keyId: bench.keyId(), reason: 'decoy' },
      { kind: 'heartbeat', id: unknown, keyId: bench.keyId() },
    ] as unknown as Outcome[];
    await expect(lease.commit(outcomes)).rejects.toThrow('OUTCOME');
    expect(await admin.exists(keys.pool, keys.opened(bench.keyId()), keys.dropped)).toBe(0);
    expect(await admin.hlen(keys.claim('own'))).toBe(2);
  });

  it('whose commit got no answer is finished by the same worker', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const lease = stand.lease('own');
    await lease.take([parcel.id]);
    await (await makeMix({ lease })).round(running);
    expect(await admin.hlen(outbox)).toBe(1);
  });

  it('leaves nothing in the append-only file that links a letter to its parcel', async () => {
    const parcels = Array.from({ length: 12 }, () => {
      const letter = bench.letter();
      return { letter, ...bench.parcel({ kind: 'letter', team: bench.team, letter }) };
    });
    await bench.put(admin, ...parcels);
    const [identity] = (await loadIdentities(bench.config.identities)).identities;
    const written = (await commandsIn(redis)).length;
    await (await makeMix()).round(running);
    const commands = (await commandsIn(redis)).slice(written);
    const byName = parcels.toSorted((a, b) => a.id.compare(b.id));
    const values = (command: string, key: string): string[] =>
      commands.filter(([name, of]) => name === command && of === key).flatMap(([, , ...rest]) => rest);
    const opened = values('SADD', keys.opened(bench.keyId())).filter((id) => id !== SET_ANCHOR);
    expect(opened).toEqual(byName.map(({ id }) => rememberedId(id).toString('latin1')));
    expect(values('HDEL', commands.find(([name, key]) => name === 'HDEL' && key?.startsWith('claim:'))?.[1] ?? '')).toEqual(
      byName.map(({ id }) => id.toString('latin1')),
    );
    const letterIds = byName.map(({ letter }) =>
      Buffer.from(letterId(letter, 'inbox-1', identity?.secret ?? new Uint8Array())).toString('latin1'),
    );
    const order = commands.filter(([name, key]) => name === 'HSET' && key === outbox).map(([, , id]) => id);
    expect(order.toSorted()).toEqual(letterIds.toSorted());
    expect(order).not.toEqual(letterIds);
    // All names come before all letters, and are removed after them.
    const of = commands
      .map(([name, key]) =>
        name === 'SADD' ? 'opened' : key === outbox ? 'letter' : name === 'HDEL' && key?.startsWith('claim:') ? 'done' : '',
      )
      .filter((step) => step !== '');
    expect(of.filter((step, i) => step !== of[i - 1])).toEqual(['opened', 'letter', 'done']);
  });

  it('never belongs to two workers at once', async () => {
    const parcels = Array.from({ length: 150 }, () => bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter() }));
    await bench.put(admin, ...parcels);
    const [a, b] = await Promise.all([makeMix(), makeMix({ lease: new BatchLease(await redis.connect('worker'), 'b') })]);
    await Promise.all([a.round(running), b.round(running)]);
    expect(await admin.hlen(outbox)).toBe(parcels.length);
    expect(await admin.exists(keys.dropped, keys.claims, keys.pool)).toBe(0);
  });

  it('is never missed by a sweep, whenever another worker takes it and puts it back', async () => {
    const parcel = bench.parcel();
    const other = stand.lease('other');
    const client = await redis.connect('worker');
    const send = client.sendCommand.bind(client);
    let sent = 0;
    const round = async (takenAt: number, backAt: number): Promise<MixRounds> => {
      await admin.flushdb();
      await bench.put(admin, parcel);
      const mix = await makeMix({ lease: new BatchLease(client, 'own') });
      sent = 0;
      client.sendCommand = async (command, ...rest) => {
        sent += 1;
        if (sent === takenAt) await other.take([parcel.id]);
        if (sent === backAt) await other.commit([{ kind: 'back', id: parcel.id }]);
        return send(command, ...rest);
      };
      await mix.round(running);
      if (backAt > sent) await other.commit([{ kind: 'back', id: parcel.id }]);
      return mix;
    };
    await round(0, 0);
    const commands = sent;
    for (let takenAt = 1; takenAt <= commands; takenAt += 1) {
      for (let backAt = takenAt + 1; backAt <= commands + 1; backAt += 1) {
        const { lastSweep } = await round(takenAt, backAt);
        expect({ takenAt, backAt, overlooked: lastSweep !== null && (await admin.hlen(keys.pool)) > 0 }).toMatchObject({
          overlooked: false,
        });
      }
    }
    expect((await round(0, 0)).lastSweep).not.toBeNull();
  });

  it('survives Redis: kill -9 loses neither pool, claim nor outbox', async () => {
    const parcels = Array.from({ length: 10 }, () => bench.parcel());
    await bench.put(admin, ...parcels);
    const lease = stand.lease('own');
    await lease.take(parcels.slice(0, 5).map(({ id }) => id));
    await redis.kill9();
    await expect((await makeMix({ lease })).round(running)).rejects.toThrow();
    await redis.restart();
    stand.client = await redis.connect('worker');
    await (await makeMix({ lease: stand.lease('own') })).round(running);
    admin = await redis.connect('admin');
    expect(await admin.hlen(outbox)).toBe(10);
  });
});
