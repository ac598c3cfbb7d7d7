// The operator's page in Chromium: it can be read by everybody, on a phone too, and holds nothing but itself.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { History } from '../../operator/history.ts';
import { PrivateListener } from '../../operator/listener.ts';
import { renderOperatorPage } from '../../operator/page/page.ts';
import type { Sight } from '../../operator/sight.ts';
import { findings, openThemed, setTheme, THEMES } from '../support/axe.ts';
import { Tab, type TestBrowser } from '../support/browser.ts';
import { EVERY_WARNING_SIGHT, REDIS_AWAY_SIGHT, someHistory, TROUBLED_SIGHT, WELL_SIGHT } from '../support/operator-sights.ts';

const SIGHTS: Readonly<Record<string, readonly [Sight, History]>> = {
  '/well': [WELL_SIGHT, someHistory(WELL_SIGHT)],
  '/troubled': [TROUBLED_SIGHT, someHistory(TROUBLED_SIGHT)],
  '/every-warning': [EVERY_WARNING_SIGHT, new History()],
  '/redis-away': [REDIS_AWAY_SIGHT, new History()],
};
const PATHS = Object.keys(SIGHTS);

let browser: TestBrowser;
let tab: Tab;
const listener = new PrivateListener(
  { kind: 'loopback', port: 0 },
  Object.fromEntries(
    Object.entries(SIGHTS).map(([path, [sight, history]]) => [
      path,
      () => ({ status: 200, type: 'text/html; charset=utf-8', body: Buffer.from(renderOperatorPage(sight, history)) }),
    ]),
  ),
);
beforeAll(async () => {
  await listener.start();
  browser = await openThemed('chromium', 'light');
  tab = await Tab.open(browser);
});
afterAll(async () => {
  await browser?.close();
  await listener.destroy();
});

const open = (path: string): Promise<unknown> => tab.page.goto(`http://localhost:${String(listener.port)}${path}`);
const evaluated = (script: string): Promise<unknown> => tab.page.evaluate(script);

describe.each(THEMES)('in the %s theme', (theme) => {
  it.each(PATHS)('axe finds nothing on %s', async (path) => {
    await setTheme(tab, 'chromium', theme);
    await open(path);
    expect(await findings(tab, theme)).toEqual([]);
  });
});

it.each(PATHS)('%s is as wide as a phone of 320 pixels, and loads nothing', async (path) => {
  await tab.page.setViewport({ width: 320, height: 640, deviceScaleFactor: 1 });
  const asked: string[] = [];
  const note = (request: { url: () => string }): unknown => asked.push(new URL(request.url()).pathname);
  tab.page.on('request', note);
  await open(path);
  tab.page.off('request', note);
  expect(await evaluated('document.documentElement.scrollWidth')).toBe(320);
  expect(asked.filter((one) => one !== '/favicon.ico')).toEqual([path]);
  // The style is let in by its hash: without it the text would have the browser's own margin.
  expect(await evaluated('getComputedStyle(document.body).paddingTop')).toBe('16px');
  expect(await evaluated('document.scripts.length')).toBe(0);
});

it('says first whether anything is to be done, and the urgent before the rest', async () => {
  await open('/well');
  expect(await evaluated("document.querySelector('h1').textContent")).toBe('All is well');
  await open('/troubled');
  expect(await evaluated("document.querySelector('h1').textContent")).toBe('2 things need you');
  expect(await evaluated("[...document.querySelectorAll('h3')].map((each) => each.textContent)")).toEqual([
    'Now: inbox legal-1 takes nothing at the moment (ECONNREFUSED)',
    'Soon: 5-10 % of the disk is free',
  ]);
  expect(await evaluated("document.querySelector('li code').textContent")).toBe('docs/operations.md#inbox_failing');
});

it('shows what others wrote as text', async () => {
  await open('/every-warning');
  expect(await evaluated("document.querySelector('h3').textContent")).toMatch(/<\w+> & www/);
});
