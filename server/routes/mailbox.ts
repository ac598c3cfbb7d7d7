import type { RequestHandler } from 'express';
import { encodeMailboxAnswer, parseQuestion, type MailboxQuestion } from '../../crypto/mailbox.ts';
import { SIGNING_KEY_BYTES } from '../../crypto/sign.ts';
import { MAILBOX_KEY_BYTES, mailboxId, mailboxLock } from '../../crypto/thread.ts';
import { exchange, RETRY_AFTER_SECONDS, type ExchangeResponse } from '../exchange.ts';
import type { MailboxReader } from '../mailboxes.ts';

/** POST /mailbox: the same exchange as POST /parcel, to the byte. Reading changes nothing. */
export function postMailbox(mailboxes: MailboxReader): RequestHandler {
  return exchange((bytes) => readPage(questionOrBlank(bytes), mailboxes));
}

async function readPage({ mailboxKey, threadKey, page }: MailboxQuestion, mailboxes: MailboxReader): Promise<ExchangeResponse> {
  try {
    const { total, places } = await mailboxes.read(mailboxId(threadKey, mailboxLock(mailboxKey)), page);
    // The same status as for an accepted parcel: it reveals only that there was an exchange.
    return { result: 'accepted', body: encodeMailboxAnswer({ result: 'read', total, retryAfterSeconds: 0, places }) };
  } catch {
    const retryAfterSeconds = RETRY_AFTER_SECONDS.away ?? 0;
    return { result: 'away', body: encodeMailboxAnswer({ result: 'away', total: 0, retryAfterSeconds, places: [] }) };
  }
}

/** A question of another version is treated as one for a mailbox that nobody has: everything of this length looks the same. */
function questionOrBlank(bytes: Uint8Array): MailboxQuestion {
  try {
    return parseQuestion(bytes);
  } catch {
    return { mailboxKey: new Uint8Array(MAILBOX_KEY_BYTES), threadKey: new Uint8Array(SIGNING_KEY_BYTES), page: 0 };
  }
}
