// Makes the parts of a page that come from the operator's site file.
import type { Locale } from '../../runtime/locales.ts';
import type { CrisisLine, Site } from './site.ts';
import { escapeHtml, textFor } from './texts.ts';

/** Every text that is used here and in no template. */
export const SITE_TEXTS = ['crisis.none', 'crisis.lines', 'crisis.opens', 'clearnet.title', 'clearnet.text', 'instead.ways'] as const;

export function renderName({ language }: Locale, { name }: Site): string {
  const own = name[language];
  return own === undefined ? '' : `<p class="name">${escapeHtml(own)}</p>`;
}

/** A link opens in a new tab: a tap on it must not lose what somebody has written. */
function renderLine(locale: Locale, { name, contact, hours, link }: CrisisLine): string {
  const reach = escapeHtml(contact);
  return [
    `<li><b>${escapeHtml(name)}</b><br>`,
    link === undefined
      ? reach
      : `<a href="${escapeHtml(link)}" target="_blank" rel="noopener noreferrer">${reach}</a> ${textFor(locale, 'crisis.opens')}`,
    ...(hours === undefined ? [] : [`<br>${escapeHtml(hours)}`]),
    '</li>',
  ].join('');
}

export function renderCrisis(locale: Locale, { crisisLines }: Site): string {
  const lines = crisisLines[locale.language];
  if (lines === undefined) return `<p>${textFor(locale, 'crisis.none')}</p>`;
  return `<p>${textFor(locale, 'crisis.lines')}</p>\n<ul>${lines.map((line) => renderLine(locale, line)).join('')}</ul>`;
}

/** What somebody can do while nothing is taken: how else to reach the organisation, where the operator names a way, and who helps now. */
export function renderInstead(locale: Locale, site: Site): string {
  const ways = site.otherWays[locale.language];
  const own = ways === undefined ? '' : `<p>${textFor(locale, 'instead.ways')} ${escapeHtml(ways)}</p>\n`;
  return own + renderCrisis(locale, site);
}

export function renderBridges({ language }: Locale, { bridges }: Site): string {
  const own = bridges[language];
  return own === undefined ? '' : ` ${escapeHtml(own)}`;
}

export function renderClearnet(locale: Locale, { clearnet }: Site): string {
  if (clearnet === undefined) return '';
  return [
    '<section id="clearnet" class="notice" aria-labelledby="clearnet-title">',
    `<h2 id="clearnet-title">${textFor(locale, 'clearnet.title')}</h2>`,
    `<p>${textFor(locale, 'clearnet.text')}</p>`,
    `<p><code>${escapeHtml(clearnet.onion)}</code></p>`,
    '</section>',
  ].join('\n');
}
