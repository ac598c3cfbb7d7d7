// The access code: words from which everything of a conversation is derived. docs/protocol.md, § Access code.
import { blake2b, concat, readUint32, utf8 } from './bytes.ts';
import { sodium } from './sodium.ts';
import { placeOfNormal, typedWords, WORD_LIST_LENGTH } from './words.ts';

/** 113 bits, and a little more. */
export const RANDOM_WORDS = 11;
export const CODE_WORDS = RANDOM_WORDS + 1;
const ROOT_BYTES = 32;

/** Twelve places (0 to 1,295) in a word list, the last one checking the others. */
export type Code = readonly number[];

/** What is wrong with words that are no code; positions count from 1. */
export type CodeProblem =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'word'; readonly position: number }
  | { readonly kind: 'check' };

const places = (words: Code): Uint8Array => Uint8Array.from(words.slice(0, RANDOM_WORDS).flatMap((place) => [place >> 8, place & 0xff]));

function checkWord(words: Code): number {
  return readUint32(blake2b(ROOT_BYTES, concat(utf8('support-relay access code check 2\n'), places(words))), 0) % WORD_LIST_LENGTH;
}

/** Eleven random places and the one that checks them. */
export function makeCode(): Code {
  const random = Array.from({ length: RANDOM_WORDS }, () => sodium.randombytes_uniform(WORD_LIST_LENGTH));
  return [...random, checkWord(random)];
}

/** 32 bytes; `language` is that of the word list (2 or 3 letters), so that a code of another list is another code. */
export function codeRoot(language: string, code: Code): Uint8Array {
  return blake2b(ROOT_BYTES, concat(utf8(`support-relay access code 2\n${language}\n`), places(code)));
}

/**
 * What was typed, with anything between the words that is no letter, and however they are numbered. `list`: 1,296 words. It
 * never throws: the problem says what to look at, a word that is none before their number, and that before the check word.
 */
export function readCode(text: string, list: readonly string[]): { readonly code: Code } | { readonly problem: CodeProblem } {
  const code = typedWords(text, list).map(({ word }) => placeOfNormal(word, list));
  const unknown = code.indexOf(-1);
  if (unknown !== -1) return { problem: { kind: 'word', position: unknown + 1 } };
  if (code.length !== CODE_WORDS) return { problem: { kind: 'count', count: code.length } };
  if (code[RANDOM_WORDS] !== checkWord(code)) return { problem: { kind: 'check' } };
  return { code };
}

/** The twelve words to show. `list`: 1,296 words. */
export function wordsOf(code: Code, list: readonly string[]): string[] {
  return code.map((place) => list[place] ?? '');
}
