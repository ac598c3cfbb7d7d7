// axe-core checks every page in every state it can show, in each language and theme.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PASTE_PAGES } from '../../crypto/wire.ts';
import { findings, openThemed, setTheme, THEMES, type Theme } from '../support/axe.ts';
import { Tab, type BrowserName, type TestBrowser } from '../support/browser.ts';
import { useSite } from '../support/page-bench.ts';
import { isThorough, sampled } from '../support/thorough.ts';

/** States of the form, each set up as the scripts would show it. */
const STATES: Readonly<Record<string, string>> = {
  'the open form': '',
  'the help unfolded': "for (const more of document.querySelectorAll('details')) more.open = true;",
  'the message missing': "document.getElementById('send').click();",
  // Two of them look alike, and never show together.
  'every notice': "for (const notice of document.querySelectorAll('#notices [hidden]:not(#notice-closed-service)')) notice.hidden = false;",
  'another closed door':
    "for (const notice of document.querySelectorAll('#notices > *')) notice.hidden = notice.id !== 'notice-closed-service';",
  'everything about room': "for (const part of document.querySelectorAll('.room [hidden], #checking')) part.hidden = false;",
  'no answer wanted': "document.getElementById('answer').click();",
  'the words of a code not loaded': "document.getElementById('answer').click(); document.getElementById('answer-away').hidden = false;",
  'the wait': only('opening'),
  'the progress': `${only('progress')} for (const step of document.querySelectorAll('#progress [hidden]')) step.hidden = false;`,
  'the access code': `${only('accepted')} ${onlyPart('code')}
    const word = () => Object.assign(document.createElement('li'), { textContent: 'абажур' });
    document.getElementById('code-words').append(...Array.from({ length: 10 }, word));`,
  'a word of the code that does not fit': "for (const part of document.querySelectorAll('#code [hidden]')) part.hidden = false;",
  'two words of the code asked for': onlyPart('code-check'),
  'the warning before going on without that': onlyPart('code-skip'),
  'the end': `${only('accepted')} for (const part of document.querySelectorAll('#accepted [hidden]')) part.hidden = false;`,
};

/** The same for the replies page. */
const REPLIES_STATES: Readonly<Record<string, string>> = {
  'the field for the code': '',
  'a word offered and every problem': `for (const part of document.querySelectorAll('#enter [hidden], #checking')) part.hidden = false;
    document.getElementById('offer').textContent = 'абажур';`,
  'every notice': STATES['every notice'] ?? '',
  'another closed door': STATES['another closed door'] ?? '',
  'the progress': `${onlyView('progress')} for (const step of document.querySelectorAll('#progress [hidden]')) step.hidden = false;`,
  answers: `${onlyView('conversation')} for (const part of document.querySelectorAll('#conversation [hidden]')) part.hidden = false;
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
  return `document.getElementById('notices').hidden = true;
    for (const id of ['enter', 'progress', 'conversation', 'ended']) document.getElementById(id).hidden = id !== '${view}';
    document.getElementById('intro').hidden = ${String(view !== 'enter')};`;
}

function onlyPart(part: string): string {
  return `for (const id of ['code', 'code-check', 'code-skip', 'accepted-after']) document.getElementById(id).hidden = id !== '${part}';`;
}

function only(view: string): string {
  return `for (const id of ['opening', 'form', 'progress', 'accepted']) document.getElementById(id).hidden = id !== '${view}';
    document.getElementById('intro').hidden = ${String(view === 'progress' || view === 'accepted')};`;
}

/** A page as NoScript renders it at Safest. axe is a script itself, so it cannot run where scripts are really off. */
function asNoScript(page: string): string {
  return page.replace(/<script[^>]*><\/script>/g, '').replace(/<(\/?)noscript>/g, '<$1span>');
}

const site = useSite();
/** Firefox, since Tor Browser is one; the offline form is used in any browser. */
const CASES: readonly (readonly [BrowserName, Theme])[] = THEMES.flatMap(
  (theme) =>
    [
      ['firefox', theme],
      ['chromium', theme],
    ] as const,
);

async function page(path: string): Promise<string> {
  return (await fetch(new URL(path, site.deployment.url))).text();
}
function serve(path: string, text: string): void {
  site.front.rules.set(`/${path}`, (_, response) => void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text));
}

describe.each(sampled(CASES, ([name]) => name === 'chromium'))('axe in %s, %s, finds nothing', (name, theme) => {
  /** In `npm test` each theme in one of them. */
  const languages = isThorough() ? ['', 'en/'] : [theme === 'light' ? '' : 'en/'];
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await openThemed(name, theme);
  });
  afterAll(() => browser?.close());
  let tab: Tab;
  beforeEach(async () => {
    site.front.reset();
    tab = await Tab.open(browser);
    await setTheme(tab, name, theme);
    return () => tab.page.close();
  });

  async function goto(path: string, until: string): Promise<void> {
    await tab.page.goto(new URL(path, site.front.url).href, { waitUntil: 'load' });
    await tab.until(until);
  }
  async function expectNothing(states: Readonly<Record<string, string>>): Promise<void> {
    const found: Record<string, string[]> = {};
    for (const [state, show] of Object.entries(states)) {
      await tab.page.evaluate(show);
      found[state] = await findings(tab, theme);
    }
    expect(found).toEqual(Object.fromEntries(Object.keys(states).map((state) => [state, []])));
  }

  it.each(languages)('on /%sform.html, whatever it shows', async (path) => {
    // The relay serves it as a download, not as a page.
    serve(`${path}form.html`, await page(`${path}form.html`));
    await goto(`${path}form.html`, '#form');
    await expectNothing({
      'at first': '',
      everything: `for (const part of document.querySelectorAll('main [hidden]')) part.hidden = false;
        ${STATES['the help unfolded'] ?? ''}`,
    });
  });

  // Chromium shows both themes without being started again.
  if (isThorough() && name !== 'firefox') return;

  it.each(languages)('on /%s, whatever it shows', async (path) => {
    await goto(path, '#send:not(:disabled)');
    await expectNothing(STATES);
  });

  it.each(languages)('on /%sreplies, whatever it shows', async (path) => {
    await goto(`${path}replies`, '#read:not(:disabled)');
    await expectNothing(REPLIES_STATES);
  });

  it('unless there is something to find', async () => {
    await goto('', '#send:not(:disabled)');
    await tab.page.evaluate(
      "document.querySelector('label[for=contact]').remove(); document.getElementById('message-hint').style.color = '#777';",
    );
    expect(await findings(tab, theme)).toEqual(
      expect.arrayContaining([...(theme === 'light' ? ['label-title-only: #contact'] : []), 'color-contrast: #message-hint']),
    );
  });

  it.each(languages)('on the pages after a paste, under /%s', async (path) => {
    const [first] = PASTE_PAGES;
    await goto(`${path}paste/${first}.html`, 'h1');
    await expectNothing({ 'as it is': '' });
  });

  it('on the page for an address that leads nowhere', async () => {
    await goto('nothing', 'h1');
    await expectNothing({ 'as it is': '' });
  });

  it.each(languages.flatMap((path) => [path, `${path}replies`]))('on /%s without scripts', async (path) => {
    serve(path, asNoScript(await page(path)));
    await goto(path, '#no-scripts');
    await expectNothing({ 'as it is': '' });
  });
});
