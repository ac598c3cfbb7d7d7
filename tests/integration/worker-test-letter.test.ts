// What the operator asks of the worker: a test letter, which goes the way of all letters and looks like them, and that dead letters are
// tried again. Nothing else comes of what stands in the operator's keys.
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LETTER_ID_BYTES, openLetter } from '../../crypto/letter.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import { retryDead } from '../../operator/dead-letters.ts';
import { keys } from '../../redis/keys.ts';
import { ask, readQuestion } from '../../redis/asking.ts';
import { outcomeOf, type TestLetter } from '../../redis/test-letters.ts';
import { KeyringShelf } from '../../runtime/keyrings.ts';
import { OutboxDelivery } from '../../worker/deliver.ts';
import { deliveryDuty } from '../../worker/delivery-duty.ts';
import { guardedInbox, inboxesSchema } from '../../worker/inboxes/kinds.ts';
import { Outbox } from '../../worker/outbox.ts';
import { TestLetters } from '../../worker/test-letter.ts';
import { attachedLetters } from '../support/maildir.ts';
import { oneRedis } from '../support/one-redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';
import { workerBench, type Bench } from '../support/worker.ts';

const INBOX = 'inbox-1';

let redis: TestRedis;
let bench: Bench;
let operator: Redis;
let server: TestSmtp;
let refusal: string | null;
let clockMs: number;
const emptyRedis = oneRedis();

beforeEach(async () => {
  redis = await emptyRedis();
  bench = await workerBench(redis);
  operator = await redis.connect('operator');
  [refusal, clockMs] = [null, 0];
  server = await startSmtp({}, { data: () => refusal });
});
afterEach(async () => {
  await server.stop();
  await redis.stop();
  await bench.remove();
});

/** A worker's delivery to one inbox; each call is a round. */
async function worker(team = bench.team): Promise<() => Promise<void>> {
  const { keyrings, rootKeyFile } = bench.config;
  const shelf = new KeyringShelf({ directory: keyrings, rootKeyFile });
  await shelf.load();
  const client = await redis.connect('worker');
  const envelope = { from: 'relay@example.org', to: 'team@example.org' };
  const [settings] = inboxesSchema.parse([
    { id: INBOX, team, kind: 'smtp', host: '127.0.0.1', port: server.port, tls: 'none', ...envelope },
  ]);
  if (settings === undefined) throw new Error('no inbox');
  const outbox = new Outbox(client, INBOX);
  const delivery = new OutboxDelivery(outbox, guardedInbox(settings, null), () => clockMs);
  const duty = deliveryDuty('deliver', outbox, delivery, new TestLetters(client, shelf, outbox, team));
  return () => ((clockMs += 3_600_000), duty(() => false));
}

const askForIt = () => ask(operator, 'tests', [INBOX]);
/** Null: nobody has asked. */
async function outcome(): Promise<TestLetter | null> {
  const question = await readQuestion(operator, 'tests');
  return question && outcomeOf(operator, question, INBOX);
}

test('it reaches the inbox as a letter that says nothing, and cannot be told from the others', async () => {
  const admin = await redis.connect('admin');
  const round = await worker();
  await admin.hset(keys.outbox(INBOX), Buffer.from(randomBytes(LETTER_ID_BYTES)), Buffer.from(bench.letter('help')));
  await round();
  expect([server.mails.length, await outcome()]).toEqual([1, null]);

  await askForIt();
  await askForIt();
  expect(await outcome()).toEqual({ stage: 'asked' });
  await round();
  await round();
  expect([server.mails.length, await outcome()]).toEqual([2, { stage: 'arrived' }]);
  const contents = [];
  for (const { raw } of server.mails) for (const letter of await attachedLetters(raw)) contents.push(openLetter(letter, [bench.volunteer]));
  expect(contents.map(({ kind }) => kind)).toEqual(['request', 'cover']);
  const shapes = server.mails.map(({ raw }) => ({
    bytes: raw.length,
    head: raw
      .toString('latin1')
      .split('\r\n\r\n')[0]
      ?.replaceAll(/[0-9a-f]{32}/g, 'ID'),
  }));
  expect(shapes[1]).toEqual(shapes[0]);

  // Another one is a question of its own.
  await askForIt();
  expect(await outcome()).toEqual({ stage: 'asked' });
  await round();
  expect(server.mails.length).toBe(3);
});

