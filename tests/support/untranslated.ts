import type { Locale } from '../../runtime/locales.ts';

/** The keys of texts that are the same in another language. */
export function untranslated(locale: Locale, locales: readonly Locale[]): string[] {
  const others = locales.filter((other) => other !== locale);
  const isCopied = (key: string): boolean => others.some(({ texts }) => texts[key] === locale.texts[key]);
  return Object.keys(locale.texts).filter(isCopied);
}
