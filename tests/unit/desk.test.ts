// The desk's words.
import { describe, expect, it } from 'vitest';
import { readTemplate } from '../../web/pages.ts';
import { readDeskLocales } from '../../web/single-file.ts';

const locales = await readDeskLocales();
const template = await readTemplate('desk/desk', { offline: true });
const needed = [...new Set([...template.matchAll(/\{\{([\w-]+\.[\w.-]+)\}\}/g)].map(([, key]) => key ?? ''))].sort();
const slots = (text: string): string[] => [...text.matchAll(/\{[a-z]+\}/g)].map(([slot]) => slot).sort();

describe.each(locales)('the words of the desk in $name', (locale) => {
  it('are all there, none is left over, and each has the places of the other languages', () => {
    expect(Object.keys(locale.words).sort()).toEqual(needed);
    for (const other of locales) for (const key of needed) expect(slots(locale.words[key] ?? ''), key).toEqual(slots(other.words[key] ?? ''));
  });

  it('are translated', () => {
    for (const [key, text] of Object.entries(locale.words)) {
      for (const other of locales) if (other !== locale) expect(text, key).not.toBe(other.words[key]);
      expect(/[а-яё]/i.test(text), key).toBe(locale.language === 'ru');
    }
  });
});

it('the desk has the languages of the form', () => {
  expect(locales.map(({ language }) => language)).toEqual(['ru', 'en']);
});
