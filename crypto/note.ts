// Notes: what volunteers of a team tell each other about a conversation, in letters. docs/protocol.md, § Note.
import * as z from 'zod/mini';
import { fromHex, toHex, wellFormed } from './bytes.ts';
import { CodedError } from './errors.ts';
import { orderParts, type OptionalOrder } from './order.ts';
import { ID_BYTES, newId, orderNumber, shortIds } from './order-fields.ts';
import { freeText, hex } from './schema.ts';
import { SIGNATURE_BYTES, SIGNING_KEY_BYTES, signatureHolds, signParts, type SigningKeyPair } from './sign.ts';

/** Characters (Unicode code points). */
export const ALIAS_LENGTH_MAX = 40;

const alias = freeText.check(z.minLength(1), z.maxLength(ALIAS_LENGTH_MAX));

/** What a note is about. An `answer` carries a copy of the reply's text; a `claim` or a `handover` may have a few words. */
export const NOTE_ACTIONS = ['answer', 'claim', 'handover'] as const;
export type NoteAction = (typeof NOTE_ACTIONS)[number];

export const noteContent = z
  .object({
    action: z.enum(NOTE_ACTIONS),
    /** The conversation: its thread's key. */
    thread: hex(SIGNING_KEY_BYTES),
    /** The name by which the team knows the volunteer. */
    alias,
    /** The alias that the conversation is handed to. */
    to: z.optional(alias),
    text: freeText,
    /** The id of the reply that it carries a copy of, or its own. */
    id: hex(ID_BYTES),
    /** Its place in the conversation. Both, or neither in notes written before there was an order. */
    number: z.optional(orderNumber),
    earlier: z.optional(shortIds),
    signer: hex(SIGNING_KEY_BYTES),
    signature: hex(SIGNATURE_BYTES),
  })
  .check(z.refine(({ number, earlier }) => (number === undefined) === (earlier === undefined)));
export type Note = z.infer<typeof noteContent>;
/** By default the first in order, with a new `id` (32 hex digits). */
export type NoteText = Pick<Note, 'action' | 'thread' | 'alias' | 'to' | 'text'> & OptionalOrder & { readonly id?: string };

const signedParts = ({ action, thread, alias: from, to = '', text, id, number, earlier }: Omit<Note, 'signer' | 'signature'>): string[] => [
  action,
  thread,
  from,
  to,
  text,
  id,
  ...orderParts(number, earlier),
];

/** Makes a note, signed by its writer. docs/protocol.md, § Note. */
export function signNote(
  { action, thread, alias: from, to, text, number = 1, earlier = [], id = newId() }: NoteText,
  signer: SigningKeyPair,
): Note {
  const said = { action, thread, alias: wellFormed(from), ...(to === undefined ? {} : { to: wellFormed(to) }), text: wellFormed(text) };
  const note = { ...said, id, number, earlier: [...earlier] };
  return { ...note, signer: toHex(signer.key), signature: toHex(signParts('note', signedParts(note), signer)) };
}

/**
 * Throws SIGNER_UNKNOWN when the note's signer is not in `signers` (64 hex digits each), SIGNER_SIGNATURE when the note is not
 * what that signer signed.
 */
export function checkNote(note: Note, signers: ReadonlySet<string>): void {
  if (!signers.has(note.signer)) throw new CodedError('SIGNER_UNKNOWN', "the note's signer is not in the keyring");
  if (!signatureHolds('note', signedParts(note), fromHex(note.signature), fromHex(note.signer))) {
    throw new CodedError('SIGNER_SIGNATURE', 'the note is not signed by the signer it names');
  }
}
