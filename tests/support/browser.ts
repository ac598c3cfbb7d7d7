import { launch, type Browser, type Page } from 'puppeteer-core';

export const BROWSERS = ['chromium', 'firefox'] as const;
export type BrowserName = (typeof BROWSERS)[number];

/** Tor Browser's settings that a page can notice, at its level Standard; and nothing that goes out by itself. */
const FIREFOX_PREFS = {
  'browser.privatebrowsing.autostart': true, 'browser.cache.disk.enable': false,
  'dom.serviceWorkers.enabled': false, 'dom.push.enabled': false, 'beacon.enabled': false, 'dom.enable_resource_timing': false,
  'network.cookie.cookieBehavior': 1, 'network.http.speculative-parallel-limit': 0, 'network.prefetch-next': false,
  'dom.postMessage.sharedArrayBuffer.withCOOP_COEP': false, 'javascript.options.asmjs': false,
  'app.update.auto': false, 'browser.startup.homepage': 'about:blank', 'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false, 'toolkit.telemetry.enabled': false, 'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false, 'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false,
  // A stock Firefox in automation does not ask before leaving; a person's does.
  'dom.disable_beforeunload': false,
};
const CHROMIUM_ARGS = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run', '--disable-sync'];

export type BrowserOptions = { firefoxPrefs?: Record<string, unknown> };

export async function openBrowser(name: BrowserName, { firefoxPrefs = {} }: BrowserOptions = {}): Promise<Browser> {
  const common = { headless: true, timeout: 60_000, protocolTimeout: 120_000 };
  return name === 'firefox'
    ? launch({ ...common, browser: 'firefox', executablePath: '/usr/bin/firefox-esr', extraPrefsFirefox: { ...FIREFOX_PREFS, ...firefoxPrefs } })
    : launch({ ...common, browser: 'chrome', executablePath: '/usr/bin/chromium', args: CHROMIUM_ARGS });
}

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

  static async open(browser: Browser, url?: string, { before }: { before?: string } = {}): Promise<Tab> {
    const tab = new Tab(await browser.newPage());
    await tab.page.evaluateOnNewDocument(`
      addEventListener('securitypolicyviolation', (event) => console.error('CSP violation', event.violatedDirective, event.blockedURI));
      ${before ?? ''}
    `);
    if (url !== undefined) await tab.page.goto(url, { waitUntil: 'load' });
    return tab;
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

  async until(selector: string, timeoutMs = 30_000): Promise<void> {
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

  async #ask<T>(expression: string): Promise<T> {
    return (await this.page.evaluate(expression)) as T;
  }
}
