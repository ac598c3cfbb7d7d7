// A letter that says nothing, sent the way of all letters when the operator asks whether an inbox can be reached: the hash `tests`.
import type { Redis } from 'ioredis';
import { keys } from './keys.ts';

/** What became of an inbox's test letter, in words of ours. `id`: of the letter, in hexadecimal digits. */
export type TestLetter =
  /** The operator waits for a worker to make it. */
  | { readonly stage: 'asked' }
  /** It is in the outbox. `reason`: why the inbox has not taken it yet, or ''. */
  | { readonly stage: 'waiting'; readonly id: string; readonly reason: string }
  | { readonly stage: 'arrived' }
  | { readonly stage: 'failed'; readonly reason: string };

const encode = (letter: TestLetter): string =>
  [letter.stage, 'id' in letter ? letter.id : '', 'reason' in letter ? letter.reason : ''].filter((word) => word !== '').join(' ');

/** Anything else counts as no test letter. */
function decode(text: string | null): TestLetter | null {
  const [stage, first = '', second = ''] = (text ?? '').split(' ');
  if (stage === 'asked' || stage === 'arrived') return { stage };
  if (stage === 'failed') return { stage, reason: first };
  return stage === 'waiting' && /^[0-9a-f]{32}$/.test(first) ? { stage, id: first, reason: second } : null;
}

export async function readTestLetter(redis: Redis, inbox: string): Promise<TestLetter | null> {
  return decode(await redis.hget(keys.tests, inbox));
}

/** Null: forgets it. */
export async function noteTestLetter(redis: Redis, inbox: string, test: TestLetter | null): Promise<void> {
  if (test === null) await redis.hdel(keys.tests, inbox);
  else await redis.hset(keys.tests, inbox, encode(test));
}

/** Asks for one, unless one is on its way. */
export async function askForTestLetter(redis: Redis, inbox: string): Promise<void> {
  const { stage } = (await readTestLetter(redis, inbox)) ?? { stage: 'arrived' };
  if (stage === 'arrived' || stage === 'failed') await redis.hdel(keys.tests, inbox);
  await redis.hsetnx(keys.tests, inbox, encode({ stage: 'asked' }));
}
