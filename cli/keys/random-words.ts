// Passphrases made of the word lists of access codes (docs/words.md).
import { randomBytes, readUint32 } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';
import { UsageError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { readLanguages, readWordList, REFERENCE } from '../../runtime/locales.ts';

/** 62 bits: 1,296⁶. */
export const PASSPHRASE_WORDS = 6;
/** Numbers from here on, above the last whole multiple of the list's length, would make its first words likelier. */
const FAIR_BELOW = Math.floor(2 ** 32 / WORD_LIST_LENGTH) * WORD_LIST_LENGTH;

/** Six words of a language's list, or of the English one if it has none, with single spaces between. */
export async function randomWords(language: string): Promise<string> {
  await ready;
  const list = wordListFor(language);
  return Array.from({ length: PASSPHRASE_WORDS }, () => list[randomIndex()] ?? '').join(' ');
}

/** The language that is asked for, or the terminal's. Throws USAGE when it is asked for and has no list. */
export function listLanguage(asked: string | undefined, io: Pick<Io, 'language'>, command: string): string {
  if (asked === undefined) return io.language;
  const known = readLanguages().map(({ language }) => language);
  if (known.includes(asked)) return asked;
  throw new UsageError(`--language must be one of ${known.join(', ')}, not "${asked}"`, command);
}

/** The 1,296 words of a language, or of English where there is no such list. */
export function wordListFor(language: string): string[] {
  const list = readWordList(readLanguages().some((known) => known.language === language) ? language : REFERENCE);
  return list.trim().split('\n');
}

function randomIndex(): number {
  for (;;) {
    const drawn = readUint32(randomBytes(4), 0);
    if (drawn < FAIR_BELOW) return drawn % WORD_LIST_LENGTH;
  }
}
