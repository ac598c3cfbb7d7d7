// What was handed in, and what became of it. Only the relay's "accepted" is a promise.
import { toHex } from '../../crypto/bytes.ts';
import { encodeQuestion, parseMailboxAnswer, REPLIES_A_PAGE } from '../../crypto/mailbox.ts';
import { replyId } from '../../crypto/reply.ts';
import type { Thread } from '../../crypto/thread.ts';
import type { Deployment } from '../support/deployment.ts';
import { http } from '../support/http.ts';

/** Shorter than a browser's timeout: nothing here takes longer than 3 s. */
const ANSWER_WITHIN_MS = 5_000;
const OCTETS = { 'content-type': 'application/octet-stream' };

/** A reply by its id (hex). `removal`: whether its removal was offered, and accepted. */
export type Answered = { readonly thread: Thread; readonly id: string; accepted: boolean; removal: 'none' | 'offered' | 'accepted' };

export class Ledger {
  /** Texts of requests and notes that were accepted: each must be in the inbox. */
  readonly texts = new Set<string>();
  readonly replies: Answered[] = [];
  offered = 0;
  /** How often a parcel was refused for now, or got no answer. */
  failed = 0;

  get removals(): number {
    return this.replies.filter(({ removal }) => removal === 'accepted').length;
  }
}

/** The ids (hex) of all replies that wait in a mailbox; null when a page could not be read. */
export async function waitingFor({ url }: Deployment, { mailboxKey, signing }: Thread): Promise<string[] | null> {
  const ids: string[] = [];
  for (let page = 0, pages = 1; page < pages; page += 1) {
    const body = encodeQuestion({ mailboxKey, threadKey: signing.key, page });
    const answer = await http(new URL('mailbox', url).href, { method: 'POST', headers: OCTETS, body, timeoutMs: ANSWER_WITHIN_MS }).then(
      (received) => parseMailboxAnswer(received.body, page),
      () => null,
    );
    if (answer?.result !== 'read') return null;
    pages = Math.ceil(answer.total / REPLIES_A_PAGE);
    ids.push(...answer.replies.map((reply) => toHex(replyId(reply))));
  }
  return ids;
}

/** Hands in a parcel once. @returns whether it was accepted */
export async function handIn(deployment: Deployment, ledger: Ledger, parcel: Uint8Array): Promise<boolean> {
  ledger.offered += 1;
  const accepted = await deployment.post(parcel, { timeoutMs: ANSWER_WITHIN_MS }).then(
    ({ status }) => status === 202,
    () => false,
  );
  if (!accepted) ledger.failed += 1;
  return accepted;
}
