// Leaving the page, in whichever way: no text stays behind, and none is lost by mistake.
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BROWSERS, openBrowser, Tab } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';

const MESSAGE = 'Этого никто не должен увидеть.';

describe.each(BROWSERS)('leaving the form in %s', (name) => {
  let deployment: Deployment;
  let browser: Browser;
  let tab: Tab;
  let asked: string[];
  beforeAll(async () => {
    deployment = await startDeployment();
    browser = await openBrowser(name);
  });
  afterAll(async () => {
    await browser?.close();
    await deployment?.stop();
  });
  beforeEach(async () => {
    asked = [];
    tab = await Tab.open(browser, deployment.url);
    tab.page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void dialog.accept();
    });
    await tab.until('#send:not(:disabled)');
    return async () => tab.page.close({ runBeforeUnload: false });
  });

  async function typeRequest(): Promise<void> {
    await tab.page.click('#topic-legal');
    await tab.page.type('#message', MESSAGE);
    await tab.page.type('#contact', 'a@example.org');
  }
  async function expectEmptyForm(): Promise<void> {
    await tab.until('#send:not(:disabled)');
    expect(await tab.value('#message') + await tab.value('#contact')).toBe('');
    expect(await tab.page.$('#topics input:checked')).toBeNull();
  }

  it.each([
    ['by the link', () => tab.page.click('#exit')],
    ['by Escape, three times', async () => {
      for (let i = 0; i < 3; i += 1) await tab.page.keyboard.press('Escape');
    }],
  ])('quick exit %s empties the page at once and asks nothing', async (_, exit) => {
    await typeRequest();
    await exit();
    await expect.poll(() => tab.page.url()).toBe('about:blank');
    expect(await tab.text()).toBe('');
    expect(asked).toEqual([]);
  });

  it('one Escape does nothing', async () => {
    await typeRequest();
    await tab.page.keyboard.press('Escape');
    expect(await tab.value('#message')).toBe(MESSAGE);
  });

  it('a reload asks first when there is text, and brings an empty form', async () => {
    await typeRequest();
    await tab.page.reload({ waitUntil: 'load' });
    expect(asked).toEqual(['beforeunload']);
    await expectEmptyForm();
  });

  it('a reload without text asks nothing', async () => {
    await tab.page.click('#message');
    await tab.page.reload({ waitUntil: 'load' });
    expect(asked).toEqual([]);
  });

  it('going away and back brings an empty form', async () => {
    await typeRequest();
    await tab.page.goto(new URL('en/', deployment.url).href, { waitUntil: 'load' });
    await tab.page.goBack({ waitUntil: 'load' });
    await expectEmptyForm();
  });

  it('after sending nothing is asked', async () => {
    await typeRequest();
    await tab.page.click('#send');
    await tab.until('#accepted');
    await Promise.all([tab.page.waitForNavigation(), tab.page.click('#accepted a')]);
    expect(asked).toEqual([]);
    await expectEmptyForm();
  });
});
