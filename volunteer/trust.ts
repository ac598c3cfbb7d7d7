// Decides by which keyring a letter is believed. Shared by the command line and the desk.
import { keyringThatCounts, signersOf, type Keyring, type VerifiedKeyring } from '../crypto/keyring.ts';
import type { LetterContent, LetterKind, LetterOf } from '../crypto/letter.ts';
import { checkNote } from '../crypto/note.ts';
import type { ShownContent } from './conversations/conversations.ts';

/** The keyring that a letter says it was sealed under; null when it is none of these, and then nobody should answer the letter. */
export function keyringOf({ serial, keyring: digest }: LetterContent, keyrings: readonly VerifiedKeyring[]): Keyring | null {
  return keyrings.find((known) => known.digest === digest && known.keyring.serial === serial)?.keyring ?? null;
}

type Judge<K extends LetterKind> = (content: LetterOf<K>, keyrings: readonly VerifiedKeyring[], now: Date) => ShownContent | null;

/**
 * A note must be by a signer of the keyring that counts now, as the worker has it, not of the keyring that the note names: whoever stole a
 * signer that has been revoked since can still seal under an old keyring. Without any keyring only the signature is checked.
 */
const JUDGES: { readonly [K in LetterKind]: Judge<K> } = {
  request: (content) => content,
  'follow-up': (content) => content,
  note: (content, keyrings, now) => {
    const counting = keyringThatCounts(keyrings, now);
    checkNote(content.note, counting === null ? new Set([content.note.signer]) : signersOf(counting.keyring));
    return content;
  },
  cover: () => null,
};

/**
 * What is shown of an opened letter; null for a cover letter. Throws SIGNER_UNKNOWN when a note's signer is not in the keyring that
 * counts, SIGNER_SIGNATURE when the signature is not by the signer that the note names.
 */
export function shownOf<K extends LetterKind>(content: LetterOf<K>, keyrings: readonly VerifiedKeyring[], now: Date): ShownContent | null {
  return JUDGES[content.kind](content, keyrings, now);
}
