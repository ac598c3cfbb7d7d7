// Leaving the page in any way: no text stays behind, and none is lost by mistake.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openBrowser, Tab, type TestBrowser } from '../support/browser.ts';
import { shareDeployment, type Deployment } from '../support/deployment.ts';
import { enginesFor, thoroughly } from '../support/thorough.ts';

const MESSAGE = 'Этого никто не должен увидеть.';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await shareDeployment();
});
afterAll(() => deployment?.stop());

describe.each(enginesFor('firefox'))('leaving the form in %s', (name) => {
  let browser: TestBrowser;
  let tab: Tab;
  const asked = (): string[] => tab.dialogs.map(({ type }) => type);
  beforeAll(async () => {
    browser = await openBrowser(name);
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    tab = await Tab.open(browser, deployment.url);
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
    expect((await tab.value('#message')) + (await tab.value('#contact'))).toBe('');
    expect(await tab.page.$('#topics input:checked')).toBeNull();
  }

  it.each([
    ['by the link', () => tab.page.click('#exit')],
    [
      'by Escape, three times',
      async () => {
        for (let i = 0; i < 3; i += 1) await tab.page.keyboard.press('Escape');
      },
    ],
  ])('quick exit %s empties the page at once and asks nothing', async (_, exit) => {
    await typeRequest();
    await exit();
    await expect.poll(() => tab.page.url()).toBe('about:blank');
    expect(await tab.text()).toBe('');
    expect(asked()).toEqual([]);
  });

  it('quick exit replaces the form in the history: going back skips it', async () => {
    const before = new URL('door.json', deployment.url).href;
    await tab.page.goto(before);
    await tab.page.goto(deployment.url, { waitUntil: 'load' });
    await tab.until('#send:not(:disabled)');
    await typeRequest();
    await tab.page.click('#exit');
    await expect.poll(() => tab.page.url()).toBe('about:blank');
    await tab.page.goBack();
    expect(tab.page.url()).toBe(before);
    expect(asked()).toEqual([]);
  });

  thoroughly('quick exit works while a request is on its way', async () => {
    await typeRequest();
    await tab.page.click('#send');
    await tab.page.click('#exit');
    await expect.poll(() => tab.page.url()).toBe('about:blank');
    expect(asked()).toEqual([]);
  });

  it('the hint says at every visit what quick exit does, until it is put away; the advice says what it cannot do', async () => {
    expect(await tab.text('#exit-hint')).toContain('сразу уберёт текст');
    expect(await tab.page.evaluate("document.querySelector('#intro').textContent")).toContain('не стирает историю браузера');
    await tab.page.click('#exit-known');
    expect(await tab.isVisible('#exit-hint')).toBe(false);
    expect(await tab.focused()).toBe('exit');
    await tab.page.reload({ waitUntil: 'load' });
    await tab.until('#exit-hint');
  });

  it("the page's own links ask first when there is text, in the page's own words", async () => {
    await typeRequest();
    await tab.page.click('nav a');
    await tab.until('#notice-leaving');
    expect(await tab.focused()).toBe('notice-leaving-title');
    await tab.page.click('#notice-leaving [data-action="stay"]');
    expect(await tab.isVisible('#notice-leaving')).toBe(false);
    expect(await tab.value('#message')).toBe(MESSAGE);
    expect(await tab.focused()).toBe('message');
    await tab.page.click('nav a');
    await Promise.all([tab.page.waitForNavigation(), tab.page.click('#notice-leaving [data-action="leave"]')]);
    expect(new URL(tab.page.url()).pathname).toBe('/en/');
    expect(asked()).toEqual([]);
    await expectEmptyForm();
  });

  thoroughly('one Escape does nothing', async () => {
    await typeRequest();
    await tab.page.keyboard.press('Escape');
    expect(await tab.value('#message')).toBe(MESSAGE);
  });

  it('a reload asks first when there is text, and brings an empty form', async () => {
    await typeRequest();
    await tab.page.reload({ waitUntil: 'load' });
    expect(asked()).toEqual(['beforeunload']);
    await expectEmptyForm();
  });

  thoroughly('a reload without text asks nothing', async () => {
    await tab.page.click('#message');
    await tab.page.reload({ waitUntil: 'load' });
    expect(asked()).toEqual([]);
  });

  it('going away and back brings an empty form', async () => {
    await typeRequest();
    await tab.page.goto(new URL('en/', deployment.url).href, { waitUntil: 'load' });
    await tab.page.goBack({ waitUntil: 'load' });
    await expectEmptyForm();
  });

  thoroughly('after sending nothing is asked when there is no access code to lose', async () => {
    await typeRequest();
    await tab.page.click('#answer');
    await tab.page.click('#send');
    await tab.until('#accepted');
    await Promise.all([tab.page.waitForNavigation(), tab.page.click('#accepted-after a[href$="/"]')]);
    expect(asked()).toEqual([]);
    await expectEmptyForm();
  });
});
