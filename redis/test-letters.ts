// A letter that says nothing, sent the way of all letters when the operator asks whether an inbox can be reached.
import type { Redis } from 'ioredis';
import { readNote, type Question } from './asking.ts';
import { keys } from './keys.ts';

/** What became of an inbox's test letter, in words of ours. `id`: of the letter, in hexadecimal digits. */
export type TestLetter =
  /** The operator waits for a worker to make it. */
  | { readonly stage: 'asked' }
  /** It is in the outbox. `reason`: why the inbox has not taken it yet, or ''. */
  | { readonly stage: 'waiting'; readonly id: string; readonly reason: string }
  | { readonly stage: 'arrived' }
  | { readonly stage: 'failed'; readonly reason: string };

/** What the worker has noted; `question`: the id of the one that it was asked by. */
export type NotedTest = { readonly question: string; readonly letter: Exclude<TestLetter, { stage: 'asked' }> };

const encode = ({ question, letter }: NotedTest): string =>
  [question, letter.stage, 'id' in letter ? letter.id : '', 'reason' in letter ? letter.reason : '']
    .filter((word) => word !== '')
    .join(' ');

/** Null: nothing, or nothing that a worker notes. */
export async function readTestLetter(redis: Redis, inbox: string): Promise<NotedTest | null> {
  const { question = '', words: [stage, first = '', second = ''] = [] } = (await readNote(redis, 'tests', inbox)) ?? {};
  if (stage === 'arrived') return { question, letter: { stage } };
  if (stage === 'failed') return { question, letter: { stage, reason: first } };
  return stage === 'waiting' && /^[0-9a-f]{32}$/.test(first) ? { question, letter: { stage, id: first, reason: second } } : null;
}

export async function noteTestLetter(redis: Redis, inbox: string, noted: NotedTest): Promise<void> {
  await redis.hset(keys.tests, inbox, encode(noted));
}

/** What became of the letter that was asked for; one of before that still waits is the same. */
export async function outcomeOf(redis: Redis, { id }: Question, inbox: string): Promise<TestLetter> {
  const { question, letter = { stage: 'asked' as const } } = (await readTestLetter(redis, inbox)) ?? {};
  return question === id || letter.stage === 'waiting' ? letter : { stage: 'asked' };
}
