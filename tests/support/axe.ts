// axe-core in a tab, and browsers in a light or a dark theme for it.
import axe from 'axe-core';
import { expect } from 'vitest';
import { openBrowser, type BrowserName, type Tab, type TestBrowser } from './browser.ts';

export const THEMES = ['light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What looks at colours. Everything else is the same in both themes. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];
const RULES: Readonly<Record<Theme, readonly string[]>> = { light: TAGS, dark: COLOUR_RULES };

/** Firefox has one theme for as long as it runs, and as Tor Browser the light one, if it is not told otherwise. */
export function openThemed(name: BrowserName, theme: Theme): Promise<TestBrowser> {
  return openBrowser(name, theme === 'dark' ? { firefoxPrefs: { 'layout.css.prefers-color-scheme.content-override': 0 } } : {});
}

export async function setTheme(tab: Tab, name: BrowserName, theme: Theme): Promise<void> {
  if (name === 'chromium') await tab.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
}

/** Everything axe objects to, one line each. */
export async function findings(tab: Tab, theme: Theme): Promise<string[]> {
  expect(await tab.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")).toBe(theme === 'dark');
  if (!(await tab.page.evaluate("'axe' in globalThis"))) await tab.page.evaluate(axe.source);
  const found = await tab.page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(RULES[theme])}, resultTypes: ['violations'] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`);
  return found as string[];
}