test('one that an inbox does not take for now waits, with the reason, and no second one is made', async () => {
  refusal = '451 4.7.1';
  const round = await worker();
  await askForIt();
  await round();
  const waiting = await outcome();
  expect(waiting).toMatchObject({ stage: 'waiting', reason: 'reply-451-4.7.1' });
  await askForIt();
  expect(await outcome()).toEqual(waiting);
  refusal = null;
  // Another worker, too, knows which letter it is.
  await (
    await worker()
  )();
  expect([server.mails.length, await outcome()]).toEqual([1, { stage: 'arrived' }]);
});

test('one that is refused for good has failed, and so has one that cannot be made', async () => {
  refusal = '552 5.3.4';
  await askForIt();
  await (
    await worker()
  )();
  expect(await outcome()).toEqual({ stage: 'failed', reason: 'reply-552-5.3.4' });

  await askForIt();
  await (
    await worker('00112233445566aa')
  )();
  expect(await outcome()).toEqual({ stage: 'failed', reason: 'team-not-in-keyring' });
});

test('a memory that is full holds up the test letter alone', async () => {
  const admin = await redis.connect('admin');
  await admin.hset(keys.outbox(INBOX), Buffer.from(randomBytes(LETTER_ID_BYTES)), Buffer.from(bench.letter('help')));
  await askForIt();
  await admin.config('SET', 'maxmemory', '1');
  await (
    await worker()
  )();
  expect([server.mails.length, await outcome()]).toEqual([1, { stage: 'asked' }]);
});

describe('dead letters', () => {
  const kill = async (count: number): Promise<Buffer[]> => {
    const admin = await redis.connect('admin');
    const ids = Array.from({ length: count }, () => Buffer.from(randomBytes(LETTER_ID_BYTES)));
    for (const id of ids) await admin.hset(keys.dead(INBOX), id, Buffer.from(bench.letter('help')));
    for (const id of ids) await admin.hset(keys.deadReasons(INBOX), id, 'reply-552');
    return ids;
  };

  test('are tried again once when asked for, all of them, also while memory is full', async () => {
    const admin = await redis.connect('admin');
    const round = await worker();
    await kill(40);
    await round();
    expect(server.mails.length).toBe(0);
    expect(await retryDead(operator, INBOX)).toBe(40);
    await admin.config('SET', 'maxmemory', '1');
    await round();
    await admin.config('SET', 'maxmemory', '0');
    expect(server.mails.length).toBe(40);
    expect(await admin.exists(keys.dead(INBOX), keys.deadReasons(INBOX), keys.outbox(INBOX))).toBe(0);
    await kill(1);
    await round();
    expect([server.mails.length, await admin.hlen(keys.dead(INBOX))]).toEqual([40, 1]);
    expect(await retryDead(operator, INBOX)).toBe(1);
    await round();
    expect(server.mails.length).toBe(41);
  });

  test('of an inbox that was asked for before stay asked for', async () => {
    const round = await worker();
    await kill(1);
    await retryDead(operator, INBOX);
    await ask(operator, 'retries', ['inbox-2']);
    await round();
    expect(server.mails.length).toBe(1);
  });

  test('whose letter waits already is the same letter', async () => {
    const admin = await redis.connect('admin');
    const [id = Buffer.alloc(0)] = await kill(1);
    await admin.hset(keys.outbox(INBOX), id, Buffer.from(bench.letter('help')));
    await retryDead(operator, INBOX);
    await (
      await worker()
    )();
    expect([server.mails.length, await admin.exists(keys.dead(INBOX), keys.deadReasons(INBOX))]).toEqual([1, 0]);
  });
});

test('a question that is none is passed over', async () => {
  const round = await worker();
  const id = '00112233445566aa';
  const tooMany = Array.from({ length: 1_001 }, () => INBOX);
  const none = ['', 'x', '[]', 'null', JSON.stringify({ id, inboxes: INBOX }), JSON.stringify({ id: 'x', inboxes: [INBOX] })];
  const odd = [
    { id, inboxes: tooMany },
    { id, inboxes: [INBOX], more: 1 },
  ].map((each) => JSON.stringify(each));
  for (const text of [...none, ...odd, `${' '.repeat(70_000)}${JSON.stringify({ id, inboxes: [INBOX] })}`]) {
    for (const kind of ['tests', 'retries'] as const) await operator.set(keys.asked(kind), text);
    await round();
  }
  const admin = await redis.connect('admin');
  expect([server.mails.length, await admin.exists(keys.tests, keys.retries)]).toEqual([0, 0]);
  await askForIt();
  await round();
  expect(server.mails.length).toBe(1);
});
