// What the operator asks the worker to do for some inboxes: one question of each kind at a time, in one string, so that whoever has the
// operator's user can fill no memory by it. The worker notes in a hash what became of it, which the operator only reads.
import type { Redis } from 'ioredis';
import * as z from 'zod';
import { randomBytes, toHex } from '../crypto/bytes.ts';
import { hexPattern } from '../crypto/schema.ts';
import { keys, type Asked } from './keys.ts';

const ID_BYTES = 8;
const INBOXES_MAX = 1_000;
const TEXT_LENGTH_MAX = 64 * 1024;

const questionSchema = z.strictObject({
  id: z.string().regex(hexPattern(ID_BYTES)),
  inboxes: z.array(z.string().max(64)).max(INBOXES_MAX),
});
export type Question = z.output<typeof questionSchema>;

/** Null: nothing there, or nothing that is a question. */
export async function readQuestion(redis: Redis, kind: Asked): Promise<Question | null> {
  const text = await redis.get(keys.asked(kind));
  if (text === null || text.length > TEXT_LENGTH_MAX) return null;
  try {
    return questionSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** What is noted for an inbox: under which question, and what became of it, in words of ours. */
export async function readNote(redis: Redis, kind: Asked, inbox: string): Promise<{ question: string; words: string[] } | null> {
  const [question, ...words] = (await redis.hget(keys[kind], inbox))?.split(' ') ?? [];
  return question === undefined ? null : { question, words };
}

/** Asks for these inboxes, and again for those that no worker has got to yet. Goes on with the former question where that is the same. */
export async function ask(redis: Redis, kind: Asked, inboxes: readonly string[]): Promise<Question> {
  const former = await readQuestion(redis, kind);
  const open: string[] = [];
  for (const inbox of former?.inboxes ?? []) if ((await readNote(redis, kind, inbox))?.question !== former?.id) open.push(inbox);
  if (former !== null && inboxes.every((inbox) => open.includes(inbox))) return former;
  const question = { id: toHex(randomBytes(ID_BYTES)), inboxes: [...new Set([...inboxes, ...open])].slice(0, INBOXES_MAX) };
  await redis.set(keys.asked(kind), JSON.stringify(question));
  return question;
}
