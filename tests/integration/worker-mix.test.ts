import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { PARCEL_PLAINTEXT_BYTES, parcelId, SEALED_BYTES } from '../../crypto/parcel.ts';
import { KeyringShelf } from '../../service/keyrings.ts';
import { keys, SET_ANCHOR, shortId } from '../../store/keys.ts';
import { readState } from '../../store/state.ts';
import { Claims, type Outcome } from '../../worker/claims.ts';
import { LEASE_MS } from '../../worker/lease.ts';
import { BATCH, Mix, PATIENCE_MS, type MixSettings } from '../../worker/mix.ts';
import { Outbox } from '../../worker/outbox.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until, workerBench, type Bench } from '../support/worker.ts';
import { Mailboxes } from '../../worker/mailboxes.ts';

let redis: TestRedis;
let admin: Redis;
let client: Redis;
let bench: Bench;
let now: Date;

beforeEach(async () => {
  redis = await startRedis();
  admin = await redis.connect('admin');
  client = await redis.connect('worker');
  bench = await workerBench(redis);
  now = new Date();
});
afterEach(async () => {
  await redis.stop();
  await bench.remove();
});

const HOUR_MS = 3_600_000;
const running = () => false;
const outbox = keys.outbox('inbox-1');

async function makeMix(settings: Partial<MixSettings> = {}, claims = new Claims(client, toHex(randomBytes(16))), inboxes: readonly string[] = ['inbox-1'], others: ReadonlyMap<string, Outbox[]> = new Map()): Promise<Mix> {
  const shelf = new KeyringShelf({ directory: bench.config.keyrings, rootKeyFile: bench.config.rootKeyFile, now: () => now });
  await shelf.load();
  const outboxes = new Map([[bench.team, inboxes.map((id) => new Outbox(client, id))], ...others]);
  return new Mix(client, claims, shelf, outboxes, new Mailboxes(client, bench.config.replyWeeks), { ...bench.config, ...settings }, () => now);
}

/** A parcel whose sealed part is an age file to the worker with this inside. */
function sealedRaw(plaintext: Uint8Array, recipient = identityToRecipient(bench.workerIdentity)): { id: Buffer; sealed: Buffer } {
  const sealed = Buffer.from(encrypt(plaintext, [recipient]));
  return { id: Buffer.from(parcelId(sealed)), sealed };
}

