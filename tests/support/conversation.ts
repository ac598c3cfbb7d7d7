// A conversation from the requester's side, without a page.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CODE_WORDS, codeRoot, makeCode, wordsOf } from '../../crypto/code.ts';
import { encodeQuestion, parseMailboxAnswer } from '../../crypto/mailbox.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';
import { ROOT } from '../../runtime/root.ts';
import type { Deployment } from './deployment.ts';
import { http } from './http.ts';

export type Conversation = { readonly words: readonly string[]; readonly thread: Thread };

export async function wordList(language: string): Promise<string[]> {
  return (await readFile(join(ROOT, `locales/${language}/words.txt`), 'utf8')).trim().split('\n');
}

export async function startConversation(language: string): Promise<Conversation> {
  const code = makeCode();
  const words = wordsOf(code, await wordList(language));
  if (words.length !== CODE_WORDS) throw new Error(`a code of ${String(words.length)} words`);
  return { words, thread: threadOf(codeRoot(language, code)) };
}

type Waiting = { total: number; replies: readonly Uint8Array[] };

/** Reads a mailbox: the number of replies, and the first page of them. */
export async function readMailbox({ url }: Pick<Deployment, 'url'>, { mailboxKey, signing }: Thread): Promise<Waiting> {
  const body = encodeQuestion({ mailboxKey, threadKey: signing.key, page: 0 });
  const answer = await http(new URL('mailbox', url).href, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body,
  });
  const read = parseMailboxAnswer(answer.body, 0);
  if (read.result !== 'read') throw new Error('the mailboxes are away');
  return read;
}

/** How many replies wait in a mailbox. */
export async function repliesWaiting(deployment: Deployment, thread: Thread): Promise<number> {
  return (await readMailbox(deployment, thread)).total;
}
