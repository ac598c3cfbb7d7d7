// Everything that people read, one folder a language: locales/xx/. Each has the same files, and each file has the same keys in every
// language.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { WORD_LIST_LENGTH } from '../crypto/words.ts';
import { ROOT } from './root.ts';

/** For whoever asks for help, for volunteers in a browser, and for volunteers on a command line. */
const PARTS = ['form', 'desk', 'cli'] as const;
export type LocalePart = (typeof PARTS)[number];

/** The other languages are compared with this one, and it stands in for a language that is not there. */
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
type Texts = Readonly<Record<string, string>>;
export type Language = z.infer<typeof about> & { language: string };
/** A language with the texts of one part, by their keys. */
export type Locale = Language & { texts: Texts };
/** A language with all that its folder holds. `words`: its list, as `readWordList` gives it. */
export type Translation = Language & { parts: Readonly<Record<LocalePart, Texts>>; words: string };

/** Every language, the one of the first page first. Reads nothing but language.json; throws where a folder lacks it, or it is wrong. */
export function readLanguages(): Language[] {
  return readdirSync(LOCALES)
    .map((language) => ({ language, ...about.parse(JSON.parse(read(language, 'language.json'))) }))
    .sort((a, b) => a.path.localeCompare(b.path, 'en'));
}

/** Every language whole, in the same order. Throws where a folder lacks a file, a key or a word, or has one too many. */
export function readTranslations(): Translation[] {
  const reference = readParts(REFERENCE);
  return readLanguages().map((language) => {
    const parts = language.language === REFERENCE ? reference : readParts(language.language);
    for (const part of PARTS) compare(`locales/${language.language}/${part}.json`, parts[part], reference[part]);
    return { ...language, parts, words: readWordList(language.language) };
  });
}

/** One part in every language. Throws as `readTranslations`. */
export function readLocales(part: LocalePart): Locale[] {
  return localesOf(readTranslations(), part);
}

/** One part of what was read already. */
export function localesOf(translations: readonly Translation[], part: LocalePart): Locale[] {
  return translations.map((translation) => ({ ...translation, texts: translation.parts[part] }));
}

/**
 * The words that access codes and passphrases are made of, each on a line. An access code belongs to the list of its language
 * (crypto/code.ts), so no other list can stand in for a missing one: throws where it is missing or does not have 1,296 words.
 */
export function readWordList(language: string): string {
  const list = read(language, 'words.txt');
  const count = list.split('\n').length - 1;
  if (count !== WORD_LIST_LENGTH)
    throw new Error(`locales/${language}/words.txt has ${String(count)} lines, expected ${String(WORD_LIST_LENGTH)} words`);
  return list;
}

function readParts(language: string): Readonly<Record<LocalePart, Texts>> {
  return { form: readTexts(language, 'form'), desk: readTexts(language, 'desk'), cli: readTexts(language, 'cli') };
}

function readTexts(language: string, part: LocalePart): Texts {
  return z.record(z.string(), z.string()).parse(JSON.parse(read(language, `${part}.json`)));
}

function read(language: string, name: string): string {
  try {
    return readFileSync(join(LOCALES, language, name), 'utf8');
  } catch (error) {
    throw new Error(`locales/${language}/${name} is missing: CONTRIBUTING.md, "A language", says what belongs to one`, { cause: error });
  }
}

function compare(file: string, texts: object, reference: object): void {
  const missing = Object.keys(reference).filter((key) => !(key in texts));
  if (missing.length > 0) throw new Error(`${file} lacks ${missing.join(', ')}`);
  const unknown = Object.keys(texts).filter((key) => !(key in reference));
  if (unknown.length > 0) throw new Error(`${file} has ${unknown.join(', ')}, which locales/${REFERENCE}/ has not`);
}