describe('a round', () => {
  it('puts each letter into every outbox of its team, under unlinkable ids, and drops decoys', async () => {
    const letters = Array.from({ length: 3 }, (_, index) => bench.letter(`letter ${String(index)}`));
    await bench.put(admin, ...letters.map((letter) => bench.parcel({ kind: 'letter', team: bench.team, letter })), bench.parcel({ kind: 'decoy' }));
    await (await makeMix({}, undefined, ['inbox-1', 'inbox-2'])).round(running);
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

  it('leaves to a shallow pool about half of it', async () => {
    const parcels = Array.from({ length: 60 }, () => bench.parcel({ kind: 'decoy' }));
    await bench.put(admin, ...parcels);
    await (await makeMix({ share: 0.5 })).round(running);
    // 60 coins: outside these bounds once in ten million.
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
    expect((await admin.smembersBuffer(keys.opened(1))).map(String).toSorted()).toEqual([String(shortId(parcel.id)), SET_ANCHOR].toSorted());
    expect(id).toHaveLength(16);
  });

  it('drops poison, each for its reason, and forwards what was among it', async () => {
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
    await bench.put(admin, good, letterTo('ffffffffffffffff'), sealedRaw(kind(7)), sealedRaw(padding), sealedRaw(new Uint8Array(10)), sealedRaw(noLetter), flipped, random, empty);
    await (await makeMix()).round(running);
    expect(await admin.hgetall(keys.dropped)).toEqual({ team: '1', format: '3', structure: '1', damaged: '3' });
    expect(await admin.hlen(outbox)).toBe(1);
    expect(await admin.hlen(keys.pool)).toBe(0);
  });

  it('drops what is not under its own name, without remembering that name', async () => {
    const good = bench.parcel();
    const { sealed } = bench.parcel();
    // What a relay that was taken over can write.
    const relay = await redis.connect('relay');
    for (const name of [Buffer.from('short'), Buffer.alloc(32, 1), Buffer.alloc(0)]) await relay.hsetnx(keys.pool, name, sealed);
    await bench.put(admin, good);
    await (await makeMix()).round(running);
    expect(await admin.hgetall(keys.dropped)).toEqual({ damaged: '3' });
    expect(await admin.hlen(outbox)).toBe(1);
    expect(await admin.scard(keys.opened(1))).toBe(2);
    expect(await admin.exists(keys.pool, keys.alive)).toBe(1);
  });

  it('waits three rounds for the key of a parcel when that is longer than a minute', async () => {
    await bench.put(admin, sealedRaw(randomBytes(PARCEL_PLAINTEXT_BYTES), identityToRecipient(generateIdentity())));
    const mix = await makeMix({ roundSeconds: 300 });
    await mix.round(running);
    now = new Date(now.getTime() + 899_999);
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(1);
    now = new Date(now.getTime() + 1);
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(0);
  });

  it('tells operators once a round what it found', async () => {
    await bench.put(admin, bench.parcel({ kind: 'decoy' }));
    const mix = await makeMix();
    await mix.round(running);
    const operator = await redis.connect('operator');
    expect((await readState(operator)).mix).toEqual({ pool: '1-9', paused: '', held: '', keyring: 'ok' });
    now = new Date(now.getTime() + (7 * 24 - 47) * HOUR_MS);
    await mix.round(running);
    expect((await readState(operator)).mix).toEqual({ pool: '0', paused: '', held: '', keyring: 'expiring' });
    now = new Date(now.getTime() + 48 * HOUR_MS);
    await rm(join(bench.config.identities, 'worker-1.txt'));
    await mix.round(running);
    expect((await readState(operator)).mix).toEqual({ pool: '0', paused: 'key-missing:1', held: '', keyring: 'none' });
  });

  it('waits a minute for the key of a parcel before it drops it', async () => {
    await bench.put(admin, sealedRaw(randomBytes(PARCEL_PLAINTEXT_BYTES), identityToRecipient(generateIdentity())));
    const mix = await makeMix();
    await mix.round(running);
    now = new Date(now.getTime() + PATIENCE_MS - 1);
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.exists(keys.dropped)]).toEqual([1, 0]);
    now = new Date(now.getTime() + 1);
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.hgetall(keys.dropped)]).toEqual([0, { unopenable: '1' }]);
  });

  it('opens what came under the next keyring and under one past its grace', async () => {
    await bench.keyring(2, { hours: [1, 200] });
    await bench.put(admin, bench.parcel(), bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter() }, 2));
    now = new Date(now.getTime() + (1 + 24 + 71) * 3_600_000);
    await (await makeMix()).round(running);
    expect(await admin.hlen(outbox)).toBe(2);
    expect(await admin.scard(keys.opened(2))).toBe(2);
  });

  it('stops between batches when asked, with nothing half done', async () => {
    await bench.put(admin, ...Array.from({ length: 2 * BATCH + 1 }, () => bench.parcel({ kind: 'decoy' })));
    let asked = 0;
    await (await makeMix()).round(() => (asked += 1) > 3);
    expect(await admin.hlen(keys.pool)).toBeGreaterThan(0);
    expect(await admin.keys('claim*')).toEqual([]);
    expect(await admin.exists(keys.alive)).toBe(0);
    expect((await admin.hlen(keys.pool)) + Number(await admin.hget(keys.dropped, 'decoy'))).toBe(2 * BATCH + 1);
  });
});

