// What an operator is told about relays, each of which is asked over Redis.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { channels, type RelayCondition } from '../../redis/presence.ts';
import { minutesOf } from '../../redis/state.ts';
import { VERSION } from '../../runtime/version.ts';
import { OPEN, OperatorStand } from '../support/operator-stand.ts';
import { until } from '../support/worker.ts';

describe('with Redis', () => {
  let stand: OperatorStand;
  let admin: Redis;
  beforeAll(async () => {
    stand = await OperatorStand.start();
    ({ admin } = stand);
  });
  afterAll(() => stand.stop());
  beforeEach(() => stand.reset());

  const status = (): ReturnType<typeof stand.status> => stand.status();

  test.each<[string, Partial<RelayCondition>, string, string]>([
    ['whose door is closed', { door: 'keyring' }, 'DOOR_CLOSED', 'the relay accepts nothing (keyring)'],
    ['whose clock is wrong', { clockMinutes: minutesOf(new Date()) - 90 }, 'CLOCKS_DIFFER', 'that of the relay differ by hours'],
    ['of another version', { version: '0.0.9' }, 'VERSIONS_DIFFER', `parts of version 0.0.9 run beside ${VERSION}`],
    ['whose offline form has ended', { offlineFormEnded: true }, 'OFFLINE_FORM_ENDED', 'the keyrings in the offline form have expired'],
    ['that lacks a keyring', { newestKeyring: 12 }, 'KEYRINGS_DIFFER', 'not have the same newest keyring'],
    [
      "that has taken many parcels under next week's keyring",
      { taken: [{ serial: 13, share: 'high', dearer: 0 }] },
      'KEYRING_FILLING',
      'keyring 13 has taken more than two thirds of the parcels that it may',
    ],
    [
      'that takes no more under one',
      { taken: [{ serial: 13, share: 'full', dearer: 10 }] },
      'KEYRING_FULL',
      'keyring 13 has taken as many parcels as it may',
    ],
    [
      'that takes them faster than they may come',
      { taken: [{ serial: 13, share: 'low', dearer: 8 }] },
      'KEYRING_FILLING',
      'keyring 13 has taken nearly all the parcels that it may by this time of its week, and a stamp costs 8 bits more',
    ],
  ])('a relay %s needs attention', async (_what, more, attention, words) => {
    stand.condition = { ...OPEN, ...more };
    const found = await status();
    expect([found.code, found.status.relay, found.status.attention.map(({ code }) => code)]).toEqual([
      EXIT.attention,
      'answers',
      [attention],
    ]);
    expect(found.status.attention[0]?.what).toContain(words);
  });

  test('an answer that is longer than any of ours counts as none', async () => {
    const taken = Array.from({ length: 5_000 }, (_, index) => ({ serial: index + 1, share: 'low' as const, dearer: 0 }));
    stand.condition = { ...OPEN, taken };
    const { status: found } = await status();
    expect([found.relay, found.taken]).toEqual(['silent', []]);
  });

  test('of two relays the one that has taken more counts', async () => {
    stand.condition = { ...OPEN, taken: [{ serial: 13, share: 'half', dearer: 0 }] };
    await stand.startRelay({
      ...OPEN,
      taken: [
        { serial: 13, share: 'low', dearer: 6 },
        { serial: 12, share: 'low', dearer: 0 },
      ],
    });
    expect((await status()).status.taken).toEqual([
      { serial: 12, share: 'low', dearer: 0 },
      { serial: 13, share: 'half', dearer: 6 },
    ]);
    await stand.stopRelays();
    await stand.startRelay();
  });

  test('a relay that is away or hangs, alone or beside another, needs attention; asking writes nothing', async () => {
    const written = async () => /aof_current_size:(\d+)/.exec(await admin.info('persistence'))?.[1];
    const before = await written();
    await stand.stopRelays();
    const away = await status();
    expect([away.code, away.status.relay, away.status.attention.map(({ code, what }) => [code, what])]).toEqual([
      EXIT.attention,
      'away',
      [['RELAY_AWAY', 'no relay is connected to Redis']],
    ]);
    // One that hangs is still subscribed.
    const hung = await stand.redis.connect('relay');
    await hung.subscribe(channels.ask);
    const silent = await status();
    expect([silent.code, silent.status.relay, silent.status.attention.map(({ code, what }) => [code, what])]).toEqual([
      EXIT.attention,
      'silent',
      [['RELAY_AWAY', 'a relay does not answer']],
    ]);
    await stand.startRelay();
    expect((await status()).status.relay).toBe('silent');
    hung.disconnect();
    await until('relays', async () => (await stand.listeners()) === 1);
    expect((await status()).code).toBe(EXIT.ok);
    expect(await written()).toBe(before);
  });
});
