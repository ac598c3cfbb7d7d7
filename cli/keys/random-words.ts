// Passphrases made of the word lists of access codes (docs/words.md).
import { randomBytes, readUint32 } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';
import { readLanguages, readWordList, REFERENCE } from '../../runtime/locales.ts';

/** 62 bits: 1,296⁶. */
export const PASSPHRASE_WORDS = 6;
/** Numbers from here on, above the last whole multiple of the list's length, would make its first words likelier. */
const FAIR_BELOW = Math.floor(2 ** 32 / WORD_LIST_LENGTH) * WORD_LIST_LENGTH;

/** Six words of a language's list, or of the English one if it has none, with single spaces between. */
export async function randomWords(language: string): Promise<string> {
  await ready;
  const list = listOf(language).trim().split('\n');
  return Array.from({ length: PASSPHRASE_WORDS }, () => list[randomIndex()] ?? '').join(' ');
}

function listOf(language: string): string {
  return readWordList(readLanguages().some((known) => known.language === language) ? language : REFERENCE);
}

function randomIndex(): number {
  for (;;) {
    const drawn = readUint32(randomBytes(4), 0);
    if (drawn < FAIR_BELOW) return drawn % WORD_LIST_LENGTH;
  }
}
