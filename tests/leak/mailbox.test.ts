// What somebody who reads all of Redis, its keys, files and memory, learns about the mailboxes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { sealLetter } from '../../crypto/letter.ts';
import { signNote } from '../../crypto/note.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { mailboxLock, mailboxOf, type Thread } from '../../crypto/thread.ts';
import { keys } from '../../redis/keys.ts';
import { bucketOf, weekOf } from '../../redis/mailboxes.ts';
import { newThread } from '../support/letters.ts';
import { MailboxStand } from '../support/mailboxes.ts';
import { until } from '../support/worker.ts';
import { bytesNeedle, filesIn, memoryOf, redisKeys, search, textNeedle, type Needle, type Place } from './search.ts';

const running = () => false;
const WEEK_HOURS = 7 * 24;
const TEXT = `canary-${toHex(randomBytes(8))}`;
const ALIAS = `Ива-${toHex(randomBytes(8))}`;

/** To whom, by whom, and in which order. */
type History = (stand: MailboxStand) => readonly (readonly [Thread, SigningKeyPair])[];

/** Sends answers, each with its note to the team, one per round, through one worker. */
async function live(stand: MailboxStand, history: History): Promise<Buffer[]> {
  const { mix } = await stand.worker();
  const replies: Buffer[] = [];
  for (const [thread, signer] of history(stand)) {
    const delivery = stand.deliver(TEXT, thread, signer);
    const note = signNote({ action: 'answer', thread: thread.address.key, alias: ALIAS, text: TEXT }, signer);
    const letter = sealLetter({ version: 1, kind: 'note', serial: 1, keyring: '0'.repeat(64), language: 'ru', note }, [
      identityToRecipient(stand.bench.volunteer),
    ]);
    await stand.put(delivery);
    await stand.bench.put(stand.admin, stand.bench.parcel({ kind: 'letter', team: stand.bench.team, letter }));
    await mix.round(running);
    replies.push(Buffer.from(delivery.reply));
  }
  return replies;
}

const logFiles = ({ redis }: MailboxStand): string[] => readdirSync(join(redis.dir, 'appendonlydir'));

/** Housekeeping, until Redis has rewritten the append-only file and removed the old one. */
async function keepHouse(stand: MailboxStand): Promise<void> {
  const { housekeeping } = await stand.worker();
  const before = logFiles(stand);
  await housekeeping.run();
  await until(
    'the rewrite',
    () =>
      logFiles(stand)
        .filter((name) => before.includes(name))
        .join() === 'appendonly.aof.manifest',
  );
}

const placesOf = (stand: MailboxStand, { address }: Thread): readonly Buffer[] => bucketOf(mailboxOf(address), weekOf(stand.now)).fields;

async function everything(stand: MailboxStand): Promise<Place[]> {
  return [...(await redisKeys(stand.admin)), ...filesIn(stand.redis.dir), memoryOf('redis', stand.redis.pid)];
}

/** All that Redis shows without decryption keys: names, types, lengths, and plain values. */
async function shapeOf({ admin, bench }: MailboxStand): Promise<unknown> {
  const shapes = (await admin.keys('*')).sort().map(async (key) => {
    const [type, encoding, ttl] = await Promise.all([admin.type(key), admin.object('ENCODING', key), admin.pttl(key)]);
    const values = type === 'hash' ? await admin.hgetallBuffer(key) : {};
    const members = type === 'set' ? await admin.smembersBuffer(key) : await admin.hkeysBuffer(key).catch(() => []);
    const lengths = [...members, ...Object.values(values)].map(({ length }) => length).sort((a, b) => a - b);
    return {
      key: key.replace(bench.keyId(), 'the worker’s key'),
      type,
      encoding,
      ends: ttl >= 0,
      lengths,
      open: key === keys.state ? await stateOf(admin) : key === keys.inboxes ? await admin.smembers(key) : null,
    };
  });
  return Promise.all(shapes);
}

