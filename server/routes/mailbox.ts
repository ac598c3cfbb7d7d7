import type { RequestHandler } from 'express';
import { encodeMailboxAnswer, parseQuestion, type MailboxQuestion } from '../../crypto/mailbox.ts';
import { SIGNING_KEY_BYTES } from '../../crypto/sign.ts';
import { MAILBOX_KEY_BYTES, mailboxId, mailboxLock } from '../../crypto/thread.ts';
import { exchange, RETRY_AFTER_SECONDS, type ExchangeAnswer } from '../exchange.ts';
import type { MailboxReader } from '../mailboxes.ts';

/** POST /mailbox: the same exchange as POST /parcel, to the byte. Reading changes nothing. */
export function postMailbox(mailboxes: MailboxReader): RequestHandler {
  return exchange((bytes) => answer(questionIn(bytes), mailboxes));
}

async function answer({ mailboxKey, threadKey, page }: MailboxQuestion, mailboxes: MailboxReader): Promise<ExchangeAnswer> {
  try {
    const { total, places } = await mailboxes.read(mailboxId(threadKey, mailboxLock(mailboxKey)), page);
    // As an accepted parcel is answered: who sees the status line learns no more than that there was an exchange.
    return { result: 'accepted', body: encodeMailboxAnswer({ result: 'read', total, retryAfterSeconds: 0, places }) };
  } catch {
    const retryAfterSeconds = RETRY_AFTER_SECONDS.away ?? 0;
    return { result: 'away', body: encodeMailboxAnswer({ result: 'away', total: 0, retryAfterSeconds, places: [] }) };
  }
}

/** Another version is looked up as well, as a mailbox that nobody has: there is one answer to everything of this length. */
function questionIn(bytes: Uint8Array): MailboxQuestion {
  try {
    return parseQuestion(bytes);
  } catch {
    return { mailboxKey: new Uint8Array(MAILBOX_KEY_BYTES), threadKey: new Uint8Array(SIGNING_KEY_BYTES), page: 0 };
  }
}
