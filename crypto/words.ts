// The words of access codes, as people write and type them. docs/words.md; docs/protocol.md, § As typed.

export const WORD_LIST_LENGTH = 1_296;
/** The first letters of a word, this many, tell it from every other word of its list. */
export const DISTINCT_LETTERS = 4;

/** A word that was typed: the form it is compared in, and its range in the text (UTF-16 units, end exclusive). */
export type TypedWord = { readonly word: string; readonly start: number; readonly end: number };

/** What a word may consist of as it is typed, apart from unseen characters. */
const RUN = /[\p{L}\p{M}]+/gu;
const MARKS = /\p{M}/gu;
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;

/** Letters that look alike, in lower or upper case: people who read a word from paper, or type it, may take either. */
const LATIN = 'abcehikmoptxyjs';
const CYRILLIC = 'авсенікмортхујѕ';
const LOOK_ALIKE: ReadonlyMap<string, string> = new Map(
  [...LATIN].flatMap((latin, i) => [
    [latin, CYRILLIC[i] ?? ''],
    [CYRILLIC[i] ?? '', latin],
  ]),
);

/** A word that was hyphenated at the end of a line continues after this. */
const BROKEN = /^\p{Pd}\p{White_Space}+$/u;
/** "1-е", "2nd", "№1" and "n1": up to this many letters beside a number only number the words. */
const ORDINAL_LETTERS_MAX = 3;
const AFTER_NUMBER = /\p{N}\p{Pd}?$/u;
const BEFORE_NUMBER = /^\p{N}/u;
/** Somebody who writes "word" or "слово" before each word repeats it at least this often; nobody mistypes a word so often. */
const LABEL_TIMES_MIN = 3;

const alphabets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The letters of a list, which has a few thousand: collected once per list. */
function alphabetOf(list: readonly string[]): ReadonlySet<string> {
  const alphabet = alphabets.get(list) ?? new Set(list.flatMap((word) => [...word]));
  alphabets.set(list, alphabet);
  return alphabet;
}

/** Replaces a letter that no word of the list has by one that some have: without its accents, or its look-alike. */
function letterMeant(letter: string, alphabet: ReadonlySet<string>): string {
  if (alphabet.has(letter)) return letter;
  const bare = letter.normalize('NFD').replaceAll(MARKS, '');
  const twin = LOOK_ALIKE.get(bare) ?? '';
  return !alphabet.has(bare) && alphabet.has(twin) ? twin : bare;
}

/** The form in which words are compared: no case, accents or unseen characters, and look-alikes as the list's letters. */
export function normalizeWord(text: string, list: readonly string[]): string {
  const alphabet = alphabetOf(list);
  const plain = text.replaceAll(UNSEEN, '').normalize('NFKC').toLowerCase();
  return [...plain].map((letter) => letterMeant(letter, alphabet)).join('');
}

/** The place of the word that begins with `word`, in that form and of at least four letters; -1 when there is none. */
export const placeOfNormal = (word: string, list: readonly string[]): number =>
  word.length < DISTINCT_LETTERS ? -1 : list.findIndex((candidate) => candidate.startsWith(word));

/** The text without unseen characters, and the index of each of its units in the original. */
function visibleText(text: string): { visible: string; at: readonly number[] } {
  const at = Array.from({ length: text.length }, (_, index) => index);
  const unseen = new Set([...text.matchAll(UNSEEN)].flatMap(({ 0: match, index }) => at.slice(index, index + match.length)));
  return { visible: text.replaceAll(UNSEEN, ''), at: at.filter((index) => !unseen.has(index)) };
}

/** Joins the halves of a word hyphenated at the end of a line, where they make a word of the list. */
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

/** True for letters that only number the words, as in "2-е" or "б)": a single letter is never a word. */
function isNumbering({ word, start, end }: TypedWord, text: string): boolean {
  const isBesideNumber = AFTER_NUMBER.test(text.slice(Math.max(0, start - 4), start)) || BEFORE_NUMBER.test(text.slice(end, end + 2));
  const letters = [...word].length;
  return letters === 1 || (isBesideNumber && letters <= ORDINAL_LETTERS_MAX);
}

/** The words of a text, without their numbering. `list`: the words to expect, in the form in which words are compared. */
export function typedWords(text: string, list: readonly string[]): TypedWord[] {
  const { visible, at } = visibleText(text);
  const runs = [...visible.matchAll(RUN)]
    .map((match) => ({ word: normalizeWord(match[0], list), start: match.index, end: match.index + match[0].length }))
    .filter(({ word }) => word !== '');
  const words = joinBroken(runs, visible, list).filter((run) => !isNumbering(run, visible));
  const times = new Map<string, number>();
  for (const { word } of words) times.set(word, (times.get(word) ?? 0) + 1);
  return words
    .filter(({ word }) => (times.get(word) ?? 0) < LABEL_TIMES_MIN || placeOfNormal(word, list) !== -1)
    .map(({ word, start, end }) => ({ word, start: at[start] ?? 0, end: (at[end - 1] ?? 0) + 1 }));
}

/** The place of a word as it was typed, which may be numbered; -1 unless it is exactly one word. */
export function placeOf(typed: string, list: readonly string[]): number {
  const [word, more] = typedWords(typed, list);
  return word === undefined || more !== undefined ? -1 : placeOfNormal(word.word, list);
}

/** The word of the list that begins with these letters, or undefined. */
export function wordBegunBy(letters: string, list: readonly string[]): string | undefined {
  return list[placeOfNormal(normalizeWord(letters, list), list)];
}
