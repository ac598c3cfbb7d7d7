import type en from '../../locales/en/cli.json';
import { readLocales, REFERENCE, type Locale } from '../../runtime/locales.ts';

/** The labels shown around a letter. */
export type Labels = Readonly<typeof en>;

let locales: Locale[] | undefined;

/** In the language that the letter was written in, if we have it; otherwise in the reference language. */
export function labelsFor(language: string): Labels {
  locales ??= readLocales('cli');
  const labelsIn = (wanted: string): Locale['texts'] | undefined => locales?.find((locale) => locale.language === wanted)?.texts;
  // readLocales throws unless every language has the keys of the reference language.
  return (labelsIn(language) ?? labelsIn(REFERENCE)) as Labels;
}
