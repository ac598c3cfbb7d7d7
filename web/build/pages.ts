// Makes the pages of the build from the templates, in every language.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PASTE_PAGES } from '../../crypto/wire.ts';
import { localesOf, type Translation } from '../../runtime/locales.ts';
import { ROOT } from '../../runtime/root.ts';
import { NOWHERE_PAGE } from '../../runtime/served.ts';
import type { Site } from './site.ts';
import { renderPage } from './template.ts';

const WEB = join(ROOT, 'web');

export type PageParts = {
  /** Whether there is an offline form to link to. */
  offline: boolean;
  /** Mean time between two slots (slots.ts). */
  slotSeconds?: number | undefined;
};

const SLOT_SECONDS = 20;

/** Served in place of the offline form once its keyrings have ended (server/offline-form.ts). */
const ENDED_PAGE = 'form-ended.html';

/** The words that access codes are made of, for each page: it knows no other list than that of its own language. */
export async function buildWordLists(outDir: string, translations: readonly Translation[]): Promise<void> {
  for (const { path, words } of translations) {
    await mkdir(join(outDir, path), { recursive: true });
    await writeFile(join(outDir, path, 'words.txt'), words);
  }
}

/**
 * Reads a template: `{{>name}}` is the file name.html, and `{{?offline}}…{{/offline}}` is kept only where there is an offline form.
 * A tag that spans several lines is put on one.
 */
export async function readTemplate(name: string, parts: PageParts): Promise<string> {
  let template = await readFile(join(WEB, 'templates', `${name}.html`), 'utf8');
  for (const [tag, part = ''] of [...template.matchAll(/\{\{>([\w-]+)\}\}/g)]) {
    template = template.replace(tag, (await readTemplate(part, parts)).trim());
  }
  return template
    .replace(/\{\{\?offline\}\}([^]*?)\{\{\/offline\}\}/g, parts.offline ? '$1' : '')
    .replaceAll('{{slotSeconds}}', String(parts.slotSeconds ?? SLOT_SECONDS))
    .replace(/<[^<>]*>/g, (tag) => tag.replace(/\s*\n\s*/g, ' '));
}

/** The pages that say that nothing is taken now, or no form is to be had, also say what to do instead. */
const INSTEAD: ReadonlySet<string> = new Set(['pasted.closed', 'offline.ended']);

/** A page that only says what became of something, from the texts that begin with `texts`. */
function told(pasted: string, texts: string): string {
  return pasted.replaceAll('pasted.PAGE', texts).replace('{{@instead}}', INSTEAD.has(texts) ? '{{@instead}}' : '');
}

/** Every template, by the page it makes: a locale needs the texts of all of them. */
export async function readTemplates(parts: PageParts): Promise<Map<string, string>> {
  const pasted = await readTemplate('pasted', parts);
  return new Map([
    ['index.html', await readTemplate('form', parts)],
    ['replies.html', (await readTemplate('replies', parts)).replace('{{@languages}}', '{{@replies-languages}}')],
    [NOWHERE_PAGE, await readTemplate('nowhere', parts)],
    ...(parts.offline ? [[ENDED_PAGE, told(pasted, 'offline.ended')] as const] : []),
    ...PASTE_PAGES.map((page) => [`paste/${page}.html`, told(pasted, `pasted.${page}`)] as const),
  ]);
}

export async function buildPages(outDir: string, parts: PageParts, site: Site, translations: readonly Translation[]): Promise<void> {
  const templates = await readTemplates(parts);
  const locales = localesOf(translations, 'form');
  for (const locale of locales) {
    for (const [path, template] of templates) {
      if (path === NOWHERE_PAGE && locale !== locales[0]) continue;
      const file = join(outDir, locale.path, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, renderPage(template, locale, locales, site));
    }
  }
}
