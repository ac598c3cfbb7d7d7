// What people read, a folder a language: locales/xx/. Each has the same files, and each file the same keys in every language.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { WORD_LIST_LENGTH } from '../crypto/words.ts';
import { ROOT } from './root.ts';

/** For whoever asks for help, for volunteers in a browser, and for volunteers on a command line. */
const PARTS = ['form', 'desk', 'cli'] as const;
export type LocalePart = (typeof PARTS)[number];

/** The other languages are compared with it, and it stands in for one that is not there. */
export const REFERENCE = 'en';

const LOCALES = join(ROOT, 'locales');

const about = z.strictObject({
  /** What the language calls itself. */
  name: z.string().min(1),
  /** Where its page stands under `/`; empty for the first. */
  path: z.string().regex(/^(?:[a-z]+\/)?$/),
  /** Bytes of a usual letter in UTF-8, to tell people in letters how much still fits. */
  letterBytes: z.int().min(1).max(4),
  /** What is typed at a terminal, in lower case. */
  yes: z.array(z.string().min(1)).min(1),
  no: z.array(z.string().min(1)).min(1),
});
export type Language = z.infer<typeof about> & { language: string };
export type Locale = Language & { words: Readonly<Record<string, string>> };

/** Every language, the one of the first page first. Throws where a folder lacks a file, a key or a word, or has one too many. */
export function readLanguages(): Language[] {
  const languages = readdirSync(LOCALES).map((language) => ({ language, ...about.parse(JSON.parse(read(language, 'language.json'))) }));
  for (const { language } of languages) {
    for (const part of PARTS) compare(`locales/${language}/${part}.json`, readWords(language, part), readWords(REFERENCE, part));
    readWordList(language);
  }
  return languages.sort((a, b) => a.path.localeCompare(b.path, 'en'));
}

/** One part in every language. Throws as `readLanguages`. */
export function readLocales(part: LocalePart): Locale[] {
  return readLanguages().map((language) => ({ ...language, words: readWords(language.language, part) }));
}

/**
 * The words that access codes and passphrases are made of, each on a line. A code is one of its list's language (crypto/code.ts),
 * so another language's list cannot stand in for one that is missing: throws then, and where it has not 1,296 words.
 */
export function readWordList(language: string): string {
  const list = read(language, 'words.txt');
  const words = list.split('\n').length - 1;
  if (words !== WORD_LIST_LENGTH)
    throw new Error(`locales/${language}/words.txt has ${String(words)} lines, expected ${String(WORD_LIST_LENGTH)} words`);
  return list;
}

function readWords(language: string, part: LocalePart): Readonly<Record<string, string>> {
  return z.record(z.string(), z.string()).parse(JSON.parse(read(language, `${part}.json`)));
}

function read(language: string, name: string): string {
  try {
    return readFileSync(join(LOCALES, language, name), 'utf8');
  } catch (error) {
    throw new Error(`locales/${language}/${name} is missing: CONTRIBUTING.md, "A language", says what belongs to one`, { cause: error });
  }
}

function compare(file: string, words: object, reference: object): void {
  const missing = Object.keys(reference).filter((key) => !(key in words));
  if (missing.length > 0) throw new Error(`${file} lacks ${missing.join(', ')}`);
  const unknown = Object.keys(words).filter((key) => !(key in reference));
  if (unknown.length > 0) throw new Error(`${file} has ${unknown.join(', ')}, which locales/${REFERENCE}/ has not`);
}
