// Passphrases made of the word lists of access codes (docs/words.md).
import { randomBytes, readUint32 } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';
import { readLanguages, readWordList, REFERENCE } from '../../runtime/locales.ts';

/** 62 bits: 1,296⁶. */
export const PASSPHRASE_WORDS = 6;
/** What lies above the last whole multiple of the list would make its first words likelier. */
const FAIR_BELOW = Math.floor(2 ** 32 / WORD_LIST_LENGTH) * WORD_LIST_LENGTH;

/** Six words of the list of a language, with single spaces between; of the English one where there is none. */
export async function randomWords(language: string): Promise<string> {
  await ready;
  const list = listOf(language).trim().split('\n');
  return Array.from({ length: PASSPHRASE_WORDS }, () => list[randomPlace()] ?? '').join(' ');
}

function listOf(language: string): string {
  return readWordList(readLanguages().some((known) => known.language === language) ? language : REFERENCE);
}

function randomPlace(): number {
  for (;;) {
    const drawn = readUint32(randomBytes(4), 0);
    if (drawn < FAIR_BELOW) return drawn % WORD_LIST_LENGTH;
  }
}
