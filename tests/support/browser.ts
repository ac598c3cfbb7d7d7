import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, type Browser, type Page } from 'puppeteer-core';
import { inject } from 'vitest';
import { ROOT } from '../../runtime/root.ts';
import { prepareProfile } from './firefox-profile.ts';
import { chromiumArgs, firefoxPrefs, type Level } from './levels.ts';

export const BROWSERS = ['chromium', 'firefox'] as const;
export type BrowserName = (typeof BROWSERS)[number];
const PROGRAMS = { chromium: '/usr/bin/chromium', shell: '/usr/bin/chromium-headless-shell', firefox: '/usr/bin/firefox-esr' };
/**
 * Every page is tested in Firefox in full, since Tor Browser is one. In Chromium so are the desk and the offline form, which are used
 * there; of the other pages, whatever depends on the engine: sealing, workers, policy, leaving and history, storage. Of that `npm test`
 * has a sample (thorough.ts).
 */
export const FIREFOX = ['firefox'] as const satisfies readonly BrowserName[];

export type BrowserOptions = {
  level?: Level;
  /** A SOCKS port of tor on this machine. Without it the browser connects directly. */
  socksPort?: number;
  /** An existing profile folder, which is kept. */
  profile?: string;
  firefoxPrefs?: Record<string, unknown>;
  args?: readonly string[];
  /** Where downloads are saved without asking. */
  downloads?: string;
  /** The headless shell of Chromium, without a browser window around its pages. It keeps no profile as people's browsers do. */
  isShell?: boolean;
};

/** A browser that tests may share: each sees only its own pages, and `close` closes only those. */
export type TestBrowser = Pick<Browser, 'newPage' | 'pages' | 'process' | 'close'> & { downloads: string };
type TestBrowserOptions = Pick<BrowserOptions, 'level' | 'socksPort' | 'profile' | 'firefoxPrefs'>;

type Launched = { browser: Browser; downloads: string; end: () => Promise<void> };

/** Starting a Firefox takes as long as several cases in it, so one of each kind waits here for the process's next file. */
const idle = new Map<string, Launched>();

/** No request of this browser leaves the machine. */
export async function openBrowser(name: BrowserName, options: TestBrowserOptions = {}): Promise<TestBrowser> {
  const isShared = options.profile === undefined && options.socksPort === undefined;
  const kind = kindOf(name, options);
  const waiting = isShared ? idle.get(kind) : undefined;
  if (waiting !== undefined) idle.delete(kind);
  const launched = waiting?.browser.connected ? waiting : await launchForTests(name, options);
  const { browser, downloads } = launched;
  const close = async (): Promise<void> => {
    if (!isShared || idle.has(kind)) return launched.end();
    const pages = await browser.pages();
    // A browser ends with its last page.
    await browser.newPage();
    await Promise.all(pages.map((page) => page.close({ runBeforeUnload: false })));
    for (const file of await readdir(downloads)) await rm(join(downloads, file), { force: true });
    idle.set(kind, launched);
  };
  return { newPage: () => browser.newPage(), pages: () => browser.pages(), process: () => browser.process(), close, downloads };
}

/** Browsers of the same kind are interchangeable. */
function kindOf(name: BrowserName, { level = 'standard', firefoxPrefs: prefs = {} }: TestBrowserOptions): string {
  return JSON.stringify(name === 'firefox' ? { ...firefoxPrefs(level), ...prefs } : chromiumArgs(level));
}

/** A proxy at port 9 (discard) of this machine: requests to any other machine, by whatever name, go nowhere. */
const NOWHERE = {
  firefoxPrefs: {
    'network.proxy.type': 1,
    'network.proxy.http': '127.0.0.1',
    'network.proxy.http_port': 9,
    'network.proxy.ssl': '127.0.0.1',
    'network.proxy.ssl_port': 9,
  },
  args: ['--proxy-server=127.0.0.1:9'],
};

/** Pages live for seconds here: V8's optimising compiler would cost more than it saves. */
const SHORT_LIVED = '--js-flags=--no-maglev --single-threaded-gc';

/** Nobody watches, and Firefox would draw every animation at sixty frames a second. */
const FEW_PICTURES = { 'layout.frame_rate': 20 };

async function launchForTests(name: BrowserName, options: TestBrowserOptions): Promise<Launched> {
  const dir = await mkdtemp(join(inject('runFolder'), `${name}-`));
  const [downloads, profile] = [join(dir, 'downloads'), options.profile ?? join(dir, 'profile')];
  await mkdir(downloads);
  if (name === 'firefox')
    await prepareProfile(profile, async (first) =>
      (await launchBrowser(name, { profile: first, firefoxPrefs: NOWHERE.firefoxPrefs })).close(),
    );
  const away = options.socksPort === undefined ? NOWHERE : { firefoxPrefs: {}, args: [] };
  const browser = await launchBrowser(name, {
    ...options,
    profile,
    downloads,
    isShell: options.profile === undefined,
    args: name === 'chromium' ? [...away.args, ...(options.level === 'safer' ? [] : [SHORT_LIVED])] : [],
    firefoxPrefs: { ...FEW_PICTURES, ...away.firefoxPrefs, ...options.firefoxPrefs },
  });
  const end = async (): Promise<void> => {
    await browser.close();
    await rm(dir, { recursive: true, force: true });
  };
  return { browser, downloads, end };
}

