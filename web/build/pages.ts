// Makes the pages of the build: a template and its parts, in every language.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';
import { ROOT } from '../../runtime/root.ts';
import { PASTE_PAGES } from './pasted.ts';
import type { Site } from './site.ts';
import { renderPage, type Locale } from './template.ts';

const WEB = join(ROOT, 'web');

export type PageParts = {
  /** Whether there is an offline form to point to. */
  offline: boolean;
  /** Mean time between two slots (slots.ts). */
  slotSeconds?: number | undefined;
};

const SLOT_SECONDS = 20;

/** In the place of the offline form once that has ended (server/offline-form.ts). */
const ENDED_PAGE = 'form-ended.html';

/** Where an address leads nowhere, in every language at once (server/nowhere.ts): there is one of it. */
const NOWHERE_PAGE = 'nowhere.html';

export async function readLocales(folder = join(WEB, 'locales')): Promise<Locale[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const locales = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Locale));
  return locales.sort((a, b) => a.path.localeCompare(b.path, 'en'));
}

/**
 * The list of words that access codes are made of, for each page. A code is one of its list's language (crypto/code.ts), and the
 * page knows no other than its own: words of another list would lead to answers that nobody finds again.
 */
export async function buildWords(outDir: string): Promise<void> {
  for (const { language, path } of await readLocales()) {
    const list = await readWordList(language);
    await mkdir(join(outDir, path), { recursive: true });
    await writeFile(join(outDir, path, 'words.txt'), list);
  }
}

async function readWordList(language: string): Promise<string> {
  const list = await readFile(join(WEB, 'words', `${language}.txt`), 'utf8').catch((error: unknown) => {
    throw new Error(`words/${language}.txt is missing: the pages in this language need a list of words for access codes (docs/words.md)`, { cause: error });
  });
  const words = list.split('\n').length - 1;
  if (words !== WORD_LIST_LENGTH) throw new Error(`words/${language}.txt has ${String(words)} lines, expected ${String(WORD_LIST_LENGTH)} words`);
  return list;
}

/** `{{>name}}` is the file name.html; `{{?offline}}…{{/offline}}` is there only with an offline form. */
export async function readTemplate(name: string, parts: PageParts): Promise<string> {
  let template = await readFile(join(WEB, 'templates', `${name}.html`), 'utf8');
  for (const [tag, part = ''] of [...template.matchAll(/\{\{>([\w-]+)\}\}/g)]) {
    template = template.replace(tag, (await readTemplate(part, parts)).trim());
  }
  return template.replace(/\{\{\?offline\}\}([^]*?)\{\{\/offline\}\}/g, parts.offline ? '$1' : '')
    .replaceAll('{{slotSeconds}}', String(parts.slotSeconds ?? SLOT_SECONDS));
}

/** Every template by the page it makes: the words of all of them are what a locale needs. */
export async function readTemplates(parts: PageParts): Promise<Map<string, string>> {
  const pasted = await readTemplate('pasted', parts);
  return new Map([
    ['index.html', await readTemplate('form', parts)],
    ['replies.html', (await readTemplate('replies', parts)).replace('{{@languages}}', '{{@replies-languages}}')],
    [NOWHERE_PAGE, await readTemplate('nowhere', parts)],
    ...(parts.offline ? [[ENDED_PAGE, pasted.replaceAll('pasted.PAGE', 'offline.ended')] as const] : []),
    ...PASTE_PAGES.map((page) => [`paste/${page}.html`, pasted.replaceAll('pasted.PAGE', `pasted.${page}`)] as const),
  ]);
}

export async function buildPages(outDir: string, parts: PageParts, site: Site): Promise<void> {
  const [templates, locales] = await Promise.all([readTemplates(parts), readLocales()]);
  for (const locale of locales) {
    for (const [path, template] of templates) {
      if (path === NOWHERE_PAGE && locale !== locales[0]) continue;
      const file = join(outDir, locale.path, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, renderPage(template, locale, locales, site));
    }
  }
}
