// What leaving the form, in any way, leaves in a browser's profile folder: nothing of the text. The browsers run
// with real profiles, Firefox also without the private browsing that Tor Browser always uses.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, Tab, type BrowserName, type TestBrowser } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { sampled } from '../support/thorough.ts';
import { until } from '../support/worker.ts';
import { filesIn, search, textNeedle, type Needle } from './search.ts';

/** Longer than either browser waits before it saves its session. */
const WRITES_MS = 3_000;
const TEST_MS = 300_000;

type Kind = { name: string; browser: BrowserName; firefoxPrefs?: Record<string, unknown>; remembers: boolean };
/** Firefox saves its session every 15 seconds; here every second. */
const EAGER = { 'browser.sessionstore.interval': 1_000, 'browser.sessionstore.interval.idle': 1_000 };
const REMEMBERING = {
  'browser.privatebrowsing.autostart': false,
  'browser.cache.disk.enable': true,
  'browser.sessionstore.privacy_level': 0,
};
const ALL_KINDS: readonly Kind[] = [
  { name: 'Firefox as Tor Browser sets it', browser: 'firefox', firefoxPrefs: EAGER, remembers: false },
  { name: 'Firefox that remembers', browser: 'firefox', firefoxPrefs: { ...EAGER, ...REMEMBERING }, remembers: true },
  { name: 'Chromium', browser: 'chromium', remembers: true },
];
/** Those that keep the most. */
const KINDS = sampled(ALL_KINDS, ({ remembers }) => remembers);

type Way = { name: string; leave: (tab: Tab) => Promise<unknown>; hasHistory?: true };
const WAYS: readonly Way[] = [
  { name: 'the exit link', leave: (tab) => tab.page.click('#exit') },
  {
    name: 'Escape three times',
    leave: async ({ page }) => {
      for (let i = 0; i < 3; i += 1) await page.keyboard.press('Escape');
    },
  },
  { name: 'back', hasHistory: true, leave: ({ page }) => page.evaluate('history.back()') },
  { name: 'forward', hasHistory: true, leave: ({ page }) => page.evaluate('history.forward()') },
  { name: 'reload', leave: ({ page }) => page.evaluate('location.reload()') },
  { name: 'closing', leave: ({ page }) => page.close({ runBeforeUnload: false }) },
];

let deployment: Deployment;
let ordinary: Server;
let ordinaryUrl: string;
beforeAll(async () => {
  deployment = await startDeployment();
  ordinary = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>x</title><textarea id="message"></textarea>');
  }).listen(0, '127.0.0.1');
  await once(ordinary, 'listening');
  ordinaryUrl = `http://127.0.0.1:${String((ordinary.address() as AddressInfo).port)}/`;
});
afterAll(async () => {
  ordinary?.closeAllConnections();
  ordinary?.close();
  await deployment?.stop();
});

/** Words that occur nowhere else, each of which would be a find in any of the encodings searched for. */
function words(count: number, letters: string): string[] {
  return Array.from({ length: count }, () => Array.from({ length: 14 }, () => letters[randomInt(letters.length)]).join(''));
}

type Text = { message: string; contact: string; needles: Needle[] };

function text(of: string): Text {
  const message = [...words(2, 'абвгдежзиклмнопрстуфхцчшщыэюя'), ...words(1, 'abcdefghijklmnopqrstuvwxyz')];
  const contact = words(1, 'abcdefghijklmnopqrstuvwxyz');
  return {
    message: message.join(' '),
    contact: contact.join(''),
    needles: [...message, ...contact].map((word) => textNeedle(`${of}:`, word)),
  };
}

type Opened = { profile: string; browser: TestBrowser; left: (needles: readonly Needle[]) => string[] };

