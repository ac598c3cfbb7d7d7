// What an operator is told about relays, each of which is asked over Redis.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { channels, type RelayCondition } from '../../redis/presence.ts';
import { keys } from '../../redis/keys.ts';
import { minutesOf, publishHousekeeping, publishMix, publishTrouble, type MixState } from '../../redis/state.ts';
import { VERSION } from '../../runtime/version.ts';
import { OPEN, OperatorStand, WELL } from '../support/operator-stand.ts';
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
    [
      'whose door is closed',
      { door: 'keyring' },
      'DOOR_CLOSED',
      'the relay takes nothing: it has no keyring that is valid today (keyring)',
    ],
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

  test('before the first keyring nothing is wrong: the setup is not finished, and what is missing is said in order', async () => {
    stand.condition = { ...OPEN, door: 'keyring', newestKeyring: 0, taken: [], gaps: ['form-missing', 'root-missing'] };
    const none: Partial<MixState> = { keyring: 'none', keyringUntil: '', keyringNext: '', keyringNewest: '0' };
    await publishMix(admin, { ...WELL, ...none, pool: '0', paused: 'no-keyring', gaps: 'inboxes-missing root-missing' });
    const codes = async (): Promise<string[]> => (await status()).status.attention.map(({ code }) => code);
    expect(await codes()).toEqual(['ROOT_MISSING', 'KEYRINGS_MISSING', 'INBOXES_MISSING', 'FORM_MISSING']);
    const { text } = await stand.operator(['status']);
    expect(text.match(/^ {2}\(as the last round found it; what you have done since shows within 5 min\)$/gm)).toHaveLength(4);
    // Whoever loaded a form had a keyring.
    await admin.hset(keys.dropped, 'decoy', 1);
    expect(await codes()).toEqual(['ROOT_MISSING', 'INBOXES_MISSING', 'FORM_MISSING', 'KEYRING_NONE', 'DOOR_CLOSED']);
    await admin.del(keys.dropped);
    // One part that has none, or a door that is closed for something else, is not new.
    stand.condition = { ...stand.condition, newestKeyring: 13 };
    expect(await codes()).toContain('DOOR_CLOSED');
    stand.condition = { ...stand.condition, newestKeyring: 0, door: 'redis' };
    expect(await codes()).toContain('DOOR_CLOSED');
  });

  test.each<[string, RegExp, RegExp]>([
    ['docker', /docker compose/, /systemctl|support-relay-|\/var\/lib|npm run/],
    ['debian', /sudo support-relay/, /docker|npm run|\/in\b/],
    ['something else', /npm run setup -- --form/, /docker|systemctl|sudo|journalctl/],
  ])('advice names commands of %s, and no others', async (installation, own, others) => {
    const gaps = ['root-missing', 'root-unusable', 'form-missing', 'form-unusable', 'inboxes-missing', 'keys-missing'] as const;
    stand.condition = { ...OPEN, door: 'worker', gaps: [...gaps], offlineFormEnded: true };
    await admin.del(keys.alive);
    await admin.set(keys.drain, 'closing');
    await admin.hset(keys.dead('inbox-1'), 'id', 'letter');
    const keyringUntil = new Date(Date.now() + 86_400_000).toISOString();
    const warnings = 'next-key:key-mode:14:week-2026-11-30.txt key-file:format:old.txt';
    await publishMix(admin, { ...WELL, keyring: 'expiring', keyringUntil, paused: 'key-missing:12', warnings });
    await publishTrouble(admin, 'inbox-2', 'unconfigured', 'unconfigured');
    const ends = new Date(Date.now() + 3 * 86_400_000).toISOString();
    const housekeeping = {
      housekeeping: 'functions:NOPERM',
      clockAheadDays: '3',
      memory: 'filling',
      aof: 'failing',
      keysUntil: ends,
    } as const;
    await publishHousekeeping(admin, { ...housekeeping, relayLimits: '', version: '', redisSettings: 'appendfsync' });
    const { text } = await stand.operator(['status'], { env: { OPERATOR_INSTALLATION: installation } });
    expect(text.match(/^! /gm)?.length).toBeGreaterThan(18);
    expect(text).toMatch(own);
    expect(text).not.toMatch(others);
    // A moment is written in one way.
    expect(text).not.toMatch(/\d\dT\d\d/);
    expect(text).toContain(`${keyringUntil.slice(0, 16).replace('T', ', ')} UTC`);
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
