// What makes the mix pause: missing or unusable keys of keyrings under which parcels come, or came.
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateIdentity } from '../../crypto/age/identity.ts';
import { keys, SET_ANCHOR } from '../../redis/keys.ts';
import { readState } from '../../redis/state.ts';
import { oneRedis } from '../support/one-redis.ts';
import { WorkerStand, type MixRounds } from '../support/stand.ts';
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
const makeMix = async (): Promise<MixRounds> => (await stand.worker()).mix;

describe('the mix pauses, with everything still in the pool,', () => {
  const paused = async (mix: MixRounds): Promise<void> => {
    if ((await admin.hlen(keys.pool)) === 0) await bench.put(admin, bench.parcel());
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(1);
    expect(await admin.exists(keys.alive)).toBe(0);
  };
  const goesOn = async (mix: MixRounds): Promise<void> => {
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(0);
    expect(await admin.exists(keys.alive)).toBe(1);
  };

  it('while the key of a live keyring is missing, even of one that has just appeared', async () => {
    const mix = await makeMix();
    await mix.round(running);
    await admin.del(keys.alive);
    await bench.keyring(2, { hours: [-1, 200], withoutKey: true });
    await paused(mix);
    await bench.keyring(2, { hours: [-1, 200] });
    await goesOn(mix);
  });

  it('while a keyring’s key is not there under any name, or readable by others', async () => {
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

  it('while a key is missing for which parcels were accepted, however long ago', async () => {
    await bench.keyring(2, { hours: [100, 10_000] });
    const file = join(bench.config.identities, 'worker-1.txt');
    await chmod(file, 0o640);
    await admin.sadd(keys.seen(bench.keyId()), SET_ANCHOR, 'x');
    stand.later(1_000);
    const mix = await makeMix();
    await paused(mix);
    await chmod(file, 0o600);
    await goesOn(mix);
    await rm(file);
    await admin.del(keys.alive);
    await paused(mix);
    await admin.del(keys.seen(bench.keyId()));
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

describe('the key of a keyring that has yet to begin', () => {
  const said = async (): Promise<string | undefined> => (await readState(admin)).mix.warnings;

  it('that is missing or unusable pauses nothing, is reported, and loses no parcel under it', async () => {
    const mix = await makeMix();
    const next = (withoutKey: boolean) => bench.keyring(2, { hours: [24, 200], withoutKey });
    await next(true);
    await bench.put(admin, bench.parcel(), bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter('next') }, 2));
    await mix.round(running);
    // Far beyond the patience with parcels that nothing opens.
    stand.later(2);
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.hlen(keys.outbox('inbox-1')), await admin.exists(keys.dropped)]).toEqual([1, 1, 0]);
    expect([await admin.exists(keys.alive), await said(), (await readState(admin)).mix.paused]).toEqual([1, 'next-key:key-missing:2', '']);
    await next(false);
    await chmod(join(bench.config.identities, 'worker-2.txt'), 0o640);
    await mix.round(running);
    expect(await said()).toBe('next-key:key-mode:2:worker-2.txt');
    await chmod(join(bench.config.identities, 'worker-2.txt'), 0o600);
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.hlen(keys.outbox('inbox-1')), await said()]).toEqual([0, 2, '']);
  });

  it('however far ahead, is reported at once; so is a team that leaves, and a file that holds no key', async () => {
    const mix = await makeMix();
    await bench.keyring(2, { hours: [168, 336] });
    await bench.keyring(3, { hours: [336, 504], withoutKey: true });
    await bench.keyring(4, { hours: [504, 672], keyOf: 2, teams: ['ab'.repeat(8)] });
    await writeFile(join(bench.config.identities, 'no key.txt'), 'x', { mode: 0o600 });
    await mix.round(running);
    expect(await said()).toBe('next-key:key-format:3:unprintable team-leaves:4');
    await rm(join(bench.config.identities, 'no key.txt'));
    await writeFile(join(bench.config.identities, 'other.txt'), 'x', { mode: 0o600 });
    await bench.keyring(3, { hours: [336, 504] });
    await mix.round(running);
    expect(await said()).toBe('key-file:format:other.txt team-leaves:4');
    expect(await admin.exists(keys.alive)).toBe(1);
  });

  it('that was voided before it began is not missed', async () => {
    const mix = await makeMix();
    await bench.keyring(2, { hours: [168, 336], withoutKey: true });
    await bench.keyring(3, { hours: [100, 168] });
    await bench.keyring(4, { hours: [168, 336] });
    stand.later(200);
    await mix.round(running);
    expect((await readState(admin)).mix).toMatchObject({ paused: '', warnings: '' });
  });

  it('pauses the mix once that keyring begins', async () => {
    const mix = await makeMix();
    await bench.keyring(2, { hours: [24, 200], withoutKey: true });
    await mix.round(running);
    expect((await readState(admin)).mix.paused).toBe('');
    stand.later(25);
    await mix.round(running);
    expect((await readState(admin)).mix).toMatchObject({ paused: 'key-missing:2', warnings: '' });
  });
});
