// An answer and what the team hears of it, from words to sealed parcels.
import { CodedError } from '../../crypto/errors.ts';
import type { Keyring, Team, VerifiedKeyring } from '../../crypto/keyring.ts';
import { letterRoom, sealLetter, type NoteContent } from '../../crypto/letter.ts';
import { signNote, type NoteText } from '../../crypto/note.ts';
import { newId } from '../../crypto/order-fields.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { replyRoom, sealReply } from '../../crypto/reply.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { teamOf } from '../../volunteer/keys/team.ts';
import { CliError } from '../errors.ts';
import type { Answerable } from './conversation.ts';

/** Who says what in which conversation, and under which keyring it is sealed. */
export type Draft = {
  readonly verified: VerifiedKeyring;
  readonly team: Team;
  readonly conversation: Answerable;
  readonly signer: SigningKeyPair;
  readonly said: Pick<NoteText, 'action' | 'alias' | 'to' | 'text'>;
};

/** The volunteer's team (volunteer/keys/team.ts). Errors: SIGNER_UNKNOWN. */
export function ownTeam(keyring: Keyring, signer: SigningKeyPair, identities: readonly string[], topic?: string): Team {
  const team = teamOf(keyring, signer, identities, topic);
  if (team !== null) return team;
  throw new CliError('SIGNER_UNKNOWN', `your signer is not on keyring ${String(keyring.serial)}: nobody would believe it`, 'give the newest keyring; if you are not on that, ask the administrator; nothing was sent');
}

/** `id`: of an answer that of the reply, so that the team knows which it is of those that others mention. */
function noteOf({ verified, conversation, signer, said }: Draft, id = newId()): NoteContent {
  const note = signNote({ ...said, ...conversation.order, id, thread: conversation.address.key }, signer);
  return { version: 1, kind: 'note', serial: verified.keyring.serial, keyring: verified.digest, language: conversation.language, note };
}

/** Bytes that still fit; negative when the text is too long. An answer also travels as a copy: the smaller room counts. */
export function roomIn(draft: Draft): number {
  const inNote = letterRoom(noteOf(draft));
  return draft.said.action === 'answer' ? Math.min(inNote, replyRoom(draft.said.text)) : inNote;
}

/** The parcels of a draft, not yet stamped: for an answer the reply and the note with its copy, otherwise a note. Errors: REPLY_TOO_LONG, LETTER_TOO_LONG. */
export function composeParcels(draft: Draft): Uint8Array[] {
  const { verified: { keyring }, team, conversation, signer, said } = draft;
  const room = roomIn(draft);
  const isAnswer = said.action === 'answer';
  if (room < 0) throw new CodedError(isAnswer ? 'REPLY_TOO_LONG' : 'LETTER_TOO_LONG', `the text is ${String(-room)} bytes too long`);
  const id = newId();
  const note = sealParcel({ kind: 'letter', team: team.id, letter: sealLetter(noteOf(draft, id), team.recipients) }, keyring);
  if (!isAnswer) return [note];
  return [sealParcel({ kind: 'reply', delivery: sealReply({ team: team.id, text: said.text, ...conversation.order, id }, conversation.address, signer) }, keyring), note];
}
