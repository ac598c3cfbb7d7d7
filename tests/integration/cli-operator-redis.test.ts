// What an operator can and may do in Redis: everything with dead letters, nothing with waiting ones; and a Redis that refuses or ends.
import { readdir, readFile, stat } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import { LETTER_ID_BYTES } from '../../crypto/letter.ts';
import { PARCEL_ID_BYTES } from '../../crypto/parcel.ts';
import { readQuestion } from '../../redis/asking.ts';
import { keys } from '../../redis/keys.ts';
import { cli, writeTo, type CliResult } from '../support/cli.ts';
import { OperatorStand } from '../support/operator-stand.ts';
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

  const operator = (...words: string[]): Promise<CliResult> => stand.operator(words);
  const deadWith = async (inbox: string, ...reasons: string[]): Promise<Buffer[]> => {
    const ids = reasons.map(() => Buffer.from(randomBytes(LETTER_ID_BYTES)));
    for (const [index, id] of ids.entries()) {
      await admin.hset(keys.dead(inbox), id, Buffer.from(`letter ${String(index)}`));
      if (reasons[index] !== '') await admin.hset(keys.deadReasons(inbox), id, reasons[index] ?? '');
    }
    return ids;
  };

  test('dead letters need attention, and the worker is asked to retry them', async () => {
    await stand.fill(keys.dead('inbox-2'), 11, LETTER_ID_BYTES);
    const before = await operator('status');
    expect(before.code).toBe(EXIT.attention);
    expect(before.text).toContain(
      '! inbox inbox-2 refused letters for good (10-99); look at them: support-relay operator dead-letters list. Repair the inbox',
    );
    expect(before.text).toContain('support-relay operator dead-letters retry inbox-2 (INBOX_DEAD)');

    const { code, text, err } = await operator('dead-letters', 'retry', 'inbox-2', '--json');
    expect([code, err, JSON.parse(text)]).toEqual([EXIT.ok, '', { inbox: 'inbox-2', retried: '10-99' }]);
    expect((await readQuestion(admin, 'retries'))?.inboxes).toEqual(['inbox-2']);
    expect((await operator('dead-letters', 'retry', 'inbox-2')).text).toBe(
      "inbox-2: 10-99 letters go out again from the worker's next round on\n",
    );
    expect((await operator('dead-letters', 'retry', 'inbox-1')).text).toMatch(/^inbox-1: 0 letters/);
    expect((await readQuestion(admin, 'retries'))?.inboxes).toEqual(['inbox-2']);
  });

  test('dead letters are listed by reason, in coarse steps', async () => {
    await deadWith('inbox-2', ...Array.from({ length: 12 }, () => 'reply-554-5.7.1'), 'reply-552-5.3.4', '');
    const { code, text } = await operator('dead-letters', 'list');
    expect([code, text]).toEqual([
      EXIT.ok,
      'inbox-1: 0 dead letters\ninbox-2: 10-99 dead letters\n  reply-552-5.3.4: 1-9\n  reply-554-5.7.1: 10-99\n  unknown: 1-9\n',
    ]);
    expect(JSON.parse((await operator('dead-letters', 'list', 'inbox-1', '--json')).text)).toEqual({
      inbox: 'inbox-1',
      dead: '0',
      reasons: [],
    });
  });

  test('dead letters are exported whole, each to its own file, and stay', async () => {
    const ids = await deadWith('inbox-2', 'reply-554', 'reply-554');
    const out = stand.dir.path('dead');
    const { code, text } = await operator('dead-letters', 'export', 'inbox-2', '--out', out);
    expect([code, text]).toEqual([EXIT.ok, `inbox-2: 1-9 letters written to ${out}; they stay dead letters until you drop them\n`]);
    expect((await readdir(out)).toSorted()).toEqual(ids.map((id) => `${id.toString('hex')}.age`).toSorted());
    for (const [index, id] of ids.entries()) {
      const file = stand.dir.path('dead', `${id.toString('hex')}.age`);
      expect([await readFile(file, 'utf8'), (await stat(file)).mode & 0o777]).toEqual([`letter ${String(index)}`, 0o600]);
    }
    expect(await admin.hlen(keys.dead('inbox-2'))).toBe(2);
    expect((await operator('dead-letters', 'export', 'inbox-2', '--out', out)).code).toBe(EXIT.output);
    expect((await operator('dead-letters', 'export', 'inbox-2')).code).toBe(EXIT.usage);
  });

  test('dead letters are dropped only after a yes, and only those the question was about', async () => {
    await deadWith('inbox-2', 'reply-554', 'reply-554');
    await stand.fill(keys.dead('inbox-1'), 1, LETTER_ID_BYTES);
    const drop = (answers: readonly string[] | null, ...more: string[]): Promise<CliResult> =>
      cli(
        [
          'operator',
          'dead-letters',
          'drop',
          'inbox-2',
          '--redis-socket',
          stand.redis.socketPath,
          '--password-file',
          stand.passwordFile,
          ...more,
        ],
        answers === null ? {} : { terminal: { answers } },
      );
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

  test('impossible actions on dead letters are refused', async () => {
    for (const words of [['bury'], ['drop'], ['toString', 'inbox-1']])
      expect((await operator('dead-letters', ...words)).code).toBe(EXIT.usage);
    expect((await operator('dead-letters', 'list', 'inbox-9')).err).toContain('(INBOX_UNKNOWN)');
  });

  test('a retry for an unknown inbox names the known inboxes', async () => {
    const { code, err } = await operator('dead-letters', 'retry', 'inbox-9');
    expect(code).toBe(EXIT.input);
    expect(err).toContain('there is no inbox "inbox-9"; there are: inbox-1, inbox-2 (INBOX_UNKNOWN)');
  });

  test('the operator cannot read what is waiting', async () => {
    await stand.fill(keys.pool, 1, PARCEL_ID_BYTES);
    await stand.fill(keys.outbox('inbox-1'), 1, LETTER_ID_BYTES);
    const connection = await stand.redis.connect('operator');
    await expect(connection.hgetall(keys.pool)).rejects.toThrow('NOPERM');
    await expect(connection.hgetall(keys.outbox('inbox-1'))).rejects.toThrow('NOPERM');
    await expect(connection.hget(keys.outbox('inbox-1'), 'x')).rejects.toThrow('NOPERM');
    await expect(connection.hdel(keys.pool, 'x')).rejects.toThrow('NOPERM');
    // Whoever can count at any moment learns when a letter came.
    await expect(connection.hlen(keys.pool)).rejects.toThrow('NOPERM');
    await expect(connection.hlen(keys.claim('one'))).rejects.toThrow('NOPERM');
    await expect(connection.hset(keys.state, 'pool', '0')).rejects.toThrow('NOPERM');
  });

  test('the machine may say where Redis is, and an option says otherwise', async () => {
    const env = { OPERATOR_REDIS_SOCKET: stand.redis.socketPath, OPERATOR_REDIS_PASSWORD_FILE: stand.passwordFile };
    expect((await cli(['operator', 'status'], { env })).code).toBe(EXIT.ok);
    expect((await cli(['operator', 'dead-letters', 'list'], { env })).code).toBe(EXIT.ok);
    expect((await cli(['operator', 'status', '--redis-socket', stand.dir.path('no.sock')], { env })).err).toMatch(/no\.sock.*REDIS_AWAY/);
    expect((await cli(['operator', 'status'], { env: { ...env, OPERATOR_REDIS_SOCKET: '' } })).code).toBe(EXIT.usage);
  });

  test('a wrong password is distinguished from an absent Redis', async () => {
    const wrong = await writeTo(stand.dir.path('wrong.password'), 'wrong');
    const { code, err } = await operator('status', '--password-file', wrong);
    expect(code).toBe(EXIT.unavailable);
    expect(err).toContain('Redis refuses this user (WRONGPASS)');
    const absent = await cli(['operator', 'status', '--redis-socket', stand.dir.path('no.sock'), '--password-file', stand.passwordFile]);
    expect(absent.code).toBe(EXIT.unavailable);
    expect(absent.err).toMatch(/there is no socket .*no\.sock, or .*\(REDIS_AWAY\)/);
  });

  test('a Redis that ends is an error within seconds, and watching goes on', async () => {
    await stand.redis.kill9();
    const started = performance.now();
    const { code, err } = await operator('status', '--watch');
    expect(code).toBe(EXIT.unavailable);
    expect(err).toContain('(REDIS_AWAY)');
    expect(performance.now() - started).toBeLessThan(5_000);
    await stand.redis.restart();
    await until('relays', async () => (await stand.listeners().catch(() => 0)) === 1);
    expect((await operator('status', '--watch')).code).toBe(EXIT.ok);
  });
});
