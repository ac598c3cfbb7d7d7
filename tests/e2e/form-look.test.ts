// What a person sees on a narrow screen, and by keyboard alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSERS, openBrowser, Tab, type TestBrowser } from '../support/browser.ts';
import { shareDeployment, type Deployment } from '../support/deployment.ts';

const NARROW = { width: 320, height: 640 };
/** 1,280 by 1,024 at 400 %. */
const ZOOMED = { width: 320, height: 256 };
const ENOUGH_TO_SEE = 100;
const SEND = '#send:not(:disabled)';

async function boxOf(tab: Tab, selector: string): Promise<{ top: number; height: number; width: number }> {
  return (await tab.page.evaluate(
    `(({ top, height, width }) => ({ top, height, width }))(document.querySelector('${selector}').getBoundingClientRect())`,
  )) as never;
}

let deployment: Deployment;
beforeAll(async () => {
  deployment = await shareDeployment();
});
afterAll(() => deployment?.stop());

describe.each(BROWSERS)('the page in %s', (name) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await openBrowser(name);
  });
  afterAll(() => browser?.close());

  // Firefox takes this setting from the system alone.
  if (name === 'chromium')
    return it('moves nothing for those who asked for less motion', async () => {
      const tab = await Tab.open(browser, deployment.url);
      // Until then the page may still change.
      await tab.until(SEND);
      await tab.page.evaluate(
        "document.getElementById('progress').hidden = false; document.getElementById('progress-bar').removeAttribute('value');",
      );
      expect(await tab.isVisible('#progress-bar')).toBe(true);
      await tab.page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
      expect(await tab.isVisible('#progress-bar')).toBe(false);
      await tab.page.close();
    });

  it.each(['', 'en/'])('/%s has no sideways scroll at 320 px, whatever it shows', async (path) => {
    const tab = await Tab.open(browser);
    await tab.page.setViewport(NARROW);
    await tab.page.goto(new URL(path, deployment.url).href);
    await tab.until(SEND);
    // All parts and notices at once, since each has to fit.
    await tab.page.evaluate(
      `for (const part of document.querySelectorAll('[hidden]')) part.hidden = false;
      for (const more of document.querySelectorAll('details')) more.open = true;`,
    );
    const width = await tab.page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(NARROW.width);
    await tab.page.close();
  });

  it('can be used by keyboard alone, in reading order', async () => {
    const tab = await Tab.open(browser, deployment.url);
    await tab.until(SEND);
    const order: string[] = [];
    for (let i = 0; i < 24 && order.at(-1) !== 'send'; i += 1) {
      await tab.page.keyboard.press('Tab');
      order.push(await tab.focused());
    }
    expect(order.filter((id) => id !== '')).toEqual(['exit', 'exit-known', 'message', 'topic-psychological', 'answer', 'contact', 'send']);
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

  it('keeps quick exit within reach of a thumb wherever the page is scrolled', async () => {
    const tab = await Tab.open(browser);
    await tab.page.setViewport(NARROW);
    await tab.page.goto(deployment.url);
    await tab.until(SEND);
    await tab.page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    const { top, height, width } = await boxOf(tab, '#exit');
    expect(top).toBeGreaterThanOrEqual(0);
    expect(top + height).toBeLessThan(100);
    expect(height).toBeGreaterThanOrEqual(48);
    expect(width).toBeGreaterThan(NARROW.width * 0.8);
    await tab.page.close();
  });

  it('never hides the focused element under quick exit, at 400 % on a small screen', async () => {
    const tab = await Tab.open(browser);
    await tab.page.setViewport(ZOOMED);
    await tab.page.goto(deployment.url);
    await tab.until(SEND);
    await tab.page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    for (const id of ['send', 'contact', 'answer', 'topic-legal', 'message', 'exit-known']) {
      const hidden = async (): Promise<number> => {
        await tab.page.evaluate(`document.activeElement.blur(); document.getElementById('${id}').focus()`);
        const { top, height } = await boxOf(tab, `#${id}`);
        const seen = Math.min(top + height, ZOOMED.height) - Math.max(top, (await boxOf(tab, 'header')).height);
        // A field taller than the screen is cut somewhere.
        return Math.min(height, ENOUGH_TO_SEE) - seen;
      };
      // When the focus moves again before Firefox paints, the page stays where the first move scrolled it.
      await expect.poll(hidden, { message: id, timeout: 30_000 }).toBeLessThanOrEqual(0);
    }
    await tab.page.close();
  });

  it('gives every field an accessible name', async () => {
    const tab = await Tab.open(browser, deployment.url);
    await tab.until(SEND);
    const nameless = await tab.page.evaluate(
      `[...document.querySelectorAll('input, textarea')].filter((field) => field.labels.length !== 1).length`,
    );
    expect(nameless).toBe(0);
    await tab.page.close();
  });
});
