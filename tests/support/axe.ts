// Runs axe-core in a tab, in browsers with a light or a dark theme.
import axe from 'axe-core';
import { expect } from 'vitest';
import { openBrowser, type BrowserName, type Tab, type TestBrowser } from './browser.ts';

export const THEMES = ['light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** The rules about colours. All others give the same result in both themes. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];
const RULES: Readonly<Record<Theme, readonly string[]>> = { light: TAGS, dark: COLOUR_RULES };

/** Firefox keeps its theme as long as it runs: the light one, as in Tor Browser, unless set otherwise. */
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
