// The operator asks for a test letter: it goes the way of all letters, looks like them, and its outcome is the operator's to read.
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LETTER_ID_BYTES, openLetter } from '../../crypto/letter.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import { keys } from '../../redis/keys.ts';
import { askForTestLetter, readTestLetter } from '../../redis/test-letters.ts';
import { KeyringShelf } from '../../runtime/keyrings.ts';
import { OutboxDelivery } from '../../worker/deliver.ts';
import { guardedInbox, inboxesSchema } from '../../worker/inboxes/kinds.ts';
import { Outbox } from '../../worker/outbox.ts';
import { deliveryDuty, TestLetters } from '../../worker/test-letter.ts';
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
  const duty = deliveryDuty('deliver', delivery, new TestLetters(client, shelf, outbox, team));
  return () => ((clockMs += 3_600_000), duty(() => false));
}

const outcome = () => readTestLetter(operator, INBOX);

test('it reaches the inbox as a letter that says nothing, and cannot be told from the others', async () => {
  const admin = await redis.connect('admin');
  const round = await worker();
  await admin.hset(keys.outbox(INBOX), Buffer.from(randomBytes(LETTER_ID_BYTES)), Buffer.from(bench.letter('help')));
  await round();
  expect([server.mails.length, await outcome()]).toEqual([1, null]);

  await askForTestLetter(operator, INBOX);
  await askForTestLetter(operator, INBOX);
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
  await askForTestLetter(operator, INBOX);
  expect(await outcome()).toEqual({ stage: 'asked' });
  await round();
  expect(server.mails.length).toBe(3);
});

test('one that an inbox does not take for now waits, with the reason, and no second one is made', async () => {
  refusal = '451 4.7.1';
  const round = await worker();
  await askForTestLetter(operator, INBOX);
  await round();
  const waiting = await outcome();
  expect(waiting).toMatchObject({ stage: 'waiting', reason: 'reply-451-4.7.1' });
  await askForTestLetter(operator, INBOX);
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
  await askForTestLetter(operator, INBOX);
  await (
    await worker()
  )();
  expect(await outcome()).toEqual({ stage: 'failed', reason: 'reply-552-5.3.4' });

  await askForTestLetter(operator, INBOX);
  await (
    await worker('00112233445566aa')
  )();
  expect(await outcome()).toEqual({ stage: 'failed', reason: 'team-not-in-keyring' });
});

test('a memory that is full holds up the test letter alone', async () => {
  const admin = await redis.connect('admin');
  await admin.hset(keys.outbox(INBOX), Buffer.from(randomBytes(LETTER_ID_BYTES)), Buffer.from(bench.letter('help')));
  await askForTestLetter(operator, INBOX);
  await admin.config('SET', 'maxmemory', '1');
  await (
    await worker()
  )();
  expect([server.mails.length, await outcome()]).toEqual([1, { stage: 'asked' }]);
});
