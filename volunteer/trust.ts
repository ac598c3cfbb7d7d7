// By which keyring a letter is believed. The same on a command line and in a browser.
import { keyringThatCounts, signersOf, type Keyring, type VerifiedKeyring } from '../crypto/keyring.ts';
import type { LetterContent } from '../crypto/letter.ts';
import { checkNote } from '../crypto/note.ts';

/** That a letter says it was sealed under; null: none of these, and nobody should answer it. */
export function keyringOf({ serial, keyring: digest }: LetterContent, keyrings: readonly VerifiedKeyring[]): Keyring | null {
  return keyrings.find((known) => known.digest === digest && known.keyring.serial === serial)?.keyring ?? null;
}

/**
 * Throws unless a note is signed by a signer of the keyring that counts now, as the worker judges it, and not by the note's own:
 * whoever took a signer that is revoked by now can still seal under an old one. Without any keyring only its signature is checked.
 * Other letters pass. Throws SIGNER_UNKNOWN, SIGNER_SIGNATURE.
 */
export function insistOnSigner(content: LetterContent, keyrings: readonly VerifiedKeyring[], now: Date): void {
  if (content.kind !== 'note') return;
  const counting = keyringThatCounts(keyrings, now);
  checkNote(content.note, counting === null ? new Set([content.note.signer]) : signersOf(counting.keyring));
}
