// A form built with an operator's site file: where it leads and whom it names.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stop } from 'esbuild';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildWeb } from '../../web/build/build.ts';
import { openBrowser, Tab, type TestBrowser } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { enginesFor } from '../support/thorough.ts';

const MESSAGE = 'Этого никто не должен увидеть.';

const referrers: string[] = [];
const elsewhere = createServer((request, response) => {
  // The target page's own request for its icon names that page as the referrer.
  if (request.url === '/') referrers.push(request.headers.referer ?? '');
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Weather</title><p>Sunny');
});
let target: string;
let deployment: Deployment;
beforeAll(async () => {
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  target = `http://127.0.0.1:${String((elsewhere.address() as AddressInfo).port)}/`;
  const site = {
    exit: target,
    name: { ru: 'Тихая линия' },
    crisisLines: { ru: [{ name: 'Линия', contact: '8 000 000-00-00', link: target }] },
  };
  deployment = await startDeployment({
    adjust: async ({ layout, keyring }) => {
      const siteFile = join(layout.dir, 'site.json');
      await writeFile(siteFile, JSON.stringify(site));
      await buildWeb({ rootKeyFile: layout.rootKey, outDir: layout.web, floorSerial: keyring.keyring.serial, siteFile });
      await stop();
    },
  });
});
afterAll(async () => {
  await deployment?.stop();
  elsewhere.closeAllConnections();
  elsewhere.close();
});

describe.each(enginesFor('firefox'))('a form with a site file in %s', (name) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await openBrowser(name);
  });
  afterAll(() => browser?.close());
  beforeEach(() => void referrers.splice(0));

  async function openWithText(): Promise<Tab> {
    const tab = await Tab.open(browser, deployment.url);
    await tab.until('#send:not(:disabled)');
    await tab.page.type('#message', MESSAGE);
    return tab;
  }

  it('leaves for its target, which gets no referrer', async () => {
    const tab = await openWithText();
    await tab.page.click('#exit');
    await expect.poll(() => tab.page.url()).toBe(target);
    await expect.poll(() => tab.page.title()).toBe('Weather');
    expect(new Set(referrers)).toEqual(new Set(['']));
    await tab.page.close();
  });

  it('shows the name and the crisis lines; a line opens in a new tab, and the text stays', async () => {
    const tab = await openWithText();
    expect(await tab.text('.name')).toBe('Тихая линия');
    expect(await tab.page.title()).toBe('Сообщение');
    // Typing scrolled the page: the summary may now lie under quick exit, where a click does not reach it.
    await tab.page.evaluate("document.querySelector('summary').scrollIntoView()");
    await tab.page.click('summary');
    expect(await tab.text('details')).toContain('8 000 000-00-00');
    const before = (await browser.pages()).length;
    await tab.page.click('details a');
    await expect.poll(async () => (await browser.pages()).length).toBe(before + 1);
    expect(await tab.value('#message')).toBe(MESSAGE);
    expect(await tab.isVisible('#notice-leaving')).toBe(false);
    expect(new Set(referrers)).toEqual(new Set(['']));
    await tab.page.close({ runBeforeUnload: false });
  });
});