describe('the mix pauses, with everything still in the pool,', () => {
  const paused = async (mix: Mix): Promise<void> => {
    if ((await admin.hlen(keys.pool)) === 0) await bench.put(admin, bench.parcel());
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(1);
    expect(await admin.exists(keys.alive)).toBe(0);
  };
  const goesOn = async (mix: Mix): Promise<void> => {
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(0);
    expect(await admin.exists(keys.alive)).toBe(1);
  };

  it('while the key of a live keyring is missing, also one that appeared a moment ago', async () => {
    const mix = await makeMix();
    await mix.round(running);
    await admin.del(keys.alive);
    await bench.keyring(2, { hours: [24, 200], withoutKey: true });
    await paused(mix);
    await bench.keyring(2, { hours: [24, 200] });
    await goesOn(mix);
  });

  it('while the key of a keyring is of another, or may be read by others', async () => {
    const mix = await makeMix();
    const file = join(bench.config.identities, 'worker-1.txt');
    await writeFile(file, generateIdentity());
    await paused(mix);
    await writeFile(file, bench.workerIdentity);
    await chmod(file, 0o644);
    await paused(mix);
    await chmod(file, 0o600);
    await goesOn(mix);
  });

  it('while a key is missing under which parcels were accepted, however long ago', async () => {
    await bench.keyring(2, { hours: [100, 10_000] });
    const file = join(bench.config.identities, 'worker-1.txt');
    await chmod(file, 0o640);
    await admin.sadd(keys.seen(1), SET_ANCHOR, 'x');
    now = new Date(now.getTime() + 1_000 * HOUR_MS);
    const mix = await makeMix();
    await paused(mix);
    await chmod(file, 0o600);
    await goesOn(mix);
    await rm(file);
    await admin.del(keys.alive);
    await paused(mix);
    await admin.del(keys.seen(1));
    await mix.round(running);
    expect(await admin.exists(keys.alive)).toBe(1);
  });

  it('while there is no keyring at all', async () => {
    const parcel = bench.parcel();
    await rm(join(bench.config.keyrings, 'keyring-1.json'));
    await bench.put(admin, parcel);
    await (await makeMix()).round(running);
    expect(await admin.hlen(keys.pool)).toBe(1);
    expect(await admin.exists(keys.alive)).toBe(0);
  });
});

describe('the letters of one team stay in the pool, and those of others go on,', () => {
  const OTHER = 'ffffffffffffffff';
  const otherBox = keys.outbox('inbox-2');
  const toOther = () => bench.parcel({ kind: 'letter', team: OTHER, letter: bench.letter() }, 2);

  async function twoTeams(inboxes: readonly string[], limits = { outbox: 2, dead: 2, replies: 2 }): Promise<Mix> {
    await bench.keyring(2, { hours: [24, 200], teams: [bench.team, OTHER] });
    return makeMix({ limits }, undefined, ['inbox-1'], new Map(inboxes.map((id) => [OTHER, [new Outbox(client, id)]])));
  }
  const held = async (mix: Mix, reason: string): Promise<void> => {
    await admin.del(keys.alive, outbox);
    await bench.put(admin, bench.parcel());
    if ((await admin.hlen(keys.pool)) === 1) await bench.put(admin, toOther());
    mix.sweepWanted = true;
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.hlen(outbox)]).toEqual([1, 1]);
    expect(await admin.exists(keys.alive)).toBe(1);
    expect((await readState(admin)).mix).toMatchObject({ paused: '', held: reason });
    // What stays behind may need a key.
    expect(mix.lastSweep).toBeNull();
  };
  const released = async (mix: Mix): Promise<void> => {
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(0);
    expect(await admin.hlen(otherBox)).toBeGreaterThan(0);
    expect((await readState(admin)).mix.held).toBe('');
    expect(mix.lastSweep).not.toBeNull();
    expect(await admin.exists(keys.dropped)).toBe(0);
  };

  it('while its outbox is full', async () => {
    const mix = await twoTeams(['inbox-2']);
    await admin.hset(otherBox, 'a', 'b', 'c', 'd');
    await held(mix, 'outbox-full:inbox-2');
    await held(mix, 'outbox-full:inbox-2');
    await admin.del(otherBox);
    await released(mix);
  });

  it('while the dead letters of its inbox are too many', async () => {
    const mix = await twoTeams(['inbox-2']);
    await admin.hset(keys.dead('inbox-2'), 'a', 'b', 'c', 'd');
    await held(mix, 'dead-letters-full:inbox-2');
    await admin.del(keys.dead('inbox-2'));
    await released(mix);
  });

  it('while it has no inbox', async () => {
    const mix = await twoTeams([]);
    await held(mix, 'team-without-inbox:2');
    await admin.del(outbox);
    await (await twoTeams(['inbox-2'])).round(running);
    expect([await admin.hlen(keys.pool), await admin.hlen(otherBox)]).toEqual([0, 1]);
  });

  it('when its outbox becomes full, exactly at its limit', async () => {
    await bench.put(admin, ...Array.from({ length: BATCH + 5 }, (_, index) => bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter(String(index)) })));
    await (await makeMix({ limits: { outbox: BATCH + 2, dead: 1, replies: 1 } })).round(running);
    expect([await admin.hlen(outbox), await admin.hlen(keys.pool)]).toEqual([BATCH + 2, 3]);
  });
});

