import { describe, expect, it } from 'vitest';
import { readLocales } from '../../runtime/locales.ts';
import { readTemplate, readTemplates } from '../../web/build/pages.ts';
import { neededTexts, renderPage } from '../../web/build/template.ts';
import { untranslated } from '../support/untranslated.ts';

const locales = readLocales('form');
const templates = await readTemplates({ offline: true });
const template = templates.get('index.html') ?? '';
const all = [...templates.values(), await readTemplate('offline', { offline: true })];
/** The relay has these words when there is no form yet (server/empty.ts). */
const ofNoForm = ['empty.title', 'empty.what'];
const needed = [...new Set([...all.flatMap((each) => [...neededTexts(each)]), ...ofNoForm])].sort();

/** Words that frighten, accuse or promise: banned from every text that a person in need reads. */
const NEVER = [
  /информатор/i,
  /жалоб/i,
  /квитанци/i,
  /донос/i,
  /полиц/i,
  /тюрьм/i,
  /преступ/i,
  /(?<!без)опасн/i,
  /абсолютно/i,
  /гарантир/i,
  /полностью безопасн/i,
  /анонимн/i,
  /informant/i,
  /complaint/i,
  /receipt/i,
  /police/i,
  /prison/i,
  /crime/i,
  /danger/i,
  /guarantee/i,
  /absolutely/i,
  /completely safe/i,
  /anonym/i,
];
const slots = (text: string): string[] => [...text.matchAll(/\{[a-z]+\}/g)].map(([slot]) => slot).sort();

const forCommandLine = readLocales('cli');

it.each(forCommandLine)('the words of the command line in $name are translated', (locale) => {
  expect(untranslated(locale, forCommandLine), 'as in another language').toEqual([]);
});

describe('the words of the form', () => {
  it('exist in Russian first, and in English', () => {
    expect(locales.slice(0, 2).map(({ language, path }) => [language, path])).toEqual([
      ['ru', ''],
      ['en', 'en/'],
    ]);
  });

  describe.each(locales)('in $name', (locale) => {
    const { language, texts } = locale;

    it('are complete, without extra ones', () => {
      expect(Object.keys(texts).sort()).toEqual(needed);
    });

    it('are translated', () => {
      expect(untranslated(locale, locales), 'as in another language').toEqual([]);
      for (const [key, text] of Object.entries(texts)) {
        if (language === 'ru') expect(text, key).toMatch(/[а-яё]/i);
        if (language === 'en') expect(text, key).not.toMatch(/[а-яё]/i);
        expect(text.trim(), key).toBe(text);
        expect(text, key).not.toBe('');
      }
    });

    it('have the same placeholders in every language', () => {
      for (const other of locales) for (const key of needed) expect(slots(texts[key] ?? ''), key).toEqual(slots(other.texts[key] ?? ''));
    });

    it('neither frighten nor promise', () => {
      for (const [key, text] of Object.entries(texts)) for (const word of NEVER) expect(text, key).not.toMatch(word);
    });

    it('make a page without anything inline, foreign or submittable', () => {
      const page = renderPage(template, locale, locales);
      expect(page).toContain(`<html lang="${language}"`);
      expect(page).not.toMatch(/\{\{|\}\}/);
      expect(page).not.toMatch(/<style|<script(?! src="\/)|\son\w+=|\sstyle=|javascript:|https?:\/\//i);
      // Without scripts a parcel can be posted as text; nothing else can ever be submitted.
      expect(page.replace(/<noscript>[^]*?<\/noscript>/, '')).not.toContain('<form');
      expect(page.match(/<(?:input|textarea|select)[^>]*name="/g)).toHaveLength(1);
    });

    it('never become markup', () => {
      const hostile = { ...locale, texts: { ...texts, 'intro.title': '<b>"&{name}' } };
      expect(renderPage(template, hostile, locales)).toContain('<h1>&lt;b&gt;&quot;&amp;<span data-slot="name"></span></h1>');
    });

    it('stop the build when one is missing', () => {
      const rest = Object.fromEntries(Object.entries(texts).filter(([key]) => key !== 'intro.title'));
      expect(() => renderPage(template, { ...locale, texts: rest }, locales)).toThrow(/lacks intro\.title/);
    });
  });
});
