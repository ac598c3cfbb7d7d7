// Makes a page from a template and the texts of one language. Every text of a page is in locales/.
import type { Locale } from '../../runtime/locales.ts';
import { CLOSED_NOTICES, NOTICES, type Notice } from '../page/notices.ts';
import { renderBridges, renderClearnet, renderCrisis, renderInstead, renderName, SITE_TEXTS } from './site-blocks.ts';
import { PLAIN_SITE, type Site } from './site.ts';
import { escapeHtml, textFor } from './texts.ts';

function renderNotice(locale: Locale, notice: Notice, site: Site): string {
  const paragraphs = textFor(locale, `notice.${notice}.text`)
    .split('\n')
    .map((text) => `<p>${text}</p>`);
  const buttons = NOTICES[notice].map(
    (action) => `<button type="button" data-action="${action}">${textFor(locale, `action.${action}`)}</button>`,
  );
  return [
    `<section class="notice" id="notice-${notice}" aria-labelledby="notice-${notice}-title" hidden>`,
    `<h2 id="notice-${notice}-title" tabindex="-1">${textFor(locale, `notice.${notice}.title`)}</h2>`,
    ...paragraphs,
    ...(CLOSED_NOTICES.has(notice) ? [renderInstead(locale, site)] : []),
    ...(buttons.length > 0 ? [`<p class="actions">${buttons.join(' ')}</p>`] : []),
    '</section>',
  ].join('\n');
}

/** `page`: which page of each language is linked to; the first page where left out. */
function renderLanguages(locale: Locale, all: readonly Locale[], page = ''): string {
  return all
    .map(({ language, name, path }) =>
      language === locale.language
        ? `<span aria-current="page">${escapeHtml(name)}</span>`
        : `<a href="/${path}${page}" lang="${language}" hreflang="${language}">${escapeHtml(name)}</a>`,
    )
    .join(' ');
}

/**
 * `{{key}}` is a text and `{{@block}}` a part made here; `{{language}}`, `{{path}}` and `{{letterBytes}}` come from the locale, `{{exit}}`
 * from the site. What stands between `{{#each}}` and `{{/each}}` is repeated in every language.
 */
export function renderPage(template: string, locale: Locale, all: readonly Locale[], site: Site = PLAIN_SITE): string {
  const whole = template.replace(/\{\{#each\}\}([^]*?)\{\{\/each\}\}/g, (_, part: string) =>
    all.map((each) => renderPage(part, each, all, site)).join(' '),
  );
  return whole.replace(/\{\{(@?[\w.-]+)\}\}/g, (_, key: string) => {
    switch (key) {
      case 'language':
        return locale.language;
      case 'path':
        return locale.path;
      case 'letterBytes':
        return String(locale.letterBytes);
      case 'exit':
        return escapeHtml(site.exit);
      case '@name':
        return renderName(locale, site);
      case '@crisis':
        return renderCrisis(locale, site);
      case '@instead':
        return renderInstead(locale, site);
      case '@bridges':
        return renderBridges(locale, site);
      case '@clearnet':
        return renderClearnet(locale, site);
      case '@languages':
        return renderLanguages(locale, all);
      case '@replies-languages':
        return renderLanguages(locale, all, 'replies');
      case '@notices':
        return (Object.keys(NOTICES) as Notice[]).map((notice) => renderNotice(locale, notice, site)).join('\n');
      default:
        return textFor(locale, key);
    }
  });
}

/** Every text that the pages need, to be compared with what a locale has. */
export function neededTexts(template: string): Set<string> {
  const inTemplate = [...template.matchAll(/\{\{([\w-]+\.[\w.-]+)\}\}/g)].map(([, key]) => key as string);
  const inNotices = Object.entries(NOTICES).flatMap(([notice, actions]) => [
    `notice.${notice}.title`,
    `notice.${notice}.text`,
    ...actions.map((action) => `action.${action}`),
  ]);
  return new Set([...inTemplate, ...inNotices, ...SITE_TEXTS]);
}
