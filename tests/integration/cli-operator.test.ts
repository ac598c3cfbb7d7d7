import { readFile, readdir, rm, stat } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import { PARCEL_ID_BYTES } from '../../crypto/parcel.ts';
import { ready } from '../../crypto/sodium.ts';
import { LETTER_ID_BYTES } from '../../crypto/letter.ts';
import type { Status } from '../../operator/status.ts';
import { ALIVE_SECONDS, keys } from '../../redis/keys.ts';
import { connect } from '../../redis/connection.ts';
import { channels, type RelayCondition } from '../../redis/presence.ts';
import { noteDrops, publishHousekeeping, publishMix, publishTrouble, type HousekeepingState, type InboxTrouble, type MixState } from '../../redis/state.ts';
import { Presence } from '../../server/presence.ts';
import { aclFile } from '../../redis/acl.ts';
import { cli, openOffice, temporaryDirectory, writeTo } from '../support/cli.ts';
import type { CliResult } from '../support/cli.ts';
import { startRedis } from '../support/redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { until } from '../support/worker.ts';

const WELL: MixState = {
  pool: '1-9', replies: '10-99', paused: '', held: '', keyring: 'ok',
  keyringUntil: '2026-03-21T00:00:00Z', keyringNext: '13', keyringNewest: '13', warnings: '',
};
const LIMITS = { pool: 20_000, seen: 1_000_000 };
const QUIET: HousekeepingState = { housekeeping: '', memory: 'ok', relayLimits: 'RELAY_POOL_LIMIT=20000 RELAY_SEEN_LIMIT=1000000' };
const OPEN: RelayCondition = { door: null, newestKeyring: 13, offlineFormEnded: false, limits: LIMITS, taken: [{ serial: 12, share: 'half', dearer: 4 }, { serial: 13, share: 'low', dearer: 0 }] };

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
});
afterAll(() => dir.remove());

