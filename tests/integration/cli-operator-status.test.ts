// What an operator is told about the state: in coarse steps, with a code for each thing that needs attention.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { LETTER_ID_BYTES } from '../../crypto/letter.ts';
import type { Status } from '../../operator/status.ts';
import { ALARMING_DROPS, type AlarmingDrop } from '../../redis/drops.ts';
import { ALIVE_SECONDS, keys } from '../../redis/keys.ts';
import { minutesOf, recordDrops, publishHousekeeping, publishMix, publishTrouble, publishWaiting } from '../../redis/state.ts';
import type { HousekeepingState, InboxTrouble, MixState } from '../../redis/state.ts';
import { VERSION } from '../../runtime/version.ts';
import { cli, writeTo, type CliResult } from '../support/cli.ts';
import { OPEN, OperatorStand, WELL } from '../support/operator-stand.ts';

const QUIET: HousekeepingState = {
  housekeeping: '',
  clockAheadDays: '0',
  memory: 'ok',
  relayLimits: 'RELAY_POOL_LIMIT=20000 RELAY_SEEN_LIMIT=1000000',
  aof: 'ok',
  keysUntil: '',
  version: VERSION,
  redisSettings: '',
};

describe('with Redis', () => {
  let stand: OperatorStand;
  let admin: Redis;
  beforeAll(async () => {
    stand = await OperatorStand.start();
    ({ admin } = stand);
  });
  afterAll(() => stand.stop());
  beforeEach(() => stand.reset());

  const operator = (...words: string[]): Promise<CliResult> => stand.operator(words);
  const status = (): ReturnType<typeof stand.status> => stand.status();

  test('all is well: exit 0', async () => {
    const { code, text } = await operator('status');
    expect(code).toBe(EXIT.ok);
    expect(text).toBe(
      [
        'All is well so far',
        '',
        'pool      1-9 parcels at the last round',
        'answers   10-99 waiting in mailboxes',
        'keyring   ok, valid until 2026-03-21, 00:00 UTC; next: 13',
        'taken     under keyring 12: up to two thirds of the parcels that may come; a stamp costs 4 bits more',
        'taken     under keyring 13: less than a third of the parcels that may come',
        'relay     answers',
        'worker    working, a round every 300 s',
        "not seen  tor, onion address, disk: the operator's service does not answer here; look with: support-relay operator doctor",
        `version   ${VERSION}`,
        'inbox     inbox-1: 0 waiting, 0 dead',
        'inbox     inbox-2: 0 waiting, 0 dead',
        'dropped   nothing',
        '',
      ].join('\n'),
    );
  });

  test('counts come in coarse steps only', async () => {
    await publishWaiting(admin, 'inbox-1', 134);
    await admin.hset(keys.dropped, 'format', 3, 'decoy', 20);
    expect(await status()).toEqual({
      code: EXIT.ok,
      status: {
        pool: '1-9',
        replies: '10-99',
        keyring: 'ok',
        keyringUntil: '2026-03-21T00:00:00Z',
        keyringNext: 13,
        taken: [
          { serial: 12, share: 'half', dearer: 4 },
          { serial: 13, share: 'low', dearer: 0 },
        ],
        relay: 'answers',
        door: [],
        worker: 'working',
        maintenance: 'no',
        roundSeconds: 300,
        inboxes: [
          { id: 'inbox-1', waiting: '100-999', dead: '0', troubles: {} },
          { id: 'inbox-2', waiting: '0', dead: '0', troubles: {} },
        ],
        dropped: [
          { reason: 'decoy', count: '10-99' },
          { reason: 'format', count: '1-9' },
        ],
        attention: [],
        notices: [],
        redis: { file: null, memory: null },
        keysUntil: null,
        clock: { worker: null, relay: 'none' },
        clockAheadDays: 0,
        versions: { operator: VERSION, worker: null, relays: [VERSION] },
        disk: null,
        onion: null,
        lookedAround: null,
      },
    });
    expect((await operator('status')).text).not.toMatch(/\b(134|3|20)\b/);
  });

  test.each([
    ['is late after three missed rounds', (ALIVE_SECONDS - 901) * 1000, 'late', 'WORKER_LATE'],
    ['is gone when its sign of life has run out', 1, 'gone', 'WORKER_GONE'],
  ] as const)('a worker %s', async (_what, leftMs, worker, attention) => {
    await admin.pexpire(keys.alive, leftMs);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const found = await status();
    expect(found.code).toBe(EXIT.attention);
    expect(found.status.worker).toBe(worker);
    expect(found.status.attention.map(({ code }) => code)).toEqual([attention]);
  });

  test.each<[string, Partial<MixState>, string, string]>([
    ['a mix that pauses', { paused: 'key-missing:7' }, 'MIX_PAUSED', 'nothing leaves the pool (key-missing:7)'],
    [
      'letters held back',
      { held: 'outbox-full:inbox-1 team-without-inbox:7' },
      'LETTERS_HELD',
      'letters of a team are held back (outbox-full:inbox-1 team-without-inbox:7)',
    ],
    ['replies held back', { held: 'replies-full' }, 'REPLIES_FULL', 'and more are held back; raise WORKER_REPLY_LIMIT'],
    ['a keyring that ends soon', { keyring: 'expiring' }, 'KEYRING_EXPIRING', 'expires within two days'],
    ['a keyring that has ended', { keyring: 'none' }, 'KEYRING_NONE', 'no keyring is valid'],
    ['a deep pool', { pool: '10000+' }, 'POOL_DEEP', '10,000 parcels or more'],
    [
      'an outbox that fills',
      { warnings: 'outbox-filling:inbox-1' },
      'FILLING',
      'letters or answers will soon be held back (outbox-filling:inbox-1)',
    ],
    ['a relay that knows other keyrings', { keyringNewest: '12' }, 'KEYRINGS_DIFFER', 'not have the same newest keyring'],
  ])('%s needs attention', async (_what, more, attention, what) => {
    await publishMix(admin, { ...WELL, ...more });
    const found = await status();
    expect(found.code).toBe(EXIT.attention);
    expect(found.status.attention.map(({ code }) => code)).toEqual([attention]);
    expect((await operator('status')).text).toContain(what);
  });

  test('letters and replies that are held back are told apart', async () => {
    await publishMix(admin, { ...WELL, held: 'outbox-full:inbox-1 replies-full team-without-inbox:7' });
    const { attention } = (await status()).status;
    expect(attention.map(({ code }) => code)).toEqual(['LETTERS_HELD', 'REPLIES_FULL']);
    expect(attention[0]?.what).toBe('letters of a team are held back (outbox-full:inbox-1 team-without-inbox:7)');
  });

  test.each<[string, Partial<HousekeepingState>, string]>([
    ['housekeeping that fails', { housekeeping: 'aof:AOF_REWRITE key-3:EACCES' }, 'HOUSEKEEPING_FAILING'],
    ['a clock that went ahead', { clockAheadDays: '3' }, 'CLOCK_AHEAD'],
    ['a Redis that is nearly full', { memory: 'filling' }, 'MEMORY_FILLING'],
    ['a file that Redis cannot write', { aof: 'failing', housekeeping: 'aof:AOF_REWRITE' }, 'REDIS_FILE'],
    ['a Redis with other settings', { redisSettings: 'appendfsync save' }, 'REDIS_SETTINGS'],
    [
      'a worker that plans for less than the relay lets in',
      { relayLimits: 'RELAY_POOL_LIMIT=20000 RELAY_SEEN_LIMIT=500000' },
      'LIMITS_DIFFER',
    ],
  ])('%s needs attention', async (_what, more, attention) => {
    await publishHousekeeping(admin, QUIET);
    expect((await status()).code).toBe(EXIT.ok);
    await publishHousekeeping(admin, { ...QUIET, ...more });
    const found = await status();
    expect([found.code, found.status.attention.map(({ code }) => code)]).toEqual([EXIT.attention, [attention]]);
  });

  test.each<[InboxTrouble, string, string]>([
    ['failing', 'INBOX_FAILING', 'inbox inbox-2 takes nothing at the moment (reply-550)'],
    ['deferring', 'INBOX_DEFERRING', 'inbox inbox-2 refuses some letters, which wait (reply-550)'],
    ['unconfigured', 'INBOX_UNCONFIGURED', 'letters wait for inbox inbox-2, which the worker does not have'],
  ])('an inbox that is %s needs attention', async (trouble, attention, words) => {
    await publishTrouble(admin, 'inbox-2', trouble, 'reply-550');
    const found = await status();
    expect(found.status.attention.map(({ code, what }) => [code, what])).toEqual([[attention, words]]);
    await publishTrouble(admin, 'inbox-2', trouble, null);
    expect((await status()).code).toBe(EXIT.ok);
  });

  test.each(ALARMING_DROPS)('parcels dropped as %s need attention for a day, and again when there are more', async (reason) => {
    const now = new Date();
    const HOUR_MS = 3_600_000;
    const attentionAt = async (hours: number): Promise<string[]> => {
      const at = new Date(now.getTime() + hours * HOUR_MS);
      stand.condition = { ...OPEN, clockMinutes: minutesOf(at) };
      const { text } = await stand.operator(['status', '--json'], { now: at });
      return (JSON.parse(text) as Status).attention.map(({ code }) => code);
    };
    const codes: Record<AlarmingDrop, string> = { damaged: 'PARCELS_DAMAGED', unopenable: 'PARCELS_UNOPENABLE', error: 'PARCELS_FAILED' };
    const code = codes[reason];
    await admin.hset(keys.dropped, reason, 3, 'decoy', 100);
    await recordDrops(admin, now);
    expect([await attentionAt(0), await attentionAt(22), await attentionAt(25)]).toEqual([[code], [code], []]);
    // Rounds without another drop change nothing.
    await recordDrops(admin, new Date(now.getTime() + 30 * HOUR_MS));
    expect(await attentionAt(31)).toEqual([]);
    await admin.hincrby(keys.dropped, reason, 1);
    await recordDrops(admin, new Date(now.getTime() + 30 * HOUR_MS));
    expect(await attentionAt(31)).toEqual([code]);
    // Redis holds no time of it finer than the hour.
    expect((await admin.hget(keys.state, `drop:${reason}`))?.split(' ')[1]).toMatch(/^\d{6}$/);
  });

  test('the worker checks itself with its own user, and learns nothing about others', async () => {
    const own = await writeTo(stand.dir.path('worker.password'), stand.redis.passwords.worker);
    const itself = ['--user', 'worker', '--redis-socket', stand.redis.socketPath, '--password-file', own];
    const ask = () => cli(['operator', 'status', '--part', 'worker', '--json', ...itself]);
    await publishMix(admin, { ...WELL, keyring: 'expiring', held: 'replies-full' });
    expect((await ask()).code).toBe(EXIT.ok);
    await publishMix(admin, { ...WELL, paused: 'key-missing:13' });
    const { code, text } = await ask();
    expect([code, (JSON.parse(text) as Status).attention.map((one) => one.code)]).toEqual([EXIT.attention, ['MIX_PAUSED']]);
    expect((await operator('status', '--part', 'relay')).code).toBe(EXIT.usage);
  });

  test('letters that wait are those of the last round, whatever has come since', async () => {
    await stand.fill(keys.outbox('inbox-1'), 20, LETTER_ID_BYTES);
    expect((await operator('status')).text).toContain('inbox     inbox-1: 0 waiting, 0 dead\n');
  });

  test('before the first round nothing is known', async () => {
    await admin.del(keys.state);
    const { text } = await operator('status');
    expect(text).toContain('pool      not known yet\nanswers   not known yet\nkeyring   not known yet\n');
    expect(text).toContain('inbox     inbox-1: not counted yet, 0 dead\n');
  });
});
