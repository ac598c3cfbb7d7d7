// Without scripts (Tor Browser's level Safest): the page says what works, and takes a parcel that was sealed elsewhere.
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageHeaders } from '../../cli/actions/hand-in.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { PARCEL_BYTES } from '../../crypto/parcel.ts';
import { Bare } from '../support/bare.ts';
import { openBrowser, Tab, type BrowserName } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { Front } from '../support/front.ts';

let deployment: Deployment;
let front: Front;
beforeAll(async () => {
  deployment = await startDeployment();
  front = await Front.start(deployment.url);
});
afterAll(async () => {
  await front?.stop();
  await deployment?.stop();
});

/** What both browsers can be asked to do without scripts in the page. */
type Reader = {
  goto(path: string): Promise<void>;
  text(css: string): Promise<string>;
  isVisible(css: string): Promise<boolean>;
  paste(css: string, text: string): Promise<void>;
  click(css: string): Promise<void>;
  until(css: string): Promise<void>;
  readonly problems: readonly string[];
};

async function inFirefox(browser: Browser): Promise<Reader> {
  const bare = await Bare.open(browser);
  return Object.assign(bare, { goto: async (path: string) => void (await bare.page.goto(new URL(path, front.url).href)) });
}

async function inChromium(browser: Browser): Promise<Reader> {
  const tab = new Tab(await browser.newPage());
  await tab.page.setJavaScriptEnabled(false);
  return {
    problems: tab.problems,
    goto: async (path) => void (await tab.page.goto(new URL(path, front.url).href)),
    text: (css) => tab.text(css),
    isVisible: (css) => tab.isVisible(css),
    paste: (css, text) => tab.paste(css, text),
    click: (css) => tab.page.click(css),
    until: (css) => tab.until(css),
  };
}

const posted = (): string[] => front.seen.filter(({ method }) => method === 'POST').map(({ path }) => path);
const SEND = '#no-scripts ~ section button';

describe.each(['firefox', 'chromium'] as const satisfies BrowserName[])('without scripts, in %s', (name) => {
  let browser: Browser;
  let reader: Reader;
  beforeAll(async () => {
    browser = await openBrowser(name, name === 'firefox' ? { level: 'safest' } : {});
    reader = await (name === 'firefox' ? inFirefox(browser) : inChromium(browser));
  });
  afterAll(() => browser?.close());

  it('says why scripts are needed, and three ways to go on', async () => {
    await reader.goto('');
    expect(await reader.isVisible('#no-scripts')).toBe(true);
    expect(await reader.isVisible('#opening')).toBe(false);
    expect(await reader.isVisible('#form')).toBe(false);
    const text = await reader.text('main');
    for (const word of ['Safer', 'Сохранить форму', 'Зашифрованный текст']) expect(text).toContain(word);
    await reader.until('a[href="/form.html"]');
    await reader.until('#parcel');
  });

  it.each([
    ['words', () => 'Help me please'],
    ['nothing', () => ''],
    ['a parcel cut at its end', () => encodeParcelText(deployment.seal('x')).slice(0, -1)],
    ['words as long as a parcel', () => 'help '.repeat(7_000).slice(0, 32_768)],
  ])('lets the browser itself refuse %s', async (_what, make) => {
    front.reset();
    await reader.goto('en/');
    const text = make();
    if (text !== '') await reader.paste('#parcel', text);
    await reader.click(SEND);
    // What would have been sent would come before this.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(posted()).toEqual([]);
    expect(await reader.isVisible('#parcel')).toBe(true);
  });

  it('takes a sealed parcel to the volunteer, and says so in a page', async () => {
    front.reset();
    const message = `Sealed elsewhere, pasted in ${name}`;
    await reader.goto('en/');
    await reader.paste('#parcel', encodeParcelText(deployment.seal(message)));
    await reader.click(SEND);
    await reader.until('a[href="/en/"]');
    await reader.until('main > h1');
    expect(await reader.text('main > h1')).toBe('Your request has been accepted');
    expect(posted()).toEqual(['/en/paste']);
    const [sent] = front.seen.filter(({ method }) => method === 'POST');
    // Origin checks could not be passed by anyone: the page says nothing about itself.
    if (name === 'firefox') expect(sent?.headers).toMatch(/\nOrigin\nnull(\n|$)/);
    expect(await deployment.untilDelivered([message])).toContain(message);
    expect(reader.problems).toEqual([]);
  });

  // A click is lost now and then where nothing can be asked of the page; what is tested is the relay's answer.
  it('says what to do when the parcel is of no use', { retry: 2 }, async () => {
    await reader.goto('');
    await reader.paste('#parcel', 'A'.repeat(32_768));
    await reader.click(SEND);
    await reader.until('main > p:nth-of-type(3)');
    expect(await reader.text('main > h1')).toBe('Этот текст не читается');
  });
});

it('with scripts, a command line sends a parcel with the headers of the page, in its order', async () => {
  front.reset();
  const browser = await openBrowser('firefox');
  try {
    const tab = await Tab.open(browser, front.url);
    await tab.until('#send:not(:disabled)');
    await tab.page.type('#message', 'headers');
    await tab.page.click('#send');
    await tab.until('#accepted', 60_000);
  } finally {
    await browser.close();
  }
  const sent = front.seen.find(({ path }) => path === '/parcel');
  const names = (headers: readonly string[]): string[] => headers.filter((_, index) => index % 2 === 0);
  expect(names(sent?.headers.split('\n') ?? [])).toEqual(names(pageHeaders(PARCEL_BYTES)));
});
