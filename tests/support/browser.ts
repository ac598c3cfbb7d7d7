import { launch, type Browser, type Page } from 'puppeteer-core';
import { chromiumArgs, firefoxPrefs, type Level } from './levels.ts';

export const BROWSERS = ['chromium', 'firefox'] as const;
export type BrowserName = (typeof BROWSERS)[number];
/**
 * Tor Browser is one, so all pages are tested in Firefox whole. In Chromium the desk and the offline form are, since they are used
 * there; of the other pages what an engine may do in its own way: sealing, workers, policy, leaving and history, what it keeps.
 */
export const FIREFOX = ['firefox'] as const satisfies readonly BrowserName[];

export type BrowserOptions = {
  level?: Level;
  /** Tor's, on this machine. Without it the browser goes straight. */
  socksPort?: number;
  /** A profile folder that is there already and stays. */
  profile?: string;
  firefoxPrefs?: Record<string, unknown>;
  args?: readonly string[];
};

/** What a test may do with a browser, which it may share with others: it sees its own pages, and closing ends no more than those. */
export type TestBrowser = Pick<Browser, 'newPage' | 'pages' | 'process' | 'close'>;

/** Starting a Firefox takes as much work as several cases in it. One of each kind waits here for the next file of the same process. */
const idle = new Map<BrowserName, { key: string; browser: Browser }>();

export async function openBrowser(name: BrowserName, options: BrowserOptions = {}): Promise<TestBrowser> {
  if (options.profile !== undefined || options.socksPort !== undefined) return launchBrowser(name, options);
  const key = JSON.stringify(options);
  const waiting = idle.get(name);
  idle.delete(name);
  if (waiting !== undefined && waiting.key !== key) await waiting.browser.close();
  const browser = waiting?.key === key && waiting.browser.connected ? waiting.browser : await launchBrowser(name, options);
  const close = async (): Promise<void> => {
    const pages = await browser.pages();
    // A browser ends with its last page.
    await browser.newPage();
    await Promise.all(pages.map((page) => page.close({ runBeforeUnload: false })));
    if (idle.has(name)) await browser.close();
    else idle.set(name, { key, browser });
  };
  return { newPage: () => browser.newPage(), pages: () => browser.pages(), process: () => browser.process(), close };
}

/** One of its own: for measurements, and for what is about a browser's end or its folder. */
export function launchBrowser(name: BrowserName, { level = 'standard', socksPort, profile, args = [], firefoxPrefs: prefs = {} }: BrowserOptions): Promise<Browser> {
  // Without a locale Chromium cannot open files whose names are not ASCII.
  const common = { headless: true, env: { ...process.env, LC_ALL: 'C.UTF-8' }, timeout: 60_000, protocolTimeout: 120_000, ...(profile === undefined ? {} : { userDataDir: profile }) };
  return name === 'firefox'
    ? launch({ ...common, browser: 'firefox', executablePath: '/usr/bin/firefox-esr', args: [...args], extraPrefsFirefox: { ...firefoxPrefs(level, socksPort), ...prefs } })
    : launch({ ...common, browser: 'chrome', executablePath: '/usr/bin/chromium', args: [...chromiumArgs(level, socksPort), ...args] });
}

/** For the beginning of a page: its clock so many days ahead of this machine's, and moved on where `daysAhead` is changed. */
export const clockAhead = (days: number): string => `{
  const Real = Date;
  globalThis.daysAhead = ${String(days)};
  globalThis.Date = class extends Real {
    constructor(...parts) { if (parts.length === 0) super(Real.now() + globalThis.daysAhead * 86_400_000); else super(...parts); }
  };
}`;

/** A page and everything it should not have done. */
export class Tab {
  readonly page: Page;
  /** Anything on the console, uncaught errors, violations of the content security policy. */
  readonly problems: string[] = [];
  /** Every address that was asked for. */
  readonly requests: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.problems.push(`uncaught: ${String(error)}`));
    page.on('console', (message) => this.problems.push(`console.${message.type()}: ${message.text()}`));
    page.on('request', (request) => this.requests.push(request.url()));
  }

  static async open(browser: TestBrowser, url?: string, { before }: { before?: string } = {}): Promise<Tab> {
    const tab = new Tab(await browser.newPage());
    await tab.begin(before);
    if (url !== undefined) await tab.page.goto(url, { waitUntil: 'load' });
    return tab;
  }

  /** Before the first page: to hear of violations, and `before` to run in every document. */
  async begin(before = ''): Promise<void> {
    await this.page.evaluateOnNewDocument(`
      addEventListener('securitypolicyviolation', (event) => console.error('CSP violation', event.violatedDirective, event.blockedURI));
      ${before}
    `);
  }

  /** The text of what shows, without what is hidden. */
  text(selector = 'body'): Promise<string> {
    return this.#ask(`document.querySelector(${JSON.stringify(selector)}).innerText`);
  }

  value(selector: string): Promise<string> {
    return this.#ask(`document.querySelector(${JSON.stringify(selector)}).value`);
  }

  /** Id of the element that has the focus. */
  focused(): Promise<string> {
    return this.#ask('document.activeElement.id');
  }

  async until(selector: string, timeoutMs = 90_000): Promise<void> {
    await this.page.waitForSelector(selector, { visible: true, timeout: timeoutMs });
  }

  async isVisible(selector: string): Promise<boolean> {
    return this.#ask(`Boolean(document.querySelector(${JSON.stringify(selector)})?.getClientRects().length)`);
  }

  /** As a paste does it: at once, and the page hears of it. */
  async paste(selector: string, text: string): Promise<void> {
    await this.#ask(`(() => {
      const field = document.querySelector(${JSON.stringify(selector)});
      field.value = ${JSON.stringify(text)};
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    })()`);
  }

  /** What the page's scripts hold, as Chromium writes it down; the sealing worker is none of it. */
  async memory(): Promise<string> {
    const session = await this.page.createCDPSession();
    const chunks: string[] = [];
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
    await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    await session.detach();
    return chunks.join('');
  }

  async #ask<T>(expression: string): Promise<T> {
    return (await this.page.evaluate(expression)) as T;
  }
}