/** Without the keyring's end, which is public and differs between stands. */
async function stateOf(admin: Redis): Promise<Record<string, string>> {
  const { keyringUntil, ...state } = await admin.hgetall(keys.state);
  expect(keyringUntil).toMatch(/Z$/);
  return state;
}

it('the number of replies per week shows, but not which belong together or who wrote them', async () => {
  const histories: History[] = [
    ({ thread, signers: [one] }) => Array.from({ length: 4 }, () => [thread, one] as const),
    ({ signers: [one, two] }) => [one, two, two, one].map((signer) => [newThread(), signer] as const),
  ];
  const shapes = histories.map(async (history) => {
    const stand = await MailboxStand.start();
    try {
      const weeks = [weekOf(stand.now) - 1, weekOf(stand.now)].map((week) => keys.replies(week));
      stand.later(-WEEK_HOURS);
      await live(stand, history);
      stand.later(WEEK_HOURS);
      await live(stand, history);
      expect(await stand.admin.keys('replies:*')).toEqual(expect.arrayContaining([keys.repliesBlank, ...weeks]));
      expect(await Promise.all(weeks.map((week) => stand.admin.hlen(week)))).toEqual([4, 4]);
      return [await shapeOf(stand), weeks];
    } finally {
      await stand.stop();
    }
  });
  const [oneMailbox, manyMailboxes] = await Promise.all(shapes);
  expect(oneMailbox).toEqual(manyMailboxes);
});

