// For tests of a page: a real deployment, a front before it that can misbehave, a browser, and tabs that must have
// done nothing they should not.
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { openBrowser, Tab, type BrowserName, type TestBrowser } from './browser.ts';
import { shareDeployment, startDeployment, type Deployment, type DeploymentOptions } from './deployment.ts';
import { Front } from './front.ts';
import { requestTeller } from './requests.ts';

export type Site = { deployment: Deployment; front: Front; isRequest: (parcel: Uint8Array) => boolean };
export type PageBenchOptions = {
  /** Console messages of the browser itself that are allowed, because the test makes something fail. */
  excused?: RegExp;
};
export type OpenOptions = { until?: string; before?: string; viewport?: { width: number; height: number } };

export type PageBench = Site & {
  browser: TestBrowser;
  /** The most recently opened tab. */
  tab: Tab;
  /** The kinds of dialogs in this test; all are accepted. */
  readonly asked: string[];
  open(path: string, options?: OpenOptions): Promise<Tab>;
};

/**
 * To be called at the top of a file: one deployment for the whole file, for every browser. With options it is the file's
 * own.
 */
export function useSite(options?: DeploymentOptions): Site {
  const site = {} as Site;
  beforeAll(async () => {
    site.deployment = await (options === undefined ? shareDeployment() : startDeployment(options));
    site.front = await Front.start(site.deployment.url);
    site.isRequest = await requestTeller(site.deployment);
  });
  afterAll(async () => {
    await site.front?.stop();
    await site.deployment?.stop();
  });
  return site;
}

/** To be called inside `describe`. */
export function usePages(name: BrowserName, site: Site, { excused = /^$/ }: PageBenchOptions = {}): PageBench {
  let tabs: Tab[] = [];
  const bench = {
    get asked() {
      return tabs.flatMap(({ dialogs }) => dialogs.map(({ type }) => type));
    },
    async open(path, { until, before, viewport } = {}) {
      const tab = await Tab.open(bench.browser, undefined, before === undefined ? {} : { before });
      bench.tab = tab;
      tabs.push(tab);
      if (viewport !== undefined) await tab.page.setViewport(viewport);
      await tab.page.goto(new URL(path, bench.front.url).href, { waitUntil: 'load' });
      if (until !== undefined) await tab.until(until);
      return tab;
    },
  } as PageBench;

  beforeAll(async () => {
    Object.assign(bench, site);
    bench.browser = await openBrowser(name);
  });
  afterAll(() => bench.browser?.close());
  beforeEach(() => {
    bench.front.reset();
    tabs = [];
    return async () => {
      expect(tabs.flatMap(({ problems }) => problems).filter((text) => !excused.test(text))).toEqual([]);
      await Promise.all(tabs.map(({ page }) => page.close({ runBeforeUnload: false })));
    };
  });
  return bench;
}
