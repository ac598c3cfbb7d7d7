// The words of access codes, as people write them down and type them. docs/words.md; docs/protocol.md, § As typed.

export const WORD_LIST_LENGTH = 1_296;
/** So many letters tell every word of a list from every other. */
export const DISTINCT_LETTERS = 4;

/** A word that was typed: how it is compared, and where it stands in the text (UTF-16 units, the end exclusive). */
export type TypedWord = { readonly word: string; readonly start: number; readonly end: number };

/** What may stand in a word as it is typed, but for what nobody sees. */
const RUN = /[\p{L}\p{M}]+/gu;
const MARKS = /\p{M}/gu;
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;

/** Letters that look like one another, small ones or capitals: whoever reads a word from paper, or types it, may take either. */
const LATIN = 'abcehikmoptxyjs';
const CYRILLIC = 'авсенікмортхујѕ';
const LOOK_ALIKE: ReadonlyMap<string, string> = new Map(
  [...LATIN].flatMap((latin, i) => [
    [latin, CYRILLIC[i] ?? ''],
    [CYRILLIC[i] ?? '', latin],
  ]),
);

/** A word that was broken at the end of a line goes on after it. */
const BROKEN = /^\p{Pd}\p{White_Space}+$/u;
/** "1-е", "2nd", "№1" and "n1": so few letters beside a number count the words. */
const ORDINAL_LETTERS_MAX = 3;
const AFTER_NUMBER = /\p{N}\p{Pd}?$/u;
const BEFORE_NUMBER = /^\p{N}/u;
/** Somebody who writes "word" or "слово" before each word does it more than twice; nobody mistypes a word so often. */
const LABEL_TIMES_MIN = 3;

const alphabets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The letters of a list: a few thousand are looked at once. */
function alphabetOf(list: readonly string[]): ReadonlySet<string> {
  const alphabet = alphabets.get(list) ?? new Set(list.flatMap((word) => [...word]));
  alphabets.set(list, alphabet);
  return alphabet;
}

/** A letter that no word of the list has, brought to one that some have: without its accents, or by its looks. */
function letterMeant(letter: string, alphabet: ReadonlySet<string>): string {
  if (alphabet.has(letter)) return letter;
  const bare = letter.normalize('NFD').replaceAll(MARKS, '');
  const twin = LOOK_ALIKE.get(bare) ?? '';
  return !alphabet.has(bare) && alphabet.has(twin) ? twin : bare;
}

/** The form in which words are compared: case, accents, unseen characters, and look-alikes of the list's letters do not matter. */
export function normalizeWord(text: string, list: readonly string[]): string {
  const alphabet = alphabetOf(list);
  const plain = text.replaceAll(UNSEEN, '').normalize('NFKC').toLowerCase();
  return [...plain].map((letter) => letterMeant(letter, alphabet)).join('');
}

/** The place of a word in that form, of which the first four letters or more are given; -1 when there is none. */
export const placeOfNormal = (word: string, list: readonly string[]): number =>
  word.length < DISTINCT_LETTERS ? -1 : list.findIndex((candidate) => candidate.startsWith(word));

/** The text without what nobody sees, and where each of its units stands in the whole. */
function seenOf(text: string): { seen: string; at: readonly number[] } {
  const at = Array.from({ length: text.length }, (_, index) => index);
  const unseen = new Set([...text.matchAll(UNSEEN)].flatMap(({ 0: found, index }) => at.slice(index, index + found.length)));
  return { seen: text.replaceAll(UNSEEN, ''), at: at.filter((index) => !unseen.has(index)) };
}

/** Joins what a hyphen at the end of a line has parted, where that makes a word of the list. */
function joinBroken(runs: readonly TypedWord[], text: string, list: readonly string[]): TypedWord[] {
  const joined: TypedWord[] = [];
  for (const run of runs) {
    const before = joined.at(-1);
    const whole = before === undefined ? '' : before.word + run.word;
    if (before !== undefined && BROKEN.test(text.slice(before.end, run.start)) && placeOfNormal(whole, list) !== -1) {
      joined[joined.length - 1] = { word: whole, start: before.start, end: run.end };
    } else joined.push(run);
  }
  return joined;
}

/** True of letters that count the words, as in "2-е", or in "б)": one letter alone is never a word. */
function isNumbering({ word, start, end }: TypedWord, text: string): boolean {
  const isBesideNumber = AFTER_NUMBER.test(text.slice(Math.max(0, start - 4), start)) || BEFORE_NUMBER.test(text.slice(end, end + 2));
  const letters = [...word].length;
  return letters === 1 || (isBesideNumber && letters <= ORDINAL_LETTERS_MAX);
}

/** The words of a text, without what numbers them. `list`: the words that are meant, in the form in which words are compared. */
export function typedWords(text: string, list: readonly string[]): TypedWord[] {
  const { seen, at } = seenOf(text);
  const runs = [...seen.matchAll(RUN)]
    .map((found) => ({ word: normalizeWord(found[0], list), start: found.index, end: found.index + found[0].length }))
    .filter(({ word }) => word !== '');
  const words = joinBroken(runs, seen, list).filter((run) => !isNumbering(run, seen));
  const times = new Map<string, number>();
  for (const { word } of words) times.set(word, (times.get(word) ?? 0) + 1);
  return words
    .filter(({ word }) => (times.get(word) ?? 0) < LABEL_TIMES_MIN || placeOfNormal(word, list) !== -1)
    .map(({ word, start, end }) => ({ word, start: at[start] ?? 0, end: (at[end - 1] ?? 0) + 1 }));
}

/** The same for a word as it was typed, also with a number; -1 when it is not one word alone. */
export function placeOf(typed: string, list: readonly string[]): number {
  const [word, more] = typedWords(typed, list);
  return word === undefined || more !== undefined ? -1 : placeOfNormal(word.word, list);
}

/** The word of the list that the letters begin, or undefined. */
export function wordBegunBy(letters: string, list: readonly string[]): string | undefined {
  return list[placeOfNormal(normalizeWord(letters, list), list)];
}
