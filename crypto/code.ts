// The access code: words from which all keys of a conversation are derived. docs/protocol.md, § Access code.
import { blake2b, concat, readUint32, utf8 } from './bytes.ts';
import { sodium } from './sodium.ts';
import { placeOfNormal, typedWords, WORD_LIST_LENGTH } from './words.ts';

/** 11 · log2(1,296) = 113.7 bits. */
export const RANDOM_WORDS = 11;
export const CODE_WORDS = RANDOM_WORDS + 1;
const ROOT_BYTES = 32;

/** Twelve places (0 to 1,295) in a word list; the last one checks the others. */
export type Code = readonly number[];

/** Why typed words are not a code. Positions count from 1. */
export type CodeProblem =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'word'; readonly position: number }
  | { readonly kind: 'check' };

const encodePlaces = (code: Code): Uint8Array =>
  Uint8Array.from(code.slice(0, RANDOM_WORDS).flatMap((place) => [place >> 8, place & 0xff]));

function checkWord(code: Code): number {
  return readUint32(blake2b(ROOT_BYTES, concat(utf8('support-relay access code check 2\n'), encodePlaces(code))), 0) % WORD_LIST_LENGTH;
}

/** Draws eleven random places and appends the one that checks them. */
export function makeCode(): Code {
  const random = Array.from({ length: RANDOM_WORDS }, () => sodium.randombytes_uniform(WORD_LIST_LENGTH));
  return [...random, checkWord(random)];
}

/** 32 bytes. `language`: that of the word list (2 or 3 letters); the same places in another list are another code. */
export function codeRoot(language: string, code: Code): Uint8Array {
  return blake2b(ROOT_BYTES, concat(utf8(`support-relay access code 2\n${language}\n`), encodePlaces(code)));
}

/**
 * Reads a code as it was typed: words may be numbered, and separated by anything but letters. `list`: 1,296 words. Never throws;
 * `problem` says what to look at: an unknown word first, then a wrong number of words, then the check word.
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
