// What a person sees on a narrow screen, without scripts, and by keyboard alone.
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSERS, openBrowser, Tab } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';

const NARROW = { width: 320, height: 640 };
const SEND = '#send:not(:disabled)';

describe.each(BROWSERS)('the page in %s', (name) => {
  let deployment: Deployment;
  let browser: Browser;
  beforeAll(async () => {
    deployment = await startDeployment();
    browser = await openBrowser(name);
  });
  afterAll(async () => {
    await browser?.close();
    await deployment?.stop();
  });

  it.each(['', 'en/'])('/%s has no sideways scroll at 320 px, whatever it shows', async (path) => {
    const tab = await Tab.open(browser);
    await tab.page.setViewport(NARROW);
    await tab.page.goto(new URL(path, deployment.url).href);
    await tab.until(SEND);
    // Every part and every notice at once: each of them has to fit.
    await tab.page.evaluate("for (const part of document.querySelectorAll('[hidden]')) part.hidden = false; document.querySelector('details').open = true;");
    const width = await tab.page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(NARROW.width);
    await tab.page.close();
  });

  it('can be used by keyboard alone, in the order it is read', async () => {
    const tab = await Tab.open(browser, deployment.url);
    await tab.until(SEND);
    const order: string[] = [];
    for (let i = 0; i < 12 && order.at(-1) !== 'send'; i += 1) {
      await tab.page.keyboard.press('Tab');
      order.push(await tab.focused());
    }
    expect(order.filter((id) => id !== '')).toEqual(['exit', 'topic-psychological', 'message', 'contact', 'send']);
    await tab.page.focus('#topic-psychological');
    await tab.page.keyboard.press('ArrowDown');
    await tab.page.focus('#message');
    await tab.page.keyboard.type('С клавиатуры.');
    await tab.page.focus('#send');
    await tab.page.keyboard.press('Enter');
    await tab.until('#accepted');
    await deployment.untilDelivered(['С клавиатуры.']);
    expect((await deployment.letters()).find(({ message }) => message === 'С клавиатуры.')).toMatchObject({ topic: 'legal' });
    await tab.page.close();
  });

  it('gives every field a name that can be read out', async () => {
    const tab = await Tab.open(browser, deployment.url);
    await tab.until(SEND);
    const nameless = await tab.page.evaluate(`[...document.querySelectorAll('input, textarea')].filter((field) => field.labels.length !== 1).length`);
    expect(nameless).toBe(0);
    await tab.page.close();
  });
});

describe('without scripts', () => {
  it.each([['', 'нужны скрипты'], ['en/', 'needs scripts']])('/%s says why there is no form, and has none', async (path, words) => {
    const deployment = await startDeployment();
    const browser = await openBrowser('chromium');
    try {
      const tab = await Tab.open(browser);
      await tab.page.setJavaScriptEnabled(false);
      await tab.page.goto(new URL(path, deployment.url).href);
      expect(await tab.text('#no-scripts')).toContain(words);
      for (const hidden of ['#form', '#opening', '#progress', '#accepted']) expect(await tab.isVisible(hidden)).toBe(false);
      expect(tab.problems).toEqual([]);
    } finally {
      await browser.close();
      await deployment.stop();
    }
  });
});