describe('with Redis', () => {
  let redis: TestRedis;
  let admin: Redis;
  let passwordFile: string;
  let relays: { presence: Presence; stop: () => void }[] = [];
  let condition = OPEN;
  /** What a relay is to an operator's tool, without the rest of it. */
  const startRelay = async (own?: RelayCondition): Promise<void> => {
    const client = connect(redis.target('relay'), 'relay');
    const presence = new Presence(redis.target('relay'), client, () => own ?? condition);
    const before = await listeners();
    presence.start();
    relays.push({ presence, stop: () => (presence.destroy(), client.disconnect()) });
    await until('relays', async () => (await listeners()) === before + 1);
  };
  const stopRelays = async (): Promise<void> => {
    for (const { stop } of relays) stop();
    relays = [];
    await until('relays', async () => (await listeners()) === 0);
  };
  const listeners = async (): Promise<number> => Number(((await admin.pubsub('NUMSUB', channels.ask)) as [string, number])[1]);
  beforeAll(async () => {
    redis = await startRedis();
    admin = await redis.connect('admin');
    passwordFile = await writeTo(dir.path('operator.password'), redis.passwords.operator);
    await startRelay();
  });
  afterAll(async () => {
    for (const { stop } of relays) stop();
    await redis.stop();
  });
  beforeEach(async () => {
    condition = OPEN;
    await admin.flushall();
    await admin.sadd(keys.inboxes, 'inbox-1', 'inbox-2');
    await admin.set(keys.alive, '300', 'EX', ALIVE_SECONDS);
    await publishMix(admin, WELL);
  });

  const operator = (name: string, ...more: string[]): Promise<CliResult> =>
    cli(['operator', name, '--redis-socket', redis.socketPath, '--password-file', passwordFile, ...more]);
  const status = async (): Promise<{ code: number; status: Status }> => {
    const { code, text, err } = await operator('status', '--json');
    expect(err).toBe('');
    return { code, status: JSON.parse(text) as Status };
  };
  const fill = async (key: string, count: number, bytes: number): Promise<void> => {
    const fields = Array.from({ length: count }, () => [Buffer.from(randomBytes(bytes)), Buffer.from('ciphertext')]).flat();
    await admin.hset(key, ...fields);
  };

  test('all is well: exit 0', async () => {
    const { code, text } = await operator('status');
    expect(code).toBe(EXIT.ok);
    expect(text).toBe(
      'pool      1-9 parcels at the last round\nanswers   10-99 waiting in mailboxes\nkeyring   ok, valid until 2026-03-21T00:00:00Z; next: 13\ntaken     under keyring 12: up to two thirds of the parcels that may come; a stamp costs 4 bits more\ntaken     under keyring 13: less than a third of the parcels that may come\nrelay     answers\nworker    working, a round every 300 s\ninbox     inbox-1: 0 waiting, 0 dead\ninbox     inbox-2: 0 waiting, 0 dead\ndropped   nothing\nall is well\n',
    );
  });

  test('counts come in coarse steps only', async () => {
    await fill(keys.outbox('inbox-1'), 134, LETTER_ID_BYTES);
    await admin.hset(keys.dropped, 'format', 3, 'decoy', 20);
    expect(await status()).toEqual({
      code: EXIT.ok,
      status: {
        pool: '1-9',
        replies: '10-99',
        keyring: 'ok',
        keyringUntil: '2026-03-21T00:00:00Z',
        keyringNext: 13,
        taken: [{ serial: 12, share: 'half', dearer: 4 }, { serial: 13, share: 'low', dearer: 0 }],
        relay: 'answers',
        worker: 'working',
        roundSeconds: 300,
        inboxes: [{ id: 'inbox-1', waiting: '100-999', dead: '0' }, { id: 'inbox-2', waiting: '0', dead: '0' }],
        dropped: [{ reason: 'decoy', count: '10-99' }, { reason: 'format', count: '1-9' }],
        attention: [],
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
    ['letters held back', { held: 'outbox-full:inbox-1 team-without-inbox:7' }, 'LETTERS_HELD', 'letters of a team are held back (outbox-full:inbox-1 team-without-inbox:7)'],
    ['replies held back', { held: 'replies-full' }, 'REPLIES_FULL', 'further ones are held back; raise WORKER_REPLY_LIMIT'],
    ['a keyring that ends soon', { keyring: 'expiring' }, 'KEYRING_EXPIRING', 'ends within two days'],
    ['a keyring that has ended', { keyring: 'none' }, 'KEYRING_NONE', 'no keyring is valid'],
    ['a deep pool', { pool: '10000+' }, 'POOL_DEEP', '10,000 parcels or more'],
    ['an outbox that fills', { warnings: 'outbox-filling:inbox-1' }, 'FILLING', 'soon something is held back (outbox-filling:inbox-1)'],
    ["next week's key", { warnings: 'next-key:key-unreadable:14' }, 'KEY_NEXT', 'of a keyring that has yet to begin (key-unreadable:14)'],
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
    ['a Redis that is nearly full', { memory: 'filling' }, 'MEMORY_FILLING'],
    ['a worker that plans for less than the relay lets in', { relayLimits: 'RELAY_POOL_LIMIT=20000 RELAY_SEEN_LIMIT=500000' }, 'LIMITS_DIFFER'],
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
    ['unconfigured', 'INBOX_UNCONFIGURED', 'letters wait for inbox inbox-2, which no worker has'],
  ])('an inbox that is %s needs attention', async (trouble, attention, words) => {
    await publishTrouble(admin, 'inbox-2', trouble, 'reply-550');
    const found = await status();
    expect(found.status.attention.map(({ code, what }) => [code, what])).toEqual([[attention, words]]);
    await publishTrouble(admin, 'inbox-2', trouble, null);
    expect((await status()).code).toBe(EXIT.ok);
  });

  test.each(['damaged', 'unopenable', 'error'] as const)('parcels dropped as %s need attention for a day, and again when there are more', async (reason) => {
    const now = new Date();
    const HOUR_MS = 3_600_000;
    const attentionAt = async (hours: number): Promise<string[]> => {
      const { text } = await cli(['operator', 'status', '--json', '--redis-socket', redis.socketPath, '--password-file', passwordFile], { now: new Date(now.getTime() + hours * HOUR_MS) });
      return (JSON.parse(text) as Status).attention.map(({ code }) => code);
    };
    const code = { damaged: 'PARCELS_DAMAGED', unopenable: 'PARCELS_UNOPENABLE', error: 'PARCELS_FAILED' }[reason];
    await admin.hset(keys.dropped, reason, 3, 'decoy', 100);
    await noteDrops(admin, now);
    expect([await attentionAt(0), await attentionAt(22), await attentionAt(25)]).toEqual([[code], [code], []]);
    // Rounds without another change nothing.
    await noteDrops(admin, new Date(now.getTime() + 30 * HOUR_MS));
    expect(await attentionAt(31)).toEqual([]);
    await admin.hincrby(keys.dropped, reason, 1);
    await noteDrops(admin, new Date(now.getTime() + 30 * HOUR_MS));
    expect(await attentionAt(31)).toEqual([code]);
    // Nothing in Redis tells when it was more exactly than by the hour.
    expect((await admin.hget(keys.state, `drop:${reason}`))?.split(' ')[1]).toMatch(/^\d{6}$/);
  });

  test.each<[string, Partial<RelayCondition>, string, string]>([
    ['whose door is closed', { door: 'keyring' }, 'DOOR_CLOSED', 'the relay takes nothing (keyring)'],
    ['whose offline form has ended', { offlineFormEnded: true }, 'OFFLINE_FORM_ENDED', 'the keyrings in the offline form have ended'],
    ['that lacks a keyring', { newestKeyring: 12 }, 'KEYRINGS_DIFFER', 'not have the same newest keyring'],
    ["that has taken many parcels under next week's keyring", { taken: [{ serial: 13, share: 'high', dearer: 0 }] }, 'KEYRING_FILLING', 'more than two thirds of the parcels came that may under keyring 13'],
    ['that takes no more under one', { taken: [{ serial: 13, share: 'full', dearer: 10 }] }, 'KEYRING_FULL', 'as many parcels came under keyring 13 as may'],
    ['that takes them faster than they may come', { taken: [{ serial: 13, share: 'low', dearer: 8 }] }, 'KEYRING_FILLING', 'by now under keyring 13, and a stamp costs 8 bits more'],
  ])('a relay %s needs attention', async (_what, more, attention, words) => {
    condition = { ...OPEN, ...more };
    const found = await status();
    expect([found.code, found.status.relay, found.status.attention.map(({ code }) => code)]).toEqual([EXIT.attention, 'answers', [attention]]);
    expect(found.status.attention[0]?.what).toContain(words);
  });

  test('of two relays the one counts that has taken more', async () => {
    condition = { ...OPEN, taken: [{ serial: 13, share: 'half', dearer: 0 }] };
    await startRelay({ ...OPEN, taken: [{ serial: 13, share: 'low', dearer: 6 }, { serial: 12, share: 'low', dearer: 0 }] });
    expect((await status()).status.taken).toEqual([{ serial: 12, share: 'low', dearer: 0 }, { serial: 13, share: 'half', dearer: 6 }]);
    await stopRelays();
    await startRelay();
  });

  test('a relay that is away, hangs, or is one of two that do, needs attention; asking writes nothing', async () => {
    const written = async () => /aof_current_size:(\d+)/.exec(await admin.info('persistence'))?.[1];
    const before = await written();
    await stopRelays();
    const away = await status();
    expect([away.code, away.status.relay, away.status.attention.map(({ code, what }) => [code, what])]).toEqual([EXIT.attention, 'away', [['RELAY_AWAY', 'no relay is connected to Redis']]]);
    // One that hangs is subscribed still.
    const hung = await redis.connect('relay');
    await hung.subscribe(channels.ask);
    const silent = await status();
    expect([silent.code, silent.status.relay, silent.status.attention.map(({ code, what }) => [code, what])]).toEqual([EXIT.attention, 'silent', [['RELAY_AWAY', 'a relay does not answer']]]);
    await startRelay();
    expect((await status()).status.relay).toBe('silent');
    hung.disconnect();
    await until('relays', async () => (await listeners()) === 1);
    expect((await status()).code).toBe(EXIT.ok);
    expect(await written()).toBe(before);
  });

  test('the worker asks whether it works with its own user, and is told nothing of others', async () => {
    const own = await writeTo(dir.path('worker.password'), redis.passwords.worker);
    const ask = () => cli(['operator', 'status', '--part', 'worker', '--json', '--user', 'worker', '--redis-socket', redis.socketPath, '--password-file', own]);
    await publishMix(admin, { ...WELL, keyring: 'expiring', held: 'replies-full' });
    expect((await ask()).code).toBe(EXIT.ok);
    await publishMix(admin, { ...WELL, paused: 'key-missing:13' });
    const { code, text } = await ask();
    expect([code, (JSON.parse(text) as Status).attention.map((one) => one.code)]).toEqual([EXIT.attention, ['MIX_PAUSED']]);
    expect((await operator('status', '--part', 'relay')).code).toBe(EXIT.usage);
  });

  test('before the first round nothing is known', async () => {
    await admin.del(keys.state);
    expect((await operator('status')).text).toContain('pool      not known yet\nanswers   not known yet\nkeyring   not known yet\n');
  });

  test('dead letters need attention, and redrive puts each back into the outbox', async () => {
    await fill(keys.dead('inbox-2'), 11, LETTER_ID_BYTES);
    await fill(keys.outbox('inbox-2'), 2, LETTER_ID_BYTES);
    const dead = await admin.hgetallBuffer(keys.dead('inbox-2'));
    const before = await operator('status');
    expect(before.code).toBe(EXIT.attention);
    expect(before.text).toContain('! inbox inbox-2 refused letters for good (10-99); look at them: support-relay operator dead list. Repair the inbox');
    expect(before.text).toContain('support-relay operator redrive inbox-2 (INBOX_DEAD)');

    const { code, text, err } = await operator('redrive', 'inbox-2', '--json');
    expect(err).toBe('');
    expect(code).toBe(EXIT.ok);
    expect(JSON.parse(text)).toEqual({ inbox: 'inbox-2', moved: '10-99' });
    expect(await admin.exists(keys.dead('inbox-2'), keys.deadReasons('inbox-2'))).toBe(0);
    expect(await admin.hlen(keys.outbox('inbox-2'))).toBe(13);
    expect(await admin.hgetallBuffer(keys.outbox('inbox-2'))).toMatchObject(dead);
    expect((await operator('redrive', 'inbox-2')).text).toBe('inbox-2: 0 letters go out again\n');
  });

  test('a letter that is waiting already is not doubled', async () => {
    const [id, letter] = [Buffer.from(randomBytes(LETTER_ID_BYTES)), Buffer.from('the letter')];
    for (const key of [keys.dead('inbox-1'), keys.outbox('inbox-1')]) await admin.hset(key, id, letter);
    expect((await operator('redrive', 'inbox-1')).code).toBe(EXIT.ok);
    expect(await admin.hlen(keys.outbox('inbox-1'))).toBe(1);
    expect(await admin.exists(keys.dead('inbox-1'))).toBe(0);
  });

  const deadWith = async (inbox: string, ...reasons: string[]): Promise<Buffer[]> => {
    const ids = reasons.map(() => Buffer.from(randomBytes(LETTER_ID_BYTES)));
    for (const [index, id] of ids.entries()) {
      await admin.hset(keys.dead(inbox), id, Buffer.from(`letter ${String(index)}`));
      if (reasons[index] !== '') await admin.hset(keys.deadReasons(inbox), id, reasons[index] ?? '');
    }
    return ids;
  };

  test('dead letters are listed by why they are dead, in coarse steps', async () => {
    await deadWith('inbox-2', ...Array.from({ length: 12 }, () => 'reply-554-5.7.1'), 'reply-552-5.3.4', '');
    const { code, text } = await operator('dead', 'list');
    expect([code, text]).toEqual([EXIT.ok, 'inbox-1: 0 dead letters\ninbox-2: 10-99 dead letters\n  reply-552-5.3.4: 1-9\n  reply-554-5.7.1: 10-99\n  unknown: 1-9\n']);
    expect(JSON.parse((await operator('dead', 'list', 'inbox-1', '--json')).text)).toEqual({ inbox: 'inbox-1', dead: '0', reasons: [] });
  });

  test('dead letters are exported whole, as files of their own, and stay', async () => {
    const ids = await deadWith('inbox-2', 'reply-554', 'reply-554');
    const out = dir.path('dead');
    const { code, text } = await operator('dead', 'export', 'inbox-2', '--out', out);
    expect([code, text]).toEqual([EXIT.ok, `inbox-2: 1-9 letters written to ${out}; they stay dead letters until you drop them\n`]);
    expect((await readdir(out)).toSorted()).toEqual(ids.map((id) => `${id.toString('hex')}.age`).toSorted());
    for (const [index, id] of ids.entries()) {
      const file = dir.path('dead', `${id.toString('hex')}.age`);
      expect([await readFile(file, 'utf8'), (await stat(file)).mode & 0o777]).toEqual([`letter ${String(index)}`, 0o600]);
    }
    expect(await admin.hlen(keys.dead('inbox-2'))).toBe(2);
    expect((await operator('dead', 'export', 'inbox-2', '--out', out)).code).toBe(EXIT.output);
    expect((await operator('dead', 'export', 'inbox-2')).code).toBe(EXIT.usage);
  });

  test('dead letters are dropped only after a yes, and only those that the question was about', async () => {
    await deadWith('inbox-2', 'reply-554', 'reply-554');
    await fill(keys.dead('inbox-1'), 1, LETTER_ID_BYTES);
    const drop = (answers: readonly string[] | null, ...more: string[]): Promise<CliResult> =>
      cli(['operator', 'dead', 'drop', 'inbox-2', '--redis-socket', redis.socketPath, '--password-file', passwordFile, ...more], answers === null ? {} : { terminal: { answers } });
    expect((await drop(null)).code).toBe(EXIT.usage);
    for (const answer of ['', 'n', 'yesterday']) expect((await drop([answer])).code).toBe(EXIT.interrupted);
    expect(await admin.hlen(keys.dead('inbox-2'))).toBe(2);
    const done = await drop(['y']);
    expect(done.asked).toEqual(['Delete 1-9 dead letters of inbox-2 for good? Nobody can read them afterwards. [y/N] ']);
    expect([done.code, done.text]).toEqual([EXIT.ok, 'inbox-2: 1-9 dead letters deleted\n']);
    expect([await admin.exists(keys.dead('inbox-2'), keys.deadReasons('inbox-2')), await admin.hlen(keys.dead('inbox-1'))]).toEqual([0, 1]);
    await deadWith('inbox-2', 'reply-554');
    expect(JSON.parse((await drop(null, '--yes', '--json')).text)).toEqual({ inbox: 'inbox-2', dropped: '1-9' });
  });

  test('what one cannot do with dead letters is refused', async () => {
    for (const words of [['bury'], ['drop'], ['toString', 'inbox-1']]) expect((await operator('dead', ...words)).code).toBe(EXIT.usage);
    expect((await operator('dead', 'list', 'inbox-9')).err).toContain('(INBOX_UNKNOWN)');
  });

  test('redrive of an unknown inbox names the known ones', async () => {
    const { code, err } = await operator('redrive', 'inbox-9');
    expect(code).toBe(EXIT.input);
    expect(err).toContain('there is no inbox "inbox-9"; there are: inbox-1, inbox-2 (INBOX_UNKNOWN)');
  });

  test('the operator cannot read what is waiting', async () => {
    await fill(keys.pool, 1, PARCEL_ID_BYTES);
    await fill(keys.outbox('inbox-1'), 1, LETTER_ID_BYTES);
    const connection = await redis.connect('operator');
    await expect(connection.hgetall(keys.pool)).rejects.toThrow('NOPERM');
    await expect(connection.hgetall(keys.outbox('inbox-1'))).rejects.toThrow('NOPERM');
    await expect(connection.hget(keys.outbox('inbox-1'), 'x')).rejects.toThrow('NOPERM');
    await expect(connection.hdel(keys.pool, 'x')).rejects.toThrow('NOPERM');
    // Whoever may count at any moment sees when one came.
    await expect(connection.hlen(keys.pool)).rejects.toThrow('NOPERM');
    await expect(connection.hlen(keys.claim('one'))).rejects.toThrow('NOPERM');
    await expect(connection.hset(keys.state, 'pool', '0')).rejects.toThrow('NOPERM');
  });

  test('a wrong password is told from an absent Redis', async () => {
    const wrong = await writeTo(dir.path('wrong.password'), 'wrong');
    const { code, err } = await operator('status', '--password-file', wrong);
    expect(code).toBe(EXIT.unavailable);
    expect(err).toContain('Redis refuses this user (WRONGPASS)');
    const absent = await cli(['operator', 'status', '--redis-socket', dir.path('no.sock'), '--password-file', passwordFile]);
    expect(absent.code).toBe(EXIT.unavailable);
    expect(absent.err).toMatch(/Redis does not answer on .*no\.sock; .*\(REDIS_AWAY\)/);
  });

  test('a Redis that ends is an error within seconds, and watching goes on through it', async () => {
    await redis.kill9();
    const started = performance.now();
    const { code, err } = await operator('status', '--watch');
    expect(code).toBe(EXIT.unavailable);
    expect(err).toContain('(REDIS_AWAY)');
    expect(performance.now() - started).toBeLessThan(5_000);
    await redis.restart();
    await until('relays', async () => (await listeners().catch(() => 0)) === 1);
    expect((await operator('status', '--watch')).code).toBe(EXIT.ok);
  });
});

describe('operator acl', () => {
  test('writes the users and a password for each, private, once', async () => {
    const directory = dir.path('redis');
    const { code } = await cli(['operator', 'acl', '--out', directory]);
    expect(code).toBe(EXIT.ok);
    expect((await readdir(directory)).sort()).toEqual(['operator.password', 'relay.password', 'users.acl', 'worker.password']);
    const read = (name: string): Promise<string> => readFile(dir.path('redis', name), 'utf8');
    const passwords = { relay: await read('relay.password'), worker: await read('worker.password'), operator: await read('operator.password') };
    expect(new Set(Object.values(passwords)).size).toBe(3);
    expect(await read('users.acl')).toBe(aclFile(passwords));
    for (const name of await readdir(directory)) expect((await stat(dir.path('redis', name))).mode & 0o777).toBe(0o600);
    const again = await cli(['operator', 'acl', '--out', directory]);
    expect(again.code).toBe(EXIT.output);
    expect(await read('relay.password')).toBe(passwords.relay);
  });
});

describe('operator build-form', () => {
  test('builds the form with the root key in it', async () => {
    const office = await openOffice((...parts) => dir.path('office', ...parts));
    const publicKey = (await readFile(office.rootPublicKey, 'utf8')).trim().split('\n').at(-1) ?? '';
    const { code, text: json, err } = await cli(['operator', 'build-form', '--json', '--root-key', office.rootPublicKey, '--out', dir.path('web')]);
    expect([code, err], err).toEqual([EXIT.ok, '']);
    expect(JSON.parse(json)).toEqual({ directory: dir.path('web'), manifestFile: dir.path('web', 'manifest.json'), gone: [], foreign: [], signatureGone: false, warning: null });
    expect(await readdir(dir.path('web'))).toContain('index.html');
    const scripts = (await readdir(dir.path('web'))).filter((name) => name.endsWith('.js'));
    const texts = await Promise.all(scripts.map((name) => readFile(dir.path('web', name), 'utf8')));
    expect(texts.some((text) => text.includes(publicKey))).toBe(true);
  });

  test('builds in what the site file says, and names what is wrong with it', async () => {
    const office = await openOffice((...parts) => dir.path('office-site', ...parts));
    const site = await writeTo(dir.path('site.json'), JSON.stringify({ exit: 'https://weather.example/' }));
    const arguments_ = ['operator', 'build-form', '--root-key', office.rootPublicKey, '--out', dir.path('web-site'), '--site', site];
    const { code, err } = await cli(arguments_);
    expect(code, err).toBe(EXIT.ok);
    expect(await readFile(dir.path('web-site', 'index.html'), 'utf8')).toContain('href="https://weather.example/"');

    await writeTo(site, JSON.stringify({ exit: 'http://weather.example/', crisisLines: { ru: [{ name: 'x' }] } }));
    const wrong = await cli(arguments_);
    expect(wrong.code).toBe(EXIT.input);
    for (const words of ['exit: it must be an https:// address', 'crisisLines, ru, 1, contact: it must be text', '(INPUT_FORMAT)']) expect(wrong.err).toContain(words);
    expect((await cli([...arguments_.slice(0, -1), dir.path('nowhere.json')])).err).toContain('(INPUT_MISSING)');
  });

  describe('looks at when the keyrings of the offline form are valid', () => {
    const DAY_MS = 24 * 60 * 60 * 1000;
    let office: Awaited<ReturnType<typeof openOffice>>;
    const begin = (): number => Date.parse(office.keyring.keyring.notBefore);
    const build = (out: string, afterMs: number): Promise<CliResult> =>
      cli(['operator', 'build-form', '--root-key', office.rootPublicKey, '--out', dir.path(out), '--keyring', office.keyring.file], { now: new Date(begin() + afterMs) });
    beforeAll(async () => {
      office = await openOffice((...parts) => dir.path('office-times', ...parts));
    });

    test('and refuses those that have all ended', async () => {
      const { code, err } = await build('web-ended', 7 * DAY_MS);
      expect(code).toBe(EXIT.notAuthentic);
      expect(err).toContain(`valid until ${office.keyring.keyring.notAfter}; get this week's keyring from the administrator (KEYRING_EXPIRED)`);
      await expect(readdir(dir.path('web-ended'))).rejects.toThrow('ENOENT');
    });

    test.each([
      ['says nothing in the middle of the week', DAY_MS, null],
      ['warns when the last ends within two days', 5 * DAY_MS + 1, 'is of use only until'],
      ['warns when none has begun', -1, 'is of no use before'],
    ] as const)('and %s', async (_what, afterMs, warning) => {
      const { code, err } = await build('web-times', afterMs);
      expect(code, err).toBe(EXIT.ok);
      if (warning === null) expect(err).not.toContain('Warning');
      else expect(err).toContain(`Warning: the offline form ${warning}`);
      expect(JSON.parse(await readFile(dir.path('web-times', 'form.json'), 'utf8'))).toEqual({ until: office.keyring.keyring.notAfter });
    });
  });

  test('takes no offline form and no other file away without saying so', async () => {
    const office = await openOffice((...parts) => dir.path('office-shrinks', ...parts));
    const out = dir.path('web-shrinks');
    const build = (...more: string[]): Promise<CliResult> => cli(['operator', 'build-form', '--root-key', office.rootPublicKey, '--out', out, ...more]);
    expect((await build('--keyring', office.keyring.file)).code).toBe(EXIT.ok);
    await writeTo(dir.path('web-shrinks', 'manifest.json.minisig'), 'a signature');
    const before = await readdir(out);
    const refused = await build();
    expect([refused.code, await readdir(out)]).toEqual([EXIT.output, before]);
    expect(refused.err).toContain('has an offline form, and this build has none: en/form-ended.html, en/form.html, form-ended.html, form.html, form.json would be gone; give it a keyring');
    const agreed = await build('--no-offline-form');
    expect([agreed.code, await readdir(out)]).toEqual([EXIT.ok, before.filter((name) => !/^form(?:-ended)?\.(?:html|json)|minisig$/.test(name))]);
    expect(agreed.err).toContain('Taken away: en/form-ended.html, en/form.html, form-ended.html, form.html, form.json.\nThe manifest has changed, so its signature manifest.json.minisig was taken away');
    // As in a folder of somebody's that was never a form.
    await rm(dir.path('web-shrinks', 'manifest.json'));
    const foreign = await build();
    expect([foreign.code, foreign.err]).toEqual([EXIT.output, expect.stringContaining('has files that no build of the form made: en/index.html, ')]);
    expect(await readdir(out)).not.toContain('manifest.json');
  });

  test.each<readonly [string, () => Promise<string>, string]>([
    ['what is no key', () => writeTo(dir.path('not.pub'), 'hello'), ''],
    ['the secret half', () => openOffice((...parts) => dir.path('office-secret', ...parts)).then(({ rootKey }) => rootKey), ': it is the secret half, which stays offline'],
  ])('refuses %s, by its name', async (_what, write, why) => {
    const file = await write();
    const { code, err } = await cli(['operator', 'build-form', '--root-key', file, '--out', dir.path('web2')]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining(`${file} is not the root public key${why}`)]);
    expect(err).toContain('(INPUT_FORMAT)');
  });
});
