// By which keyring a letter is believed. The same on a command line and in a browser.
import { keyringThatCounts, signersOf, type Keyring, type VerifiedKeyring } from '../crypto/keyring.ts';
import type { LetterContent, LetterKind, LetterOf } from '../crypto/letter.ts';
import { checkNote } from '../crypto/note.ts';
import type { ShownContent } from './conversations/conversations.ts';

/** That a letter says it was sealed under; null: none of these, and nobody should answer it. */
export function keyringOf({ serial, keyring: digest }: LetterContent, keyrings: readonly VerifiedKeyring[]): Keyring | null {
  return keyrings.find((known) => known.digest === digest && known.keyring.serial === serial)?.keyring ?? null;
}

type Judge<K extends LetterKind> = (content: LetterOf<K>, keyrings: readonly VerifiedKeyring[], now: Date) => ShownContent | null;

/**
 * A note is by a signer of the keyring that counts now, as the worker judges it, and not by the note's own: whoever took a signer that is
 * revoked by now can still seal under an old one. Without any keyring only its signature is checked.
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
 * What is shown of an opened letter; null: nothing, it is a cover letter. Throws SIGNER_UNKNOWN when a note is by nobody of the keyring
 * that counts, SIGNER_SIGNATURE when its signer did not write it.
 */
export function shownOf<K extends LetterKind>(content: LetterOf<K>, keyrings: readonly VerifiedKeyring[], now: Date): ShownContent | null {
  return JUDGES[content.kind](content, keyrings, now);
}
