import type { RequestHandler, Response } from 'express';
import { encodeMailboxAnswer, parseQuestion, QUESTION_BYTES, type MailboxQuestion } from '../../crypto/mailbox.ts';
import { mailboxId, mailboxLock } from '../../crypto/thread.ts';
import { readExactly } from '../body.ts';
import type { Mailboxes } from '../mailboxes.ts';
import { refuse } from '../refusals.ts';
import { headersUnfit, RETRY_AFTER_SECONDS, sendExchange, STATUS } from './parcel.ts';

/** POST /mailbox: the same exchange as POST /parcel, to the byte. Reading changes nothing. */
export function postMailbox(mailboxes: Mailboxes): RequestHandler {
  return async (request, response) => {
    const unfit = headersUnfit(request.headers);
    if (unfit !== null) {
      refuse(request, response, unfit);
      return;
    }
    const body = await readExactly(request, QUESTION_BYTES);
    switch (body.kind) {
      case 'gone':
        return;
      case 'short':
        refuse(request, response, 'PARCEL_SHORT');
        return;
      case 'long':
        refuse(request, response, 'PARCEL_LONG');
        return;
      case 'exact':
        await answer(response, body.bytes, mailboxes);
    }
  };
}

async function answer(response: Response, bytes: Uint8Array, mailboxes: Mailboxes): Promise<void> {
  const { mailboxKey, threadKey, page } = questionIn(bytes);
  try {
    const { total, places } = await mailboxes.read(mailboxId(threadKey, mailboxLock(mailboxKey)), page);
    // As an accepted parcel is answered: who sees the status line learns no more than that there was an exchange.
    sendExchange(response, STATUS.accepted, 0, encodeMailboxAnswer({ result: 'read', total, retryAfterSeconds: 0, places }));
  } catch {
    const retryAfterSeconds = RETRY_AFTER_SECONDS.away ?? 0;
    sendExchange(response, STATUS.away, retryAfterSeconds, encodeMailboxAnswer({ result: 'away', total: 0, retryAfterSeconds, places: [] }));
  }
}

/** Another version is looked up as well, as a mailbox that nobody has: there is one answer to everything of this length. */
function questionIn(bytes: Uint8Array): MailboxQuestion {
  try {
    return parseQuestion(bytes);
  } catch {
    return { mailboxKey: new Uint8Array(32), threadKey: new Uint8Array(32), page: 0 };
  }
}
