// People who keep asking, answering, reading and deleting while the programs are killed.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromHex, toHex } from '../../crypto/bytes.ts';
import { sealLetter } from '../../crypto/letter.ts';
import { signNote } from '../../crypto/note.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { replyId, sealReply } from '../../crypto/reply.ts';
import { sealRequest } from '../../crypto/seal.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import type { Thread } from '../../crypto/thread.ts';
import { DIFFICULTY, type Deployment } from '../support/deployment.ts';
import { newThread } from '../support/letters.ts';
import { handIn, waitingFor, type Answered, type Ledger } from './ledger.ts';

const REPLIES = 4;
/** The share of seen replies that is deleted. */
const DELETED_OF_TEN = 5;

/** One conversation after another, each with a request, replies, notes and removals, until `over`. */
export async function converse(deployment: Deployment, ledger: Ledger, name: string, over: AbortSignal): Promise<void> {
  const signer = await deployment.signingKey();
  const { keyring, digest } = deployment.keyring;
  const team = keyring.teams[0];
  if (team === undefined) throw new Error('no team');
  const stamped = (content: Parameters<typeof sealParcel>[0]): Uint8Array => stampParcel(sealParcel(content, keyring), DIFFICULTY);

  /** Hands in a parcel until it is accepted, as a page and the command line do. @returns false when time was up first */
  const untilAccepted = async (parcel: Uint8Array): Promise<boolean> => {
    while (!over.aborted) {
      if (await handIn(deployment, ledger, parcel)) return true;
      await sleep(randomInt(20, 150));
    }
    return false;
  };
  const note = (text: string, thread: Thread): Uint8Array => {
    const said = signNote({ action: 'claim', thread: thread.address.key, alias: 'Анна', text }, signer);
    return sealLetter({ version: 1, kind: 'note', serial: keyring.serial, keyring: digest, language: 'ru', note: said }, team.recipients);
  };

  for (let count = 0; !over.aborted; count += 1) {
    const thread = newThread();
    const text = `${name}, ${String(count)}`;
    if (
      await untilAccepted(
        stampParcel(sealRequest({ topic: 'legal', language: 'ru', message: text }, deployment.keyring, { thread }), DIFFICULTY),
      )
    )
      ledger.texts.add(text);
    for (let nth = 0; nth < REPLIES && !over.aborted; nth += 1) {
      await reply(ledger, thread, signer, { team: team.id, text: `${text}, ответ ${String(nth)}` }, (delivery) =>
        untilAccepted(stamped({ kind: 'reply', delivery })),
      );
      const noted = `${text}, заметка ${String(nth)}`;
      if (await untilAccepted(stamped({ kind: 'letter', team: team.id, letter: note(noted, thread) }))) ledger.texts.add(noted);
      await sleep(randomInt(0, 400));
      for (const seen of await deletable(deployment, ledger, thread)) {
        seen.removal = 'offered';
        if (await untilAccepted(stamped({ kind: 'delete', thread, replies: [fromHex(seen.id)] }))) seen.removal = 'accepted';
      }
    }
  }
}

async function reply(
  ledger: Ledger,
  thread: Thread,
  signer: SigningKeyPair,
  said: { team: string; text: string },
  send: (delivery: ReturnType<typeof sealReply>) => Promise<boolean>,
): Promise<void> {
  const delivery = sealReply(said, thread.address, signer);
  const answered: Answered = { thread, id: toHex(replyId(delivery.reply)), accepted: false, removal: 'none' };
  ledger.replies.push(answered);
  answered.accepted = await send(delivery);
}

/** Some of the replies that the mailbox shows now. */
async function deletable(deployment: Deployment, ledger: Ledger, thread: Thread): Promise<Answered[]> {
  const ids = await waitingFor(deployment, thread);
  return ledger.replies.filter(
    (each) => each.thread === thread && each.removal === 'none' && ids?.includes(each.id) === true && randomInt(10) < DELETED_OF_TEN,
  );
}
