// What a search for letters finds.
import { CodedError } from '../../crypto/errors.ts';
import { LETTER_BYTES, checkLetter } from '../../crypto/letter.ts';
import type { Unread } from './unread.ts';

/** Whether it stood in a text or was a file of its own. A mail of the relay has the same letter in both forms. */
export type Form = 'text' | 'file';
export type Via = Form | 'both';

/**
 * Something with the structure of a letter; opening it tells whether it is one. `isGuess`: something around it was read as part of it, or
 * something was left out.
 */
export type FoundLetter = { readonly kind: 'letter'; readonly bytes: Uint8Array; readonly via: Via; readonly isGuess?: boolean };
/** Something that claims to be a letter. `bytes`: what could be read of it, by which a copy is recognized. */
export type FoundDamaged = { readonly kind: 'damaged'; readonly bytes: Uint8Array; readonly via: Form; readonly error: CodedError };
export type FoundUnread = { readonly kind: 'unread'; readonly error: Unread };
export type Found = FoundLetter | FoundDamaged | FoundUnread;

export const damaged = (bytes: Uint8Array, via: Form, error: CodedError): FoundDamaged => ({ kind: 'damaged', bytes, via, error });

/** The letter at the beginning of `bytes`, or null. */
export function letterAt(bytes: Uint8Array): Uint8Array | null {
  const letter = bytes.subarray(0, LETTER_BYTES);
  return structureOf(letter) === null ? letter : null;
}

/** Why this does not have the structure of a letter; null when it has. */
export function structureOf(bytes: Uint8Array): CodedError | null {
  try {
    checkLetter(bytes);
    return null;
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
}