describe('a claim', () => {
  it('whose lease was given before the clock was set back is not waited for', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    await new Claims(client, 'dead').take([parcel.id]);
    await admin.pexpire(keys.lease('dead'), 3_600_000);
    await (await makeMix()).round(running);
    expect(await admin.hlen(outbox)).toBe(1);
  });

  it('is taken, committed and buried while the memory of Redis is full', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    await admin.config('SET', 'maxmemory', '100kb');
    await expect(bench.put(admin, bench.parcel())).rejects.toThrow('OOM');
    const claims = new Claims(client, 'own');
    expect(await claims.take([parcel.id])).toEqual([parcel]);
    const letterId = Buffer.alloc(16);
    expect(await claims.commit([{ kind: 'letter', id: parcel.id, serial: 1, letter: Buffer.from('letter'), to: [{ inbox: 'inbox-1', letterId }] }])).toBe(true);
    await new Outbox(client, 'inbox-1').bury(letterId);
    expect(await new Outbox(client, 'inbox-1').depths()).toEqual({ waiting: 0, dead: 1 });
  });

  it('leaves no lease behind when it is done', async () => {
    await bench.put(admin, bench.parcel());
    await (await makeMix()).round(running);
    expect(await admin.keys('lease:*')).toEqual([]);
  });

  it('of a worker that died between claim and commit is done by the next, with the same letter id', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const dead = new Claims(client, 'dead');
    expect(await dead.take([parcel.id])).toEqual([parcel]);
    expect(await admin.hlen(keys.pool)).toBe(0);
    const mix = await makeMix();
    // Its lease still runs.
    await mix.round(running);
    expect(await admin.hlen(outbox)).toBe(0);
    await until('the end of the lease', async () => (await admin.exists(keys.lease('dead'))) === 0, LEASE_MS + 2_000);
    await mix.round(running);
    const [id] = await admin.hkeysBuffer(outbox);
    expect(await admin.exists(keys.claims, keys.claim('dead'))).toBe(0);

    // What it would have been, had the first one lived.
    await admin.del(outbox, keys.opened(1));
    await bench.put(admin, parcel);
    await (await makeMix()).round(running);
    expect(await admin.hkeysBuffer(outbox)).toEqual([id]);
  });

  it('of a paused worker that was taken up cannot be committed by it', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const slow = new Claims(client, 'slow');
    await slow.take([parcel.id]);
    await admin.del(keys.lease('slow'));
    const fast = new Claims(client, 'fast');
    expect(await fast.takeUp()).toEqual([parcel]);
    const outcome: Outcome = { kind: 'letter', id: parcel.id, serial: 1, letter: Buffer.from('letter'), to: [{ inbox: 'inbox-1', letterId: Buffer.alloc(16) }] };
    expect(await slow.commit([outcome])).toBe(false);
    expect(await admin.exists(outbox, keys.opened(1))).toBe(0);
    expect(await fast.commit([outcome])).toBe(true);
    expect(await fast.commit([outcome])).toBe(false);
    expect(await admin.hlen(outbox)).toBe(1);
  });

  it('whose commit got no answer is finished by its own worker', async () => {
    const parcel = bench.parcel();
    await bench.put(admin, parcel);
    const claims = new Claims(client, 'own');
    await claims.take([parcel.id]);
    await (await makeMix({}, claims)).round(running);
    expect(await admin.hlen(outbox)).toBe(1);
  });

  it('never is two workers’ at once', async () => {
    const parcels = Array.from({ length: 150 }, () => bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter() }));
    await bench.put(admin, ...parcels);
    const [a, b] = await Promise.all([makeMix(), makeMix({}, new Claims(await redis.connect('worker'), 'b'))]);
    await Promise.all([a.round(running), b.round(running)]);
    expect(await admin.hlen(outbox)).toBe(parcels.length);
    expect(await admin.exists(keys.dropped, keys.claims, keys.pool)).toBe(0);
  });

  it('survives Redis: kill -9 loses neither pool, claim nor outbox', async () => {
    const parcels = Array.from({ length: 10 }, () => bench.parcel());
    await bench.put(admin, ...parcels);
    const claims = new Claims(client, 'own');
    await claims.take(parcels.slice(0, 5).map(({ id }) => id));
    await redis.kill9();
    await expect((await makeMix({}, claims)).round(running)).rejects.toThrow();
    await redis.restart();
    client = await redis.connect('worker');
    await (await makeMix({}, new Claims(client, 'own'))).round(running);
    admin = await redis.connect('admin');
    expect(await admin.hlen(outbox)).toBe(10);
  });
});
