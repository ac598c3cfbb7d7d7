// Unicode can write many letters in two ways, and systems differ in which one a keyboard gives: й is one code point or two.

/** The form that new passphrases take, however they were typed. */
export function passphraseFrom(typed: string): string {
  return typed.normalize('NFC');
}

/**
 * Tries a passphrase in the form of new ones (NFC), as it was typed, and as some systems compose it (NFD): each distinct form
 * once, since each costs its full work. Throws the error of the first form when `isWrong` holds for all, any other error at once.
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
