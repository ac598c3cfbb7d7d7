// Does the time of a response tell what is in a mailbox? Interleaved reads of four kinds of mailbox at a real relay.
import { randomBytes, randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { encodeQuestion } from '../crypto/mailbox.ts';
import { REPLY_BYTES } from '../crypto/reply.ts';
import { threadOf, mailboxOf, type Thread } from '../crypto/thread.ts';
import { BLANK_FIELD, keys } from '../redis/keys.ts';
import { bucketOf, REPLY_WEEKS, weeksKept } from '../redis/mailboxes.ts';
import { startRelay } from '../tests/support/relay.ts';
import { median } from './compare.ts';

const READS_OF_EACH = 1_000;
const WARM_UP = 200;
const PERMUTATIONS = 2_000;
const KINDS = ['unknown', 'emptied', 'one reply', 'full'] as const;

const relay = await startRelay({ redis: { config: resolve('deploy/redis/redis.conf') } });
const admin = await relay.redis.connect('admin');
await admin.hset(keys.repliesBlank, BLANK_FIELD, Buffer.alloc(REPLY_BYTES));
const threads = new Map<string, Thread>(KINDS.map((kind) => [kind, threadOf(new Uint8Array(randomBytes(32)))]));
const placesOf = (kind: string) => {
  const thread = threads.get(kind);
  if (thread === undefined) throw new Error(kind);
  return weeksKept(new Date(), REPLY_WEEKS).flatMap((week) => bucketOf(mailboxOf(thread.address), week));
};
for (const { key, fields } of placesOf('full')) for (const field of fields) await admin.hset(key, field, randomBytes(REPLY_BYTES));
for (const kind of ['one reply', 'emptied']) {
  const { key, fields } = placesOf(kind).at(-1) ?? { key: '', fields: [] };
  await admin.hset(key, fields[0] ?? '', randomBytes(REPLY_BYTES));
  if (kind === 'emptied') await admin.hdel(key, fields[0] ?? '');
}

async function readMs(kind: string): Promise<number> {
  const thread = threads.get(kind);
  if (thread === undefined) throw new Error(kind);
  const body = Buffer.from(encodeQuestion({ mailboxKey: thread.mailboxKey, threadKey: thread.signing.key, page: 0 }));
  const start = performance.now();
  const response = await fetch(`${relay.url}/mailbox`, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body });
  await response.arrayBuffer();
  if (response.status !== 202) throw new Error(`status ${String(response.status)}`);
  return performance.now() - start;
}

function shuffle<T>(items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = randomInt(i + 1);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}

/** The p-value of a two-sided Mann-Whitney U test, by its normal approximation. */
function rankTest(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((ms) => ({ ms, first: true })), ...b.map((ms) => ({ ms, first: false }))].sort((x, y) => x.ms - y.ms);
  const rankSum = ranked.reduce((sum, { first }, i) => (first ? sum + i + 1 : sum), 0);
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const z = Math.abs(u - (a.length * b.length) / 2) / Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  return 2 * normalTail(z);
}

/** The upper tail of the standard normal distribution: Abramowitz and Stegun, 26.2.17. */
function normalTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly;
}

/** The p-value of a permutation test: how often the medians lie as far apart when the samples are mixed. */
function medianTest(a: readonly number[], b: readonly number[]): number {
  const apart = Math.abs(median(a) - median(b));
  const all = [...a, ...b];
  let asFar = 1;
  for (let i = 0; i < PERMUTATIONS; i += 1) {
    shuffle(all);
    if (Math.abs(median(all.slice(0, a.length)) - median(all.slice(a.length))) >= apart) asFar += 1;
  }
  return asFar / (PERMUTATIONS + 1);
}

const times = new Map<string, number[]>(KINDS.map((kind) => [kind, []]));
for (let i = 0; i < WARM_UP + READS_OF_EACH; i += 1) {
  for (const kind of shuffle([...KINDS])) {
    const ms = await readMs(kind);
    if (i >= WARM_UP) times.get(kind)?.push(ms);
  }
}
await relay.stop();
const unknown = times.get('unknown') ?? [];
for (const kind of KINDS) {
  const reads = times.get(kind) ?? [];
  const ms = median(reads);
  const line = [
    `${kind.padEnd(10)} ${String(reads.length)} reads`,
    `median ${ms.toFixed(3)} ms`,
    `ratio ${(ms / median(unknown)).toFixed(3)}`,
  ];
  if (kind !== 'unknown') {
    line.push(`Mann-Whitney p ${rankTest(reads, unknown).toFixed(3)}`, `medians permuted p ${medianTest(reads, unknown).toFixed(3)}`);
  }
  console.log(line.join('   '));
}
