// What a visitor sees while no form has been built: a page that gives nobody away who is seen with it.
import { NOWHERE_PAGE } from '../runtime/served.ts';
import { readLocales } from '../runtime/locales.ts';
import { typeOf } from '../runtime/served.ts';
import type { StaticFile, Statics } from './statics.ts';

/** One page with every language, at every address that somebody opens. */
export function emptyStatics(): Statics {
  const page: StaticFile = { type: typeOf(NOWHERE_PAGE), isDownload: false, plain: Buffer.from(emptyPage()), encoded: new Map() };
  return new Map([
    ['/', page],
    [`/${NOWHERE_PAGE}`, page],
  ]);
}

function emptyPage(): string {
  const locales = readLocales('form');
  const sections = locales.map(({ language, texts }) => {
    const [title, what] = [texts['empty.title'], texts['empty.what']].map((text) => escaped(text ?? ''));
    return `<section lang="${language}">\n<h1>${title ?? ''}</h1>\n<p>${what ?? ''}</p>\n</section>`;
  });
  const { language = 'en', texts = {} } = locales[0] ?? {};
  const head = [
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<link rel="icon" href="data:,">',
    `<title>${escaped(texts['empty.title'] ?? '')}</title>`,
  ];
  return [
    '<!doctype html>',
    `<html lang="${language}">`,
    '<head>',
    ...head,
    '</head>',
    '<body>',
    ...sections,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
