import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { encodeQuestion, MAILBOX_ANSWER_BYTES, parseMailboxAnswer } from '../../crypto/mailbox.ts';
import { REPLY_BYTES } from '../../crypto/reply.ts';
import { mailboxOf, threadOf, type Thread } from '../../crypto/thread.ts';
import { BLANK_FIELD, keys } from '../../redis/keys.ts';
import { bucketOf, REPLIES_A_WEEK, REPLY_WEEKS, weeksKept } from '../../redis/mailboxes.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';

const FULL = REPLIES_A_WEEK * (REPLY_WEEKS + 1);
let relay: TestRelay;
let admin: Redis;
let unknown: Thread;
let one: Thread;
let full: Thread;
let replies: Buffer[];
beforeAll(async () => {
  relay = await startRelay();
  admin = await relay.redis.connect('admin');
  // By default Redis rewrites its file when it has doubled, at a moment that no test controls.
  await admin.config('SET', 'auto-aof-rewrite-percentage', '0');
  await admin.hset(keys.repliesBlank, BLANK_FIELD, Buffer.alloc(REPLY_BYTES));
  [unknown, one, full] = [threadOf(randomBytes(32)), threadOf(randomBytes(32)), threadOf(randomBytes(32))];
  const places = weeksKept(new Date(), REPLY_WEEKS).flatMap((week) => bucketOf(mailboxOf(full.address), week));
  replies = Array.from({ length: FULL }, () => Buffer.from(randomBytes(REPLY_BYTES)));
  let at = 0;
  for (const { key, fields } of places) for (const field of fields) await admin.hset(key, field, replies[at++] ?? '');
  const {
    key,
    fields: [field = Buffer.alloc(0)],
  } = bucketOf(mailboxOf(one.address), weeksKept(new Date(), REPLY_WEEKS).at(-1) ?? 0);
  await admin.hset(key, field, Buffer.from(randomBytes(REPLY_BYTES)));
});
afterAll(() => relay.stop());

const question = ({ mailboxKey, signing }: Thread, page = 0) => encodeQuestion({ mailboxKey, threadKey: signing.key, page });

async function post(path: string, body: Uint8Array, type = 'application/octet-stream') {
  const response = await fetch(`${relay.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(body) });
  return { status: response.status, headers: [...response.headers], body: new Uint8Array(await response.arrayBuffer()) };
}

describe('POST /mailbox', () => {
  it('answers alike whatever is there, and like an accepted parcel', async () => {
    const parcel = await post('/parcel?', relay.stamped());
    const otherVersion = question(full);
    otherVersion[0] = 9;
    const questions = [question(unknown), question(one), question(full), question(full, 3), question(full, 0xffffffff), otherVersion];
    for (const asked of questions) {
      const { status, headers, body } = await post('/mailbox', asked);
      expect([status, headers, body.length]).toEqual([202, parcel.headers, MAILBOX_ANSWER_BYTES]);
    }
    const totals = await Promise.all(questions.map(async (asked) => parseMailboxAnswer((await post('/mailbox', asked)).body, 0)));
    expect(totals.map((answer) => answer.result === 'read' && answer.total)).toEqual([0, 1, FULL, FULL, FULL, 0]);
  });

  it('gives two replies per page, the oldest first, across weeks', async () => {
    const pages = await Promise.all(
      Array.from({ length: FULL / 2 + 1 }, async (_, page) => {
        const answer = parseMailboxAnswer((await post('/mailbox', question(full, page))).body, page);
        return answer.result === 'read' ? answer.replies.map((reply) => Buffer.from(reply)) : [];
      }),
    );
    expect(pages.flat().every((reply, i) => replies[i]?.equals(reply))).toBe(true);
    expect(pages.flat()).toHaveLength(FULL);
  });

  it('shows a mailbox as of one moment, whatever is deleted meanwhile', async () => {
    const thread = threadOf(randomBytes(32));
    const {
      key,
      fields: [first = Buffer.alloc(0), second = Buffer.alloc(0)],
    } = bucketOf(mailboxOf(thread.address), weeksKept(new Date(), REPLY_WEEKS).at(-1) ?? 0);
    const [a, b] = [Buffer.from(randomBytes(REPLY_BYTES)), Buffer.from(randomBytes(REPLY_BYTES))];
    let reading = true;
    const changing = (async () => {
      while (reading) {
        await admin.hset(key, first, a, second, b);
        // The first is deleted and the second moves up.
        await admin.multi().hset(key, first, b).hdel(key, second).exec();
      }
    })();
    const states = new Set<string>();
    for (let i = 0; i < 150; i += 1) {
      const answer = parseMailboxAnswer((await post('/mailbox', question(thread))).body, 0);
      if (answer.result !== 'read') throw new Error('the mailboxes are away');
      states.add(answer.replies.map((reply) => (a.equals(reply) ? 'a' : b.equals(reply) ? 'b' : 'neither')).join());
    }
    reading = false;
    await changing;
    expect([...states].filter((state) => state !== '').sort()).toEqual(['a,b', 'b']);
  });

  it('refuses malformed exchanges as POST /parcel does', async () => {
    const bad: [Uint8Array, string?][] = [
      [question(one).subarray(1)],
      [new Uint8Array(MAILBOX_ANSWER_BYTES + 1)],
      [question(one), 'text/plain'],
    ];
    for (const [body, type] of bad) expect(await post('/mailbox', body, type)).toEqual(await post('/parcel?', body, type));
  });

  it('changes nothing', async () => {
    const before = await snapshot();
    for (const thread of [unknown, one, full]) await post('/mailbox', question(thread));
    expect(await snapshot()).toEqual(before);
  });

  // The last case: it ends Redis.
  it('says when to retry while Redis is away, at the same length', async () => {
    await relay.redis.kill9();
    const { status, headers, body } = await post('/mailbox', question(one));
    expect([status, new Map(headers).get('retry-after'), body.length]).toEqual([503, '30', MAILBOX_ANSWER_BYTES]);
    expect(parseMailboxAnswer(body, 0)).toEqual({ result: 'away', retryAfterSeconds: 30 });
  });
});

async function snapshot(): Promise<unknown> {
  const names = (await admin.keys('*')).sort();
  const folder = join(relay.redis.dir, 'appendonlydir');
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return { values: await Promise.all(names.map(async (name) => [name, (await admin.dumpBuffer(name))?.toString('base64')])), sizes };
}
