import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keys } from '../../redis/keys.ts';
import { readState } from '../../redis/state.ts';
import { BATCH } from '../../worker/mix.ts';
import { Outbox } from '../../worker/outbox.ts';
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

describe('the letters of one team stay in the pool, and those of others leave,', () => {
  const OTHER = 'ffffffffffffffff';
  const otherBox = keys.outbox('inbox-2');
  const toOther = () => bench.parcel({ kind: 'letter', team: OTHER, letter: bench.letter() }, 2);

  async function twoTeams(inboxes: readonly string[], limits = { outbox: 2, dead: 2, replies: 2 }): Promise<MixRounds> {
    await bench.keyring(2, { hours: [24, 200], teams: [bench.team, OTHER] });
    return makeMix({ settings: { limits }, others: new Map(inboxes.map((id) => [OTHER, [new Outbox(stand.client, id)]])) });
  }
  const held = async (mix: MixRounds, reason: string): Promise<void> => {
    await admin.del(keys.alive, outbox);
    await bench.put(admin, bench.parcel());
    if ((await admin.hlen(keys.pool)) === 1) await bench.put(admin, toOther());
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.hlen(outbox)]).toEqual([1, 1]);
    expect(await admin.exists(keys.alive)).toBe(1);
    expect((await readState(admin)).mix).toMatchObject({ paused: '', held: reason });
    // What stays behind may still need its key.
    expect(mix.lastSweep?.keyIds.has(bench.keyId(2))).not.toBe(true);
  };
  const released = async (mix: MixRounds): Promise<void> => {
    await mix.round(running);
    expect(await admin.hlen(keys.pool)).toBe(0);
    expect(await admin.hlen(otherBox)).toBeGreaterThan(0);
    expect((await readState(admin)).mix.held).toBe('');
    expect(mix.lastSweep?.keyIds.has(bench.keyId(2))).toBe(true);
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

  it('but never because of letters its inbox refused', async () => {
    const mix = await twoTeams(['inbox-2']);
    await admin.hset(keys.dead('inbox-2'), 'a', 'b', 'c', 'd', 'e', 'f');
    await bench.put(admin, toOther());
    await mix.round(running);
    expect([await admin.hlen(keys.pool), await admin.hlen(otherBox), await admin.hlen(keys.dead('inbox-2'))]).toEqual([0, 1, 3]);
    expect((await readState(admin)).mix.held).toBe('');
  });

  it('while it has no inbox', async () => {
    const mix = await twoTeams([]);
    await held(mix, 'team-without-inbox:2');
    await admin.del(outbox);
    await (await twoTeams(['inbox-2'])).round(running);
    expect([await admin.hlen(keys.pool), await admin.hlen(otherBox)]).toEqual([0, 1]);
  });

  it('when its outbox becomes full, exactly at its limit', async () => {
    await bench.put(
      admin,
      ...Array.from({ length: BATCH + 5 }, (_, index) =>
        bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter(String(index)) }),
      ),
    );
    await (await makeMix({ settings: { limits: { outbox: BATCH + 2, dead: 1, replies: 1 } } })).round(running);
    expect([await admin.hlen(outbox), await admin.hlen(keys.pool)]).toEqual([BATCH + 2, 3]);
  });
});
