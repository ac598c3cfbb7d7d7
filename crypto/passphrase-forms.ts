// Unicode writes many letters in two ways, and systems differ in which one a keyboard gives: й is one code point or two.

/** How a new passphrase is taken, whatever typed it. */
export function passphraseFrom(typed: string): string {
  return typed.normalize('NFC');
}

/**
 * Opens with a passphrase as new ones are taken (NFC), as it was typed, and as some systems compose it (NFD): each form once, since
 * each costs its full work. Throws what `open` threw for the first form when `isWrong` holds for all; anything else at once.
 */
export async function openWithForms<T>(
  typed: string,
  open: (passphrase: string) => Promise<T>,
  isWrong: (error: unknown) => boolean,
): Promise<T> {
  let failure: { error: unknown } | null = null;
  for (const form of new Set([passphraseFrom(typed), typed, typed.normalize('NFD')])) {
    try {
      return await open(form);
    } catch (error) {
      if (!isWrong(error)) throw error;
      failure ??= { error };
    }
  }
  throw failure?.error;
}
