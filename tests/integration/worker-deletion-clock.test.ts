// What is deleted goes by a clock that does not jump (worker/deletion-clock.ts).
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keys } from '../../redis/keys.ts';
import { weekOf } from '../../redis/mailboxes.ts';
import type { MixRounds } from '../support/stand.ts';
import type { Housekeeping } from '../../worker/housekeeping.ts';
import { oneRedis } from '../support/one-redis.ts';
import { WorkerStand } from '../support/stand.ts';

/** When the key of serial 1 is shredded: after its week, grace and backlog. */
const DUE = 168 + 24 + 72;

let stand: WorkerStand;
let parts: { mix: MixRounds; housekeeping: Housekeeping };
const emptyRedis = oneRedis();

beforeEach(async () => {
  stand = await WorkerStand.start(await emptyRedis());
  await stand.bench.keyring(2, { hours: [24, 2_000] });
  parts = await stand.worker();
  await parts.housekeeping.run();
});
afterEach(() => stand.stop());

/** How many keys are left after three rounds. */
async function kept(): Promise<number> {
  for (let times = 0; times < 3; times += 1) {
    await parts.mix.round(() => false);
    await parts.housekeeping.run();
    stand.later(1 / 60);
  }
  return (await readdir(stand.bench.config.identities)).length;
}

describe('a clock that jumps ahead', () => {
  it('deletes nothing at once, nor after a restart; only when the worker has run for half as long', async () => {
    const { admin } = stand;
    const replies = keys.replies(weekOf(stand.now) - stand.bench.config.replyWeeks);
    await admin.hset(replies, 'a', 'b');
    stand.jump(DUE + 1);
    expect([await kept(), await admin.exists(replies)]).toEqual([2, 1]);
    parts = await stand.worker();
    expect(await kept()).toBe(2);
    stand.later(DUE / 2 - 2);
    expect(await kept()).toBe(2);
    stand.later(3);
    expect([await kept(), await admin.exists(replies)]).toEqual([1, 0]);
  });

  it('and is set right again has deleted nothing', async () => {
    stand.jump(1_500);
    expect(await kept()).toBe(2);
    stand.jump(-1_500);
    expect(await kept()).toBe(2);
    stand.later(DUE);
    expect(await kept()).toBe(1);
  });
});

describe('a clock that is set back', () => {
  it('for a while, as on a machine that comes up in 1970, holds up nothing afterwards', async () => {
    const years = 56 * 365 * 24;
    stand.jump(-years);
    expect(await kept()).toBe(2);
    parts = await stand.worker();
    expect(await kept()).toBe(2);
    stand.jump(years);
    stand.later(DUE);
    expect(await kept()).toBe(1);
  });

  it('for a day is believed: when it is then ahead once more, nothing is deleted at once', async () => {
    // The worker was first started with a clock that was weeks ahead.
    await stand.admin.hset(keys.state, 'deletionHour', String(Math.floor(stand.now.getTime() / 3_600_000) + 1_000));
    parts = await stand.worker();
    for (let hours = 0; hours < 26; hours += 1) {
      stand.later(1);
      await parts.housekeeping.run();
    }
    stand.jump(1_000);
    expect(await kept()).toBe(2);
  });
});