/** A browser with its own profile, both removed afterwards. */
async function inBrowser({ browser: which, firefoxPrefs = {} }: Kind, work: (opened: Opened) => Promise<void>): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'support-relay-profile-'));
  const browser = await openBrowser(which, { profile, firefoxPrefs });
  try {
    await work({ profile, browser, left: (needles) => search(filesIn(profile), needles) });
  } finally {
    await browser.close().catch(() => undefined);
    await rm(profile, { recursive: true, force: true });
  }
}
/** A tab with the form, and with a history to go back and forward where asked. */
async function openForm(browser: TestBrowser, { hasHistory }: { hasHistory?: true } = {}): Promise<Tab> {
  const tab = await Tab.open(browser, hasHistory ? ordinaryUrl : undefined);
  await tab.page.goto(deployment.url);
  if (hasHistory) {
    await tab.page.goto(`${ordinaryUrl}after`);
    await tab.page.goBack();
  }
  await tab.until('#send:not(:disabled)');
  return tab;
}
async function typeInto(tab: Tab, { message, contact }: Text): Promise<void> {
  await tab.page.type('#message', message);
  await tab.page.type('#contact', contact);
  await tab.page.click('#topic-legal');
}
/** Opens an ordinary page with a text and something in its address. */
async function writeInOrdinary(browser: TestBrowser): Promise<Needle[]> {
  const typed = text('ordinary page');
  const [asked = ''] = words(1, 'abcdefghijklmnopqrstuvwxyz');
  const tab = await Tab.open(browser, `${ordinaryUrl}?q=${asked}`);
  await tab.page.type('#message', typed.message);
  return [...typed.needles, textNeedle('address:', asked)];
}
/** Waits until the document with the text was left for another, or for none. */
async function gone(tab: Tab): Promise<void> {
  await until(
    'the text to be gone',
    async () => {
      if (tab.page.isClosed()) return true;
      return (await tab.page.evaluate("document.querySelector('#contact')?.value ?? ''").catch(() => 'leaving')) === '';
    },
    TEST_MS,
  );
}

// Most of this is waiting for what a browser may save, so the kinds wait together.
describe('after leaving', () => {
  it.concurrent.each(KINDS)('$name keeps nothing, other than of an ordinary page', { timeout: TEST_MS }, (kind) =>
    inBrowser(kind, async ({ browser, left }) => {
      const visits: { tab: Tab; way: Way; typed: Text }[] = [];
      for (const way of WAYS) {
        const visit = { tab: await openForm(browser, way), way, typed: text(way.name) };
        visits.push(visit);
        await typeInto(visit.tab, visit.typed);
      }
      await sleep(WRITES_MS);
      for (const { tab, way } of visits) {
        await tab.page.bringToFront();
        await way.leave(tab);
        await gone(tab);
      }
      const ofOrdinary = kind.remembers ? await writeInOrdinary(browser) : [];
      await sleep(WRITES_MS);
      const needles = visits.flatMap(({ typed }) => typed.needles);
      expect(left(needles)).toEqual([]);
      await browser.close();
      expect(left(needles)).toEqual([]);
      // Control: the search finds what is there.
      if (kind.remembers) expect(new Set(left(ofOrdinary).map((hit) => hit.split(':')[0]))).toEqual(new Set(['ordinary page', 'address']));
    }),
  );
});

describe('when the tab or the whole browser crashes', () => {
  it.concurrent.each(sampled(KINDS, ({ browser }) => browser === 'firefox'))('$name keeps nothing', { timeout: TEST_MS }, (kind) =>
    inBrowser(kind, async ({ browser, left }) => {
      const crashed = text('crash of the tab');
      await typeInto(await openForm(browser), crashed);
      await sleep(WRITES_MS);
      const contents = contentProcesses(browser.process()?.pid ?? 0);
      expect(contents).not.toEqual([]);
      for (const pid of contents) process.kill(pid, 'SIGKILL');
      await sleep(WRITES_MS);
      expect(left(crashed.needles)).toEqual([]);

      const killed = text('end of the browser');
      await typeInto(await openForm(browser), killed);
      await sleep(WRITES_MS);
      const whole = browser.process();
      if (whole === null) throw new Error('the browser has no process');
      const end = once(whole, 'exit');
      whole.kill('SIGKILL');
      await end;
      expect(left([...crashed.needles, ...killed.needles])).toEqual([]);
    }),
  );
});

/** The browser's descendant processes that run pages. */
function contentProcesses(browser: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const descends = (pid: number): boolean => pid === browser || (parents.has(pid) && descends(parents.get(pid) ?? 0));
  return [...parents.keys()].filter((pid) => {
    if (pid === browser || !descends(pid)) return false;
    const command = readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1')
      .replaceAll('\0', ' ')
      .trim();
    return command.includes('--type=renderer') || (command.includes('-contentproc') && / tab$/.test(command));
  });
}
