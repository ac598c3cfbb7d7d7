// Makes the parcels of an answer: the reply for the requester, and a note that tells the team.
import { shuffled } from '../../crypto/bytes.ts';
import type { Team, VerifiedKeyring } from '../../crypto/keyring.ts';
import { sealLetterSteps, type NoteContent } from '../../crypto/letter.ts';
import { signNote, type Note } from '../../crypto/note.ts';
import type { Order } from '../../crypto/order.ts';
import { newId } from '../../crypto/order-fields.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { sealReply } from '../../crypto/reply.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import type { Steps } from '../../crypto/steps.ts';
import type { ThreadAddress } from '../../crypto/thread.ts';

export type Answer = {
  action: Note['action'];
  /** To the requester, or with a claim or handover to the team. */
  text: string;
  /** The alias that it is handed to. */
  to: string;
  alias: string;
  language: string;
  /** By what of the conversation is on the desk. */
  order: Order;
};

export type Means = { signer: SigningKeyPair; verified: VerifiedKeyring; team: Team };
export type Made = { note: NoteContent; parcels: readonly Uint8Array[] };

/**
 * Parcels in random order, not yet stamped: which is the reply and which the note does not show.
 * Errors: REPLY_FORMAT, REPLY_TOO_LONG, LETTER_FORMAT, LETTER_TOO_LONG.
 */
export function* answerSteps({ action, text, to, alias, language, order }: Answer, address: ThreadAddress, { signer, verified, team }: Means): Steps<Made> {
  const { keyring, digest } = verified;
  // Of an answer both have one id, so that the team knows which it is of those that others mention.
  const place = { ...order, id: newId() };
  const said = signNote({ action, thread: address.key, alias, text, ...place, ...(action === 'handover' ? { to } : {}) }, signer);
  const note: NoteContent = { version: 1, kind: 'note', serial: keyring.serial, keyring: digest, language, note: said };
  const reply = action === 'answer' ? [sealParcel({ kind: 'reply', delivery: sealReply({ team: team.id, text, ...place }, address, signer) }, keyring)] : [];
  const letter = yield* sealLetterSteps(note, team.recipients);
  return { note, parcels: shuffled([...reply, sealParcel({ kind: 'letter', team: team.id, letter }, keyring)]) };
}
