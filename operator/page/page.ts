import { headline, isOfSetup, runbookOf, WARNINGS, type Attention, type Severity } from '../attention/attention.ts';
import type { Ahead } from '../attention/ahead.ts';
import type { History } from '../history.ts';
import { inUtc, minuteOf } from '../moments.ts';
import { isWhole, nextLookMinutes, type Sight } from '../sight.ts';
import { renderCharts } from './charts.ts';
import { durationOf, factsOf, type Fact, type Facts } from './facts.ts';
import { html, Markup, type Content } from './html.ts';
import { STYLE } from './style.ts';

const BADGE: Readonly<Record<Severity, string>> = { critical: 'Now', warning: 'Soon' };
/** The style as it was hashed. */
const style = new Markup(`<style>${STYLE}</style>`);

/** The operator's page: first whether anything is to be done, then what, then how everything is. */
export function renderOperatorPage(sight: Sight, history: History): string {
  const { attention, notices, at } = sight;
  const verdict = headline(attention, isWhole(sight));
  const worst = attention.some(({ code }) => WARNINGS[code] === 'critical') ? 'critical' : attention.length > 0 ? 'warning' : 'well';
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${verdict} – support-relay</title>
        ${style}
      </head>
      <body>
        <header class="${worst}">
          <h1>${verdict}</h1>
          <p class="quiet">
            Seen in the round of ${renderTime(at)}. The next look comes within ${withinOf(sight)}: load the page again then.
            ${sight.isVisiting ? VISITING : null}
          </p>
        </header>
        <main>
          ${attention.length === 0 ? null : renderAttention(sight)} ${notices.length === 0 ? null : renderNotices(notices)}
          <div class="facts">${factsOf(sight).map(renderFacts)}</div>
          ${renderCharts(history.upTo(at))}
        </main>
      </body>
    </html> `;
  return page.text;
}

function renderAttention(sight: Sight): Markup {
  const { attention } = sight;
  const worstFirst = attention.toSorted((a, b) => (WARNINGS[a.code] < WARNINGS[b.code] ? -1 : WARNINGS[a.code] > WARNINGS[b.code] ? 1 : 0));
  return html`<section aria-labelledby="needs">
    <h2 id="needs">What needs you</h2>
    <ol>
      ${worstFirst.map((one) => renderOne(one, sight))}
    </ol>
  </section> `;
}

function renderOne(one: Attention, sight: Sight): Markup {
  const { code, what, advice } = one;
  const severity = WARNINGS[code];
  return html`<li>
    <h3><span class="badge ${severity}-text">${BADGE[severity]}:</span> ${what}</h3>
    <p>${sentence(advice)}</p>
    ${isOfSetup(one) ? renderSeen(sight) : null}
    <p class="quiet">More: <code>${runbookOf(code)}</code></p>
  </li>`;
}

/** Nobody is to do again what they have just done. */
function renderSeen(sight: Sight): Markup {
  return html`<p class="quiet">
    As of the round of ${renderTime(sight.at)}. If you have done this since, the next look, within ${withinOf(sight)}, no longer says so.
  </p>`;
}

const VISITING =
  'The form is being visited under its onion address, which takes up to a minute: what is said of that is what the visit before found.';
const withinOf = (sight: Sight): string => durationOf(nextLookMinutes(sight) * 60);

function renderTime(moment: Date): Markup {
  const iso = moment.toISOString();
  return html`<time datetime="${minuteOf(iso)}Z">${inUtc(iso)}</time>`;
}

function renderNotices(notices: readonly Ahead[]): Markup {
  return html`<section aria-labelledby="ahead">
    <h2 id="ahead">What is coming</h2>
    <ul>
      ${notices.map(({ code, what, advice }) => renderNotice(`${sentence(what)} ${sentence(advice)}`, runbookOf(code)))}
    </ul>
  </section> `;
}

function renderNotice(words: string, runbook: string): Content {
  return html`<li>
    <p>${words}</p>
    <p class="quiet">More: <code>${runbook}</code></p>
  </li>`;
}

function renderFacts({ title, facts }: Facts): Markup {
  return html`<section>
    <h2>${title}</h2>
    <dl>${facts.map(renderFact)}</dl>
  </section> `;
}

function renderFact({ name, value, mood }: Fact): Markup {
  return html`<div><dt>${name}</dt><dd${mood === undefined ? null : html` class="${mood}-text"`}>${value}</dd></div>`;
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?)]$/.test(words) ? '' : '.'}`;
