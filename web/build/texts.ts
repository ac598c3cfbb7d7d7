// The texts of one language, made safe for a page.
import type { Locale } from '../../runtime/locales.ts';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

/** Makes a `{name}` in a sentence a place that the script fills. */
function withSlots(html: string): string {
  return html.replace(/\{([a-z]+)\}/g, '<span data-slot="$1"></span>');
}

export function textFor({ language, texts }: Locale, key: string): string {
  const text = texts[key];
  if (text === undefined) throw new Error(`locales/${language}/ lacks ${key}`);
  return withSlots(escapeHtml(text));
}
