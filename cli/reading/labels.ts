import type en from '../../locales/en/cli.json';
import { readLocales, REFERENCE, type Locale } from '../../runtime/locales.ts';

/** The words around a letter. */
export type Labels = Readonly<typeof en>;

let locales: Locale[] | undefined;

/** In the language that the letter was written in, if we have it. */
export function labelsFor(language: string): Labels {
  locales ??= readLocales('cli');
  const wordsIn = (wanted: string): Locale['words'] | undefined => locales?.find((locale) => locale.language === wanted)?.words;
  // The keys of all are those of the reference: readLocales throws otherwise.
  return (wordsIn(language) ?? wordsIn(REFERENCE)) as Labels;
}
