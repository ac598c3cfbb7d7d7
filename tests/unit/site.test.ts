// The operator's site file: what it may contain, how errors are reported, and what it changes in the pages.
import { describe, expect, it } from 'vitest';
import { readLocales } from '../../runtime/locales.ts';
import { readTemplates } from '../../web/build/pages.ts';
import { parseSite, PLAIN_SITE, SiteError, type Site } from '../../web/build/site.ts';
import { renderPage } from '../../web/build/template.ts';

const LANGUAGES = ['ru', 'en'];
const ONION = `http://${'a'.repeat(56)}.onion/`;
const locales = readLocales('form');
const templates = await readTemplates({ offline: true });

function pageOf(site: Site, language = 'ru', path = 'index.html'): string {
  const locale = locales.find((each) => each.language === language);
  const template = templates.get(path);
  if (locale === undefined || template === undefined) throw new Error(`no page ${path} in ${language}`);
  return renderPage(template, locale, locales, site);
}
const parse = (value: unknown): Site => parseSite(JSON.stringify(value), LANGUAGES);
const failure = (value: unknown): string => {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof SiteError) return error.message;
    throw error;
  }
  return 'none';
};

describe('without a site file', () => {
  it('the pages name nobody, exit to an empty page and give no numbers', () => {
    expect(parse({})).toEqual(PLAIN_SITE);
    for (const path of templates.keys())
      expect(pageOf(PLAIN_SITE, 'ru', path)).toContain('<a id="exit" href="about:blank" rel="noreferrer">');
    const page = pageOf(PLAIN_SITE);
    expect(page).toContain('Здесь отвечают не сразу. Если ждать нельзя, обратитесь');
    for (const absent of ['class="name"', 'id="clearnet"', 'target="_blank"']) expect(page).not.toContain(absent);
  });
});

describe('a site file', () => {
  it('sets where Quick exit leads to, on every page', () => {
    for (const exit of ['https://weather.example/?a=1&b=2', ONION, 'http://127.0.0.1:8080/']) {
      const site = parse({ exit });
      for (const path of templates.keys())
        expect(pageOf(site, 'en', path)).toContain(`<a id="exit" href="${exit.replace('&', '&amp;')}" rel="noreferrer">`);
    }
  });

  it('gives names, crisis lines, other ways and advice on bridges in its own language only', () => {
    const site = parse({
      name: { ru: 'Тихая <линия>' },
      crisisLines: {
        ru: [
          { name: 'Линия', contact: '8 000 000-00-00', hours: 'круглосуточно' },
          { name: 'Чат', contact: 'chat.example', link: 'https://chat.example/' },
        ],
      },
      bridges: { ru: 'Мосты: bridges@example.org' },
      otherWays: { ru: 'line@example.org, по будням' },
    });
    const page = pageOf(site);
    expect(page).toContain('<p class="name">Тихая &lt;линия&gt;</p>');
    expect(page).toContain('<li><b>Линия</b><br>8 000 000-00-00<br>круглосуточно</li>');
    expect(page).toContain('<a href="https://chat.example/" target="_blank" rel="noopener noreferrer">chat.example</a> (в новой вкладке)');
    expect(page).toContain('Мосты: bridges@example.org</li>');
    expect(page).not.toContain('href="tel:');
    for (const word of ['Тихая', 'chat.example', 'bridges@example.org', 'line@example.org']) expect(pageOf(site, 'en')).not.toContain(word);
    // The name stays out of titles, which tabs and window lists show.
    expect(page).toContain('<title>Сообщение</title>');
  });

  it('says what else somebody can do exactly where nothing is taken', () => {
    const site = parse({ otherWays: { en: 'line@example.org' }, crisisLines: { en: [{ name: 'Line', contact: '112' }] } });
    const sectionOf = (page: string, notice: string): string => new RegExp(`id="notice-${notice}"[^]*?</section>`).exec(page)?.[0] ?? '';
    const instead = /You can also reach us in other ways: line@example\.org<\/p>[^]*<b>Line<\/b><br>112/;
    for (const path of ['index.html', 'replies.html']) {
      const page = pageOf(site, 'en', path);
      for (const notice of ['closed-keyring', 'closed-maintenance', 'closed-pool', 'closed-service'])
        expect(sectionOf(page, notice)).toMatch(instead);
      for (const notice of ['clock', 'unreachable', 'too-long']) expect(sectionOf(page, notice)).not.toMatch(instead);
    }
    const pages = [...templates.keys()].filter((path) => instead.test(pageOf(site, 'en', path)));
    expect(pages).toEqual(['index.html', 'replies.html', 'form-ended.html', 'paste/closed.html']);
  });

  it('says how to reach the onion on an ordinary address', () => {
    const page = pageOf(parse({ clearnet: { onion: ONION } }), 'en');
    expect(page).toContain('It is better to open this page in Tor Browser');
    expect(page).toContain(`<code>${ONION}</code>`);
  });

  it.each<[string, unknown, string]>([
    ['an unknown field', { exot: 'about:blank' }, 'the whole: Unrecognized key: "exot"'],
    ['a script to leave to', { exit: 'javascript:alert(1)' }, 'exit: it must be an https:// address'],
    ['plain HTTP to leave to', { exit: 'http://weather.example/' }, 'exit: it must be an https:// address'],
    ['a password in an address', { exit: 'https://a:b@weather.example/' }, 'exit: it must be an https:// address'],
    ['a line without a number', { crisisLines: { ru: [{ name: 'Линия' }] } }, 'crisisLines, ru, 1, contact: it must be text'],
    ['no lines', { crisisLines: { ru: [] } }, 'crisisLines, ru: it is empty'],
    [
      'a telephone link',
      { crisisLines: { ru: [{ name: 'Линия', contact: '1', link: 'tel:1' }] } },
      'crisisLines, ru, 1, link: it must be an https://',
    ],
    ['a text for no language', { bridges: 'x' }, 'bridges: it must be an object with languages'],
    ['two lines in one', { name: { ru: 'a\nb' } }, 'name, ru: it must be one line'],
    ['a language without pages', { name: { de: 'Leise' } }, 'de: the form has no such language, only ru, en'],
    [
      'no onion on an ordinary address',
      { clearnet: { onion: 'https://a.example/' } },
      'clearnet, onion: it must be the http://….onion/ address',
    ],
    ['two faults at once', { exit: 1, name: { ru: '' } }, 'name, ru: it is empty'],
  ])('is refused with %s, and the error says where', (_, value, message) => {
    expect(failure(value)).toContain(message);
  });

  it('is refused when it is not JSON', () => {
    expect(() => parseSite('{', LANGUAGES)).toThrow(/it is not JSON/);
  });
});
