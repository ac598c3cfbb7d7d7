// An answer, and what the team hears of it: from words to sealed parcels. The same on a command line and in a browser.
import type { Team, VerifiedKeyring } from '../crypto/keyring.ts';
import { letterRoom, sealLetterSteps, type NoteContent } from '../crypto/letter.ts';
import { signNote, type NoteText } from '../crypto/note.ts';
import { newId } from '../crypto/order-fields.ts';
import type { Order } from '../crypto/order.ts';
import { sealParcel } from '../crypto/parcel.ts';
import { replyRoom, sealReply } from '../crypto/reply.ts';
import type { SigningKeyPair } from '../crypto/sign.ts';
import type { Steps } from '../crypto/steps.ts';
import type { ThreadAddress } from '../crypto/thread.ts';

/** What a volunteer seals with. */
export type Means = { readonly verified: VerifiedKeyring; readonly team: Team; readonly signer: SigningKeyPair };

/** To whom it goes; `language`: that of the conversation; `order`: of what is written next in it. */
export type AnswerPlace = { readonly address: ThreadAddress; readonly language: string; readonly order: Order };

/** Who says what: to the requester, or with a claim or a handover (`to` an alias) to the team. */
export type Said = Pick<NoteText, 'action' | 'alias' | 'to' | 'text'>;

/** Parcels, not yet stamped. `reply`: null where nothing is said to the requester. */
export type Composed = { readonly note: NoteContent; readonly noteParcel: Uint8Array; readonly reply: Uint8Array | null };

/** Bytes that still fit; negative when the text is too long. An answer also travels as a copy in its note: the smaller room counts. */
export function roomIn(said: Said, place: AnswerPlace, means: Means): number {
  const inNote = letterRoom(noteOf(said, place, means));
  return said.action === 'answer' ? Math.min(inNote, replyRoom(said.text)) : inNote;
}

/**
 * Yields a step for each encapsulation of the note. Throws REPLY_FORMAT or LETTER_FORMAT
 * when a field is wrong, REPLY_TOO_LONG or LETTER_TOO_LONG when the text is too long.
 */
export function* composeSteps(said: Said, place: AnswerPlace, means: Means): Steps<Composed> {
  const {
    verified: { keyring },
    team,
    signer,
  } = means;
  const id = newId();
  const note = noteOf(said, place, means, id);
  const delivery =
    said.action === 'answer' ? sealReply({ team: team.id, text: said.text, ...place.order, id }, place.address, signer) : null;
  const reply = delivery === null ? null : sealParcel({ kind: 'reply', delivery }, keyring);
  const letter = yield* sealLetterSteps(note, team.recipients);
  return { note, noteParcel: sealParcel({ kind: 'letter', team: team.id, letter }, keyring), reply };
}

/** `id`: of an answer that of the reply, so that the team knows which it is of those that others mention. */
function noteOf(said: Said, { address, language, order }: AnswerPlace, { verified, signer }: Means, id = newId()): NoteContent {
  const note = signNote({ ...said, ...order, id, thread: address.key }, signer);
  return { version: 1, kind: 'note', serial: verified.keyring.serial, keyring: verified.digest, language, note };
}
