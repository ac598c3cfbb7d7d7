// Composes an answer, and the note that tells the team of it: from text to sealed parcels. Shared by the command line and the desk.
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

/** Where an answer goes. `language`: that of the conversation; `order`: the place of what is written next in it. */
export type AnswerPlace = { readonly address: ThreadAddress; readonly language: string; readonly order: Order };

/** What a volunteer says: an answer to the requester, or a claim or a handover (`to`: an alias) to the team. */
export type Said = Pick<NoteText, 'action' | 'alias' | 'to' | 'text'>;

/** Parcels, not yet stamped. `reply`: null for a claim or a handover, which say nothing to the requester. */
export type Composed = { readonly note: NoteContent; readonly noteParcel: Uint8Array; readonly reply: Uint8Array | null };

/**
 * Bytes that still fit; negative when the text is too long. The note carries a copy of an answer, so the smaller of the two rooms counts.
 */
export function roomIn(said: Said, place: AnswerPlace, means: Means): number {
  const inNote = letterRoom(noteOf(said, place, means));
  return said.action === 'answer' ? Math.min(inNote, replyRoom(said.text)) : inNote;
}

/**
 * Yields after each encapsulation of the note. Throws REPLY_FORMAT or LETTER_FORMAT when a field is wrong, REPLY_TOO_LONG or
 * LETTER_TOO_LONG when the text is too long.
 */
export function* composeSteps(said: Said, place: AnswerPlace, means: Means): Steps<Composed> {
  const { team, signer } = means;
  const { keyring } = means.verified;
  const id = newId();
  const note = noteOf(said, place, means, id);
  const answer = { team: team.id, text: said.text, ...place.order, id };
  const delivery = said.action === 'answer' ? sealReply(answer, place.address, signer) : null;
  const reply = delivery === null ? null : sealParcel({ kind: 'reply', delivery }, keyring);
  const letter = yield* sealLetterSteps(note, team.recipients);
  return { note, noteParcel: sealParcel({ kind: 'letter', team: team.id, letter }, keyring), reply };
}

/** `id`: for an answer, the id of its reply, so that the team knows which answer others refer to. */
function noteOf(said: Said, { address, language, order }: AnswerPlace, { verified, signer }: Means, id = newId()): NoteContent {
  const note = signNote({ ...said, ...order, id, thread: address.key }, signer);
  return { version: 1, kind: 'note', serial: verified.keyring.serial, keyring: verified.digest, language, note };
}
