// The desk's words.
import { describe, expect, it } from 'vitest';
import { readLocales } from '../../runtime/locales.ts';
import { readTemplate } from '../../web/build/pages.ts';
import { untranslated } from '../support/untranslated.ts';

const locales = readLocales('desk');
const template = await readTemplate('desk', { offline: true });
const needed = [...new Set([...template.matchAll(/\{\{([\w-]+\.[\w.-]+)\}\}/g)].map(([, key]) => key ?? ''))].sort();
const scriptsIn = (text: string): Set<string> =>
  new Set(
    [...text.replaceAll(/\{[a-z]+\}/g, '').matchAll(/\p{L}/gu)].map(([letter]) =>
      /\p{Script=Cyrillic}/u.test(letter) ? 'Cyrillic' : /\p{Script=Latin}/u.test(letter) ? 'Latin' : 'another',
    ),
  );
const slots = (text: string): string[] => [...text.matchAll(/\{[a-z]+\}/g)].map(([slot]) => slot).sort();

describe.each(locales)('the words of the desk in $name', (locale) => {
  it('are complete, without extra ones, and have the same placeholders in each language', () => {
    expect(Object.keys(locale.texts).sort()).toEqual(needed);
    for (const other of locales)
      for (const key of needed) expect(slots(locale.texts[key] ?? ''), key).toEqual(slots(other.texts[key] ?? ''));
  });

  it('are translated', () => {
    expect(untranslated(locale, locales), 'as in another language').toEqual([]);
    const [script = 'none'] = scriptsIn(locale.name);
    // A sentence is in its language's script; only a name or an address may be in another.
    for (const [key, text] of Object.entries(locale.texts)) expect(scriptsIn(text).has(script), key).toBe(true);
  });
});

it('the desk has the languages of the form', async () => {
  expect(locales.map(({ language }) => language)).toEqual(readLocales('form').map(({ language }) => language));
});
