// A round of the mix: what becomes of each parcel, and what operators are told.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { PARCEL_PLAINTEXT_BYTES, parcelId, SEALED_BYTES } from '../../crypto/parcel.ts';
import { keys, SET_ANCHOR, rememberedId } from '../../redis/keys.ts';
import { readState } from '../../redis/state.ts';
import { BATCH } from '../../worker/mix.ts';
import { PATIENCE_MS } from '../../worker/undecided.ts';
import { oneRedis } from '../support/one-redis.ts';
import { WorkerStand, type MixRounds, type StandOptions } from '../support/stand.ts';
import type { Bench } from '../support/worker.ts';

let stand: WorkerStand;
let admin: Redis;
let bench: Bench;
const emptyRedis = oneRedis();

beforeEach(async () => {
  stand = await WorkerStand.start(await emptyRedis());
  ({ admin, bench } = stand);
});
afterEach(() => stand.stop());

const running = () => false;
const outbox = keys.outbox('inbox-1');
const makeMix = async (options?: StandOptions): Promise<MixRounds> => (await stand.worker(options)).mix;

describe('a round', () => {
  it('puts each letter into every outbox of its team, under unlinkable ids, and drops decoys', async () => {
    const letters = Array.from({ length: 3 }, (_, index) => bench.letter(`letter ${String(index)}`));
    await bench.put(
      admin,
      ...letters.map((letter) => bench.parcel({ kind: 'letter', team: bench.team, letter })),
      bench.parcel({ kind: 'decoy' }),
    );
    await (await makeMix({ inboxes: ['inbox-1', 'inbox-2'] })).round(running);
    for (const inbox of ['inbox-1', 'inbox-2']) {
      const bytes = (await admin.hvalsBuffer(keys.outbox(inbox))).map((value) => value.toString('hex'));
      expect(bytes.toSorted()).toEqual(letters.map((letter) => toHex(letter)).toSorted());
    }
    const [first, second] = await Promise.all(['inbox-1', 'inbox-2'].map((inbox) => admin.hkeysBuffer(keys.outbox(inbox))));
    expect(first?.some((id) => second?.some((other) => other.equals(id)))).toBe(false);
    expect(await admin.hgetall(keys.dropped)).toEqual({ decoy: '1' });
    expect(await admin.exists(keys.pool, keys.claims)).toBe(0);
    expect(await admin.keys('claim:*')).toEqual([]);
  });

  it('leaves about half of a shallow pool behind', async () => {
    const parcels = Array.from({ length: 60 }, () => bench.parcel({ kind: 'decoy' }));
    await bench.put(admin, ...parcels);
    await (await makeMix({ settings: { flushProbability: 0.5 } })).round(running);
    // 60 coin tosses: outside these bounds once in ten million runs.
    expect(await admin.hlen(keys.pool)).toBeGreaterThan(9);
    expect(await admin.hlen(keys.pool)).toBeLessThan(51);
  });

  it('remembers what it opened, and drops it when it comes again', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const mix = await makeMix();
    await mix.round(running);
    const id = (await admin.hkeysBuffer(outbox))[0];
    await admin.del(outbox);
    await bench.put(admin, parcel);
    await mix.round(running);
    expect(await admin.hlen(outbox)).toBe(0);
    expect(await admin.hgetall(keys.dropped)).toEqual({ replay: '1' });
    expect((await admin.smembersBuffer(keys.opened(bench.keyId()))).map(String).toSorted()).toEqual(
      [String(rememberedId(parcel.id)), SET_ANCHOR].toSorted(),
    );
    expect(id).toHaveLength(16);
  });

  it('drops each bad parcel for its reason, and forwards the good one among them', async () => {
    const good = bench.parcel();
    const letterTo = (team: string) => bench.parcel({ kind: 'letter', team, letter: bench.letter() });
    const kind = (first: number) => Uint8Array.of(first, ...new Uint8Array(PARCEL_PLAINTEXT_BYTES - 1));
    const noLetter = kind(1);
    noLetter.set(randomBytes(1_000), 9);
    const padding = kind(0);
    padding[100] = 1;
    const named = (sealed: Buffer) => ({ id: Buffer.from(parcelId(sealed)), sealed });
    const { sealed: flip } = bench.parcel();
    flip[SEALED_BYTES - 1] = (flip[SEALED_BYTES - 1] ?? 0) ^ 1;
    const [flipped, random, empty] = [named(flip), named(Buffer.from(randomBytes(SEALED_BYTES))), named(Buffer.alloc(0))];
    await bench.put(
      admin,
      good,
      letterTo('ffffffffffffffff'),
      stand.sealed(kind(7)),
      stand.sealed(padding),
      stand.sealed(new Uint8Array(10)),
      stand.sealed(noLetter),
      flipped,
      random,
      empty,
    );
    await (await makeMix()).round(running);
    expect(await admin.hgetall(keys.dropped)).toEqual({ team: '1', format: '3', structure: '1', damaged: '3' });
    expect(await admin.hlen(outbox)).toBe(1);
    expect(await admin.hlen(keys.pool)).toBe(0);
  });

  it('drops parcels that are not under their own name, without remembering that name', async () => {
    const good = bench.parcel();
    const { sealed } = bench.parcel();
    // As a compromised relay can write.
    const relay = await stand.redis.connect('relay');
    for (const name of [Buffer.from('short'), Buffer.alloc(32, 1), Buffer.alloc(0)]) await relay.hsetnx(keys.pool, name, sealed);
    await bench.put(admin, good);
    await (await makeMix()).round(running);
    expect(await admin.hgetall(keys.dropped)).toEqual({ damaged: '3' });
    expect(await admin.hlen(outbox)).toBe(1);
    expect(await admin.scard(keys.opened(bench.keyId()))).toBe(2);
    expect(await admin.exists(keys.pool, keys.alive)).toBe(1);
  });

  it('waits three rounds for a parcel’s key when that is longer than a minute', async () => {
    await bench.put(admin, stand.sealed(randomBytes(PARCEL_PLAINTEXT_BYTES), identityToRecipient(generateIdentity())));
    const mix = await makeMix({ settings: { roundSeconds: 300 } });
    await mix.round(running);
    stand.now = new Date(stand.now.getTime() + 899_999);
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(1);
    stand.now = new Date(stand.now.getTime() + 1);
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(0);
  });

  it('reports to operators once per round what it found', async () => {
    await bench.put(admin, bench.parcel({ kind: 'decoy' }));
    const mix = await makeMix();
    await mix.round(running);
    const operator = await stand.redis.connect('operator');
    const until = (await bench.keyring(1)).notAfter;
    expect((await readState(operator)).mix).toEqual({
      clock: expect.stringMatching(/^\d{8}$/),
      emptied: '',
      gaps: '',
      trial: '',
      pool: '1-9',
      replies: '0',
      paused: '',
      held: '',
      keyring: 'ok',
      keyringUntil: until,
      keyringNext: '',
      keyringNewest: '1',
      warnings: '',
      keyringFiles: '',
    });
    stand.later(7 * 24 - 47);
    await mix.round(running);
    expect((await readState(operator)).mix).toMatchObject({ pool: '0', paused: '', keyring: 'expiring', keyringUntil: until });
    stand.later(48);
    await rm(join(bench.config.identities, 'worker-1.txt'));
    await mix.round(running);
    expect((await readState(operator)).mix).toMatchObject({ pool: '0', paused: 'key-missing:1', keyring: 'none', keyringUntil: '' });
  });

  it('waits a minute for a parcel’s key before dropping it', async () => {
    await bench.put(admin, stand.sealed(randomBytes(PARCEL_PLAINTEXT_BYTES), identityToRecipient(generateIdentity())));
    const mix = await makeMix();
    await mix.round(running);
    stand.now = new Date(stand.now.getTime() + PATIENCE_MS - 1);
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.exists(keys.dropped)]).toEqual([1, 0]);
    stand.now = new Date(stand.now.getTime() + 1);
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.hgetall(keys.dropped)]).toEqual([0, { unopenable: '1' }]);
  });

  it('opens parcels under the next keyring and under one past its grace', async () => {
    await bench.keyring(2, { hours: [1, 200] });
    await bench.put(admin, bench.parcel(), bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter() }, 2));
    stand.later(1 + 24 + 71);
    await (await makeMix()).round(running);
    expect(await admin.hlen(outbox)).toBe(2);
    expect(await admin.scard(keys.opened(bench.keyId(2)))).toBe(2);
  });

  it('stops between batches when asked, leaving nothing half done', async () => {
    await bench.put(admin, ...Array.from({ length: 2 * BATCH + 1 }, () => bench.parcel({ kind: 'decoy' })));
    let asked = 0;
    const mix = await makeMix();
    await mix.round(() => (asked += 1) > 3);
    expect(mix.lastSweep).toBeNull();
    expect(await admin.hlen(keys.pool)).toBeGreaterThan(0);
    expect(await admin.keys('claim*')).toEqual([]);
    expect(await admin.exists(keys.alive)).toBe(0);
    expect((await admin.hlen(keys.pool)) + Number(await admin.hget(keys.dropped, 'decoy'))).toBe(2 * BATCH + 1);
  });
});

describe('an inbox that fills up', () => {
  it('is reported from three quarters of its limit on', async () => {
    const mix = await makeMix({ settings: { limits: { outbox: 4, dead: 1, replies: 4 } } });
    await admin.hset(keys.outbox('inbox-1'), 'a', 'b', 'c', 'd');
    await mix.round(running);
    expect((await readState(admin)).mix.warnings).toBe('');
    await admin.hset(keys.outbox('inbox-1'), 'e', 'f');
    await mix.round(running);
    expect((await readState(admin)).mix).toMatchObject({ warnings: 'outbox-filling:inbox-1', held: '' });
  });
});

it('a damaged parcel is reported to operators in the round that drops it', async () => {
  const { id, sealed } = bench.parcel();
  sealed.writeUInt8(sealed.readUInt8(sealed.length - 1) ^ 1, sealed.length - 1);
  await bench.put(admin, { id, sealed });
  const mix = await makeMix();
  await mix.round(running);
  expect((await readState(admin, stand.now)).drops).toEqual(['damaged']);
  stand.later(25);
  await mix.round(running);
  expect((await readState(admin, stand.now)).drops).toEqual([]);
});