/** A browser that is not shared: for measurements, and for tests about a browser's end or its folder. */
export function launchBrowser(
  name: BrowserName,
  { level = 'standard', socksPort, profile, args = [], firefoxPrefs: prefs = {}, downloads, isShell = false }: BrowserOptions,
): Promise<Browser> {
  const program = name === 'chromium' && isShell ? 'shell' : name;
  // Without a locale Chromium cannot open files with non-ASCII names. With GLIBC_TUNABLES, which glibc copies, it cannot
  // set its processes' command lines, by which a test tells them apart.
  const env = { ...process.env, GLIBC_TUNABLES: undefined, LC_ALL: 'C.UTF-8', BROWSER: PROGRAMS[program] };
  const common = {
    headless: program === 'shell' ? ('shell' as const) : true,
    env,
    executablePath: join(ROOT, 'tests/support/browser.sh'),
    timeout: 60_000,
    protocolTimeout: 120_000,
    ...(profile === undefined ? {} : { userDataDir: profile }),
  };
  if (name === 'chromium') {
    const saving = downloads === undefined ? {} : { downloadBehavior: { policy: 'allow' as const, downloadPath: downloads } };
    return launch({ ...common, ...saving, browser: 'chrome', args: [...chromiumArgs(level, socksPort), ...args] });
  }
  const saving =
    downloads === undefined
      ? {}
      : { 'browser.download.folderList': 2, 'browser.download.dir': downloads, 'browser.download.useDownloadDir': true };
  return launch({
    ...common,
    browser: 'firefox',
    args: [...args],
    extraPrefsFirefox: { ...firefoxPrefs(level, socksPort), ...saving, ...prefs },
  });
}

/** A script that sets a page's clock this many days ahead of the machine's; changing `daysAhead` moves it. */
export const clockAhead = (days: number): string => `{
  const Real = Date;
  globalThis.daysAhead = ${String(days)};
  globalThis.Date = class extends Real {
    constructor(...parts) { if (parts.length === 0) super(Real.now() + globalThis.daysAhead * 86_400_000); else super(...parts); }
  };
}`;

const LOOK_AGAIN_MS = 50;

/** A page and everything it should not have done. */
export class Tab {
  readonly page: Page;
  /** Anything on the console, uncaught errors, violations of the content security policy. */
  readonly problems: string[] = [];
  /** Every requested address. */
  readonly requests: string[] = [];
  /** The dialogs that the page opened; all are accepted. */
  readonly dialogs: { type: string; message: string }[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.problems.push(`uncaught: ${String(error)}`));
    page.on('console', (message) => this.problems.push(`console.${message.type()}: ${message.text()}`));
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('dialog', (dialog) => {
      this.dialogs.push({ type: dialog.type(), message: dialog.message() });
      // A page that was just left may never say that it heard.
      dialog.accept().catch(() => undefined);
    });
  }

  static async open(browser: Pick<TestBrowser, 'newPage'>, url?: string, { before }: { before?: string } = {}): Promise<Tab> {
    const tab = new Tab(await browser.newPage());
    await tab.begin(before);
    if (url !== undefined) await tab.page.goto(url, { waitUntil: 'load' });
    return tab;
  }

  /** Call before the first page: reports policy violations, and runs `before` in every document. */
  async begin(before = ''): Promise<void> {
    await this.page.evaluateOnNewDocument(`
      addEventListener('securitypolicyviolation', (event) => console.error('CSP violation', event.violatedDirective, event.blockedURI));
      ${before}
    `);
  }

  /** The visible text. */
  text(selector = 'body'): Promise<string> {
    return this.#ask(`document.querySelector(${JSON.stringify(selector)}).innerText`);
  }

  value(selector: string): Promise<string> {
    return this.#ask(`document.querySelector(${JSON.stringify(selector)}).value`);
  }

  /** Id of the focused element. */
  focused(): Promise<string> {
    return this.#ask('document.activeElement.id');
  }

  async until(selector: string, timeoutMs = 90_000): Promise<void> {
    // By default it would check in every animation frame, and so have frames drawn.
    await this.page.waitForFunction(
      `(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      const { width, height } = element?.getBoundingClientRect() ?? {};
      return width > 0 && height > 0 && getComputedStyle(element).visibility === 'visible';
    })()`,
      { polling: LOOK_AGAIN_MS, timeout: timeoutMs },
    );
  }

  async isVisible(selector: string): Promise<boolean> {
    return this.#ask(`Boolean(document.querySelector(${JSON.stringify(selector)})?.getClientRects().length)`);
  }

  /** Like a paste: all at once, with an input event. */
  async paste(selector: string, text: string): Promise<void> {
    await this.#ask(`(() => {
      const field = document.querySelector(${JSON.stringify(selector)});
      field.value = ${JSON.stringify(text)};
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    })()`);
  }

  /** A heap snapshot of the page's scripts, in Chromium; it does not include the sealing worker. */
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