describe('of several conversations', () => {
  let stand: MailboxStand;
  let replies: Buffer[];
  /** Three answers, two answers, and ten conversations with one each. */
  const threads = (): Thread[] => [stand.thread, stand.thread, stand.thread, second, second, ...others];
  let second: Thread;
  let others: Thread[];
  /** The places of the replies, in the order of arrival. */
  const filled = (): Buffer[] =>
    threads().map(
      (thread, i, all) => placesOf(stand, thread)[all.slice(0, i).filter((other) => other === thread).length] ?? Buffer.alloc(0),
    );

  beforeAll(async () => {
    stand = await MailboxStand.start();
    second = newThread();
    others = Array.from({ length: 10 }, newThread);
    replies = await live(stand, ({ signers }) => threads().map((thread, i) => [thread, signers[i % 2 === 0 ? 0 : 1]] as const));
    await keepHouse(stand);
  });
  afterAll(() => stand.stop());

  it('Redis, its files and its memory hold the places and sealed replies, and name nobody', async () => {
    const secret = (name: string, bytes: Uint8Array): Needle => ({
      name,
      shapes: [Buffer.from(bytes), ...textNeedle(name, toHex(bytes)).shapes],
    });
    const needles = [
      ...[stand.thread, second].flatMap(({ address, mailboxKey, signing }, i) => [
        secret(`mailbox ${String(i)}`, mailboxOf(address)),
        secret(`mailbox key ${String(i)}`, mailboxKey),
        secret(`mailbox lock ${String(i)}`, mailboxLock(mailboxKey)),
        secret(`thread ${String(i)}`, signing.key),
        textNeedle(`recipient ${String(i)}`, address.recipient.slice(0, 64)),
      ]),
      ...stand.signers.map(({ key }, i) => secret(`signer ${String(i)}`, key)),
      secret('team', Buffer.from(stand.bench.team, 'hex')),
      textNeedle('alias', ALIAS),
      textNeedle('text', TEXT),
    ];
    const places = await everything(stand);
    expect(search(places, needles)).toEqual([]);

    // Control: the search finds what is there, in each of the three.
    const there = [
      bytesNeedle('place', filled()[0] ?? Buffer.alloc(16)),
      bytesNeedle('reply', replies[0]?.subarray(4_000, 4_064) ?? Buffer.alloc(64)),
    ];
    const found = search(places, there).join('\n');
    for (const { name } of there) {
      for (const where of [`in Redis key ${keys.replies(weekOf(stand.now))}`, 'in appendonlydir/', 'in memory of redis'])
        expect(found).toContain(`${name} ${where}`);
    }
    const openly = places.concat({
      name: 'what nobody stored',
      chunks: [mailboxOf(second.address), Buffer.from(toHex(stand.signers[1].key))].map((bytes) => Buffer.from(bytes)),
    });
    expect(search(openly, needles)).toEqual(['mailbox 1 in what nobody stored', 'signer 1 in what nobody stored']);
  });

  it('two replies to one person have nothing in common but the first line of any age file', async () => {
    const chunks = (bytes: Buffer) => Array.from({ length: bytes.length - 7 }, (_, i) => bytes.toString('hex', i, i + 8));
    const [first = [], next = []] = replies.map((reply) => chunks(reply.subarray(64)));
    const known = new Set(first);
    expect(next.filter((chunk) => known.has(chunk))).toEqual([]);
  });

  it('neither Redis nor its file holds the replies in the order of arrival', async () => {
    const { admin } = stand;
    const key = keys.replies(weekOf(stand.now));
    const came = filled().map((place) => place.toString('hex'));
    const kept = (await admin.hkeysBuffer(key)).map((place) => place.toString('hex'));
    expect(kept.toSorted()).toEqual(came.toSorted());
    const file = readFileSync(join(stand.redis.dir, 'appendonlydir', logFiles(stand).find((name) => name.endsWith('.base.rdb')) ?? 'none'));
    const written = came.toSorted((a, b) => file.indexOf(a, 0, 'hex') - file.indexOf(b, 0, 'hex'));
    expect(file.indexOf(came[0] ?? '', 0, 'hex')).toBeGreaterThan(0);
    for (const order of [kept, written]) {
      expect(order).not.toEqual(came);
      expect(order).not.toEqual(came.toReversed());
    }
    expect([await admin.object('ENCODING', key), await admin.pttl(key)]).toEqual(['hashtable', -1]);
  });

  it('deleting writes only the places that change, and the next housekeeping leaves nothing of what was deleted', async () => {
    const { mix } = await stand.worker();
    const all = new Map(
      [stand.thread, second, ...others].flatMap((thread, i) =>
        placesOf(stand, thread).map((place, n) => [`${String(i)}/${String(n)}` as string, place] as const),
      ),
    );
    const log = (): Place => ({
      name: 'the log',
      chunks: logFiles(stand)
        .filter((name) => name.endsWith('.incr.aof'))
        .map((name) => readFileSync(join(stand.redis.dir, 'appendonlydir', name))),
    });
    const named = (): string[] =>
      search(
        [log()],
        [...all].map(([name, place]) => bytesNeedle(name, place)),
      );
    expect(named()).toEqual([]);

    // The second of three replies in the first mailbox, whose third moves into its place; all replies in the second mailbox.
    await stand.remove(replies.slice(1, 2));
    await stand.remove(replies.slice(3, 5), second);
    await mix.round(running);
    expect(named()).toEqual(['0/1 in the log', '0/2 in the log', '1/0 in the log', '1/1 in the log']);
    expect(await stand.waiting()).toEqual([replies[0], replies[2]]);
    expect(await stand.waiting(second)).toEqual([]);

    const gone = [
      ...['0/2', '1/0', '1/1'].map((name) => bytesNeedle(name, all.get(name) ?? Buffer.alloc(0))),
      ...[1, 3, 4].map((i) => bytesNeedle(`reply ${String(i)}`, replies[i]?.subarray(4_000, 4_064) ?? Buffer.alloc(0))),
    ];
    const kept = async (): Promise<Place[]> => [...(await redisKeys(stand.admin)), ...filesIn(stand.redis.dir)];
    expect(search(await kept(), gone).map((hit) => hit.split(' in ')[0])).toEqual(expect.arrayContaining(gone.map(({ name }) => name)));
    await keepHouse(stand);
    expect(search(await kept(), gone)).toEqual([]);
  });
});
