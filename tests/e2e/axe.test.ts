// axe-core looks at every page and everything a page can show, in each language and theme.
import axe from 'axe-core';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSERS, openBrowser, Tab, type BrowserName } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { Front } from '../support/front.ts';
import { PASTE_PAGES } from '../../web/pasted.ts';

const THEMES = ['light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What the form can show, each as the scripts would show it. */
const STATES: Readonly<Record<string, string>> = {
  'the open form': '',
  'the help unfolded': "for (const more of document.querySelectorAll('details')) more.open = true;",
  'the message missing': "document.getElementById('send').click();",
  // Two say the same at first sight and never show together.
  'every notice': "for (const notice of document.querySelectorAll('#notices [hidden]:not(#notice-closed-service)')) notice.hidden = false;",
  'another closed door': "for (const notice of document.querySelectorAll('#notices > *')) notice.hidden = notice.id !== 'notice-closed-service';",
  'everything about room': "for (const part of document.querySelectorAll('.room [hidden], #checking')) part.hidden = false;",
  'no answer wanted': "document.getElementById('answer').click();",
  'the words of a code not loaded': "document.getElementById('answer').click(); document.getElementById('answer-away').hidden = false;",
  'the wait': only('opening'),
  'the progress': `${only('progress')} for (const step of document.querySelectorAll('#progress [hidden]')) step.hidden = false;`,
  'the access code': `${only('accepted')} ${onlyPart('code')}
    document.getElementById('code-words').append(...Array.from({ length: 10 }, () => Object.assign(document.createElement('li'), { textContent: 'абажур' })));`,
  'a word of the code that does not fit': "for (const part of document.querySelectorAll('#code [hidden]')) part.hidden = false;",
  'two words of the code asked for': onlyPart('code-check'),
  'the warning before going on without that': onlyPart('code-skip'),
  'the end': `${only('accepted')} for (const part of document.querySelectorAll('#accepted [hidden]')) part.hidden = false;`,
};

/** As STATES, of the page for replies. */
const REPLIES_STATES: Readonly<Record<string, string>> = {
  'the field for the code': '',
  'a word offered and every problem': "for (const part of document.querySelectorAll('#enter [hidden], #checking')) part.hidden = false; document.getElementById('offer').textContent = 'абажур';",
  'every notice': STATES['every notice'] ?? '',
  'another closed door': STATES['another closed door'] ?? '',
  'the progress': `${onlyView('progress')} for (const step of document.querySelectorAll('#progress [hidden]')) step.hidden = false;`,
  'answers': `${onlyView('conversation')} for (const part of document.querySelectorAll('#conversation [hidden]')) part.hidden = false;
    for (const number of [1, 2]) {
      const reply = document.getElementById('reply').content.cloneNode(true);
      reply.querySelector('[data-slot]').textContent = number;
      reply.querySelector('h2').id = 'reply-' + number;
      reply.querySelector('article').setAttribute('aria-labelledby', 'reply-' + number);
      reply.querySelector('.text').textContent = 'Здравствуйте';
      document.getElementById('replies').append(reply);
    }`,
  'the end': onlyView('ended'),
};

function onlyView(view: string): string {
  return `document.getElementById('notices').hidden = true; for (const id of ['enter', 'progress', 'conversation', 'ended']) document.getElementById(id).hidden = id !== '${view}';
    document.getElementById('intro').hidden = ${String(view !== 'enter')};`;
}

function onlyPart(part: string): string {
  return `for (const id of ['code', 'code-check', 'code-skip', 'accepted-after']) document.getElementById(id).hidden = id !== '${part}';`;
}

function only(view: string): string {
  return `for (const id of ['opening', 'form', 'progress', 'accepted']) document.getElementById(id).hidden = id !== '${view}';
    document.getElementById('intro').hidden = ${String(view === 'progress' || view === 'accepted')};`;
}

/** What NoScript makes of a page at Safest. axe is a script itself, so it cannot look where really none run. */
function asNoScript(page: string): string {
  return page.replace(/<script[^>]*><\/script>/g, '').replace(/<(\/?)noscript>/g, '<$1span>');
}

function open(name: BrowserName, theme: Theme): Promise<Browser> {
  // A browser that resists fingerprinting, as Tor Browser does, shows everyone the light theme.
  const firefoxPrefs = { 'privacy.resistFingerprinting': false, 'layout.css.prefers-color-scheme.content-override': theme === 'dark' ? 0 : 1 };
  return openBrowser(name, { firefoxPrefs });
}

/** Everything axe objects to, one line each. */
async function findings(tab: Tab): Promise<string[]> {
  await tab.page.evaluate(axe.source);
  const found = await tab.page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(TAGS)}, resultTypes: ['violations'] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`);
  return found as string[];
}

describe.each(BROWSERS.flatMap((name) => THEMES.map((theme) => [name, theme] as const)))('axe in %s, %s, finds nothing', (name, theme) => {
  let deployment: Deployment;
  let browser: Browser;
  beforeAll(async () => {
    deployment = await startDeployment();
    browser = await open(name, theme);
  });
  afterAll(async () => {
    await browser?.close();
    await deployment?.stop();
  });

  async function openTab(path: string, url = deployment.url): Promise<Tab> {
    const tab = await Tab.open(browser);
    if (name === 'chromium') await tab.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    await tab.page.goto(new URL(path, url).href, { waitUntil: 'load' });
    expect(await tab.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")).toBe(theme === 'dark');
    return tab;
  }

  it.each(['', 'en/'])('on /%s, whatever it shows', async (path) => {
    const tab = await openTab(path);
    await tab.until('#send:not(:disabled)');
    const found: Record<string, string[]> = {};
    for (const [state, show] of Object.entries(STATES)) {
      await tab.page.evaluate(show);
      found[state] = await findings(tab);
    }
    expect(found).toEqual(Object.fromEntries(Object.keys(STATES).map((state) => [state, []])));
    await tab.page.close();
  });

  it.each(['', 'en/'])('on /%sreplies, whatever it shows', async (path) => {
    const tab = await openTab(`${path}replies`);
    await tab.until('#read:not(:disabled)');
    const found: Record<string, string[]> = {};
    for (const [state, show] of Object.entries(REPLIES_STATES)) {
      await tab.page.evaluate(show);
      found[state] = await findings(tab);
    }
    expect(found).toEqual(Object.fromEntries(Object.keys(REPLIES_STATES).map((state) => [state, []])));
    await tab.page.close();
  });

  it('unless there is something to find', async () => {
    const tab = await openTab('');
    await tab.until('#send:not(:disabled)');
    await tab.page.evaluate("document.querySelector('label[for=contact]').remove(); document.getElementById('message-hint').style.color = '#777';");
    expect(await findings(tab)).toEqual(expect.arrayContaining(['label-title-only: #contact', 'color-contrast: #message-hint']));
    await tab.page.close();
  });

  it.each(['', 'en/'])('on the pages after a paste, under /%s', async (path) => {
    const [page] = PASTE_PAGES;
    const tab = await openTab(`${path}paste/${page}.html`);
    expect(await findings(tab)).toEqual([]);
    await tab.page.close();
  });

  it.each(['', 'en/'])('on /%sform.html, whatever it shows', async (path) => {
    const front = await Front.start(deployment.url);
    const file = `${path}form.html`;
    // The relay hands it out to be saved, not shown.
    front.rules.set(`/${file}`, async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(await (await fetch(new URL(file, deployment.url))).text());
    });
    const tab = await openTab(file, front.url);
    await tab.until('#form');
    expect(await findings(tab)).toEqual([]);
    await tab.page.evaluate(`for (const part of document.querySelectorAll('main [hidden]')) part.hidden = false; ${STATES['the help unfolded'] ?? ''}`);
    expect(await findings(tab)).toEqual([]);
    await tab.page.close();
    await front.stop();
  });

  it.each(['', 'en/', 'replies', 'en/replies'])('on /%s without scripts', async (path) => {
    const front = await Front.start(deployment.url);
    front.rules.set(`/${path}`, async (_, response) => {
      const page = await (await fetch(new URL(path, deployment.url))).text();
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(asNoScript(page));
    });
    const tab = await openTab(path, front.url);
    expect(await tab.isVisible('#no-scripts')).toBe(true);
    expect(await findings(tab)).toEqual([]);
    await tab.page.close();
    await front.stop();
  });
});
