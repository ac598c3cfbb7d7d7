// The words of access codes, as people type them. docs/words.md.

export const WORD_LIST_LENGTH = 1_296;
/** So many letters tell every word of a list from every other. */
export const DISTINCT_LETTERS = 4;

/** As people may write it: Unicode forms, case, accents, soft hyphens and ё do not matter. */
export function normalizeWord(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/[\p{M}\u00ad]/gu, '').replaceAll('ё', 'е');
}

/** The word that is meant by its first four letters or more of it; -1 when there is none. */
export function placeOf(typed: string, list: readonly string[]): number {
  const word = normalizeWord(typed);
  return word.length < DISTINCT_LETTERS ? -1 : list.findIndex((candidate) => candidate.startsWith(word));
}
