// What a first visit costs, and how long sealing takes: `npm run bench -- page`. Sizes and counts are the same everywhere;
// times depend on the machine, so each is compared with another of the same run.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { ROOT } from '../runtime/root.ts';
import { BROWSERS, launchBrowser, Tab, type BrowserName } from '../tests/support/browser.ts';
import { startDeployment, type Deployment } from '../tests/support/deployment.ts';
import { http } from '../tests/support/http.ts';
import { beforeScripts, type Level } from '../tests/support/levels.ts';
import { median } from './compare.ts';

const KIB = 1024;
const PAGE = ['', 'form.css'];
const VISIT = [...PAGE, 'form.js', 'icon.png', 'start.json', 'words.txt'];
const SEALING = { 'with WebAssembly': ['seal-wasm.js', 'sodium.wasm'], without: ['seal-js.js'] } as const;
/** What Tor gives on an ordinary day, in milliseconds and bytes a second. */
const TOR_LIKE = { latency: 600, download: 1_500_000 / 8, upload: 500_000 / 8 };
const ROUNDS = 5;
const SLOW_MS = 120_000;
const LETTERS = 3_700;

/** Keeps in the page's `measured` when the form can be typed into and sent, the longest task, and how long sealing took. */
const MEASURE = `
  const measured = globalThis.measured = { longest: 0 };
  const look = () => {
    const shown = document.getElementById('message')?.getClientRects().length > 0;
    if (shown) measured.usable ??= performance.now();
    if (shown && !document.getElementById('send').disabled) measured.ready ??= performance.now();
    if (!measured.ready) requestAnimationFrame(look);
  };
  look();
  if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) measured.longest = Math.max(measured.longest, duration);
    }).observe({ type: 'longtask', buffered: true });
  }
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message.kind === 'seal') {
      const since = performance.now();
      this.addEventListener('message', ({ data }) => {
        if (data.id !== message.id) return;
        if (data.kind === 'progress' && data.stage === 'stamping') measured.sealed ??= performance.now() - since;
        if (data.kind === 'done') measured.stamped ??= performance.now() - since;
      });
    }
    return postMessage.call(this, message, ...rest);
  };
`;
type Measured = { usable: number; ready: number; longest: number; sealed: number; stamped: number };
type Sealing = Pick<Measured, 'longest' | 'sealed' | 'stamped'>;

const print = (line: string): void => console.log(line);
const kib = (bytes: number): string => `${(bytes / KIB).toFixed(1)} KiB`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

async function sizes(deployment: Deployment): Promise<void> {
  const size = async (path: string): Promise<number> => {
    const { body } = await http(new URL(path, deployment.url).href, { headers: { 'accept-encoding': 'gzip' } });
    return body.length;
  };
  const sum = async (paths: readonly string[]): Promise<number> => (await Promise.all(paths.map(size))).reduce((a, b) => a + b, 0);
  print('First visit, compressed with gzip:');
  for (const path of new Set([...VISIT, ...Object.values(SEALING).flat()])) {
    print(`  /${path.padEnd(13)} ${kib(await size(path)).padStart(10)}`);
  }
  print(`  page and style: ${kib(await sum(PAGE))}`);
  for (const [how, files] of Object.entries(SEALING)) {
    print(`  all, ${how}: ${kib(await sum([...VISIT, ...files]))} in ${String(VISIT.length + files.length)} requests`);
  }
}

async function measuredIn(tab: Tab): Promise<Measured> {
  return JSON.parse((await tab.page.evaluate('JSON.stringify(measured)')) as string) as Measured;
}

async function visit(browser: Browser, url: string, before: string, slow = false): Promise<Tab> {
  const tab = await Tab.open(browser, undefined, { before: before + MEASURE });
  if (slow) await tab.page.emulateNetworkConditions(TOR_LIKE);
  await tab.page.goto(url, { waitUntil: 'load', timeout: SLOW_MS });
  await tab.until('#send:not(:disabled)', SLOW_MS);
  return tab;
}

async function opening(deployment: Deployment): Promise<void> {
  // Under another name: browsers accept Brotli from 127.0.0.1, but only gzip from an onion service.
  const browser = await launchBrowser('chromium', { args: ['--host-resolver-rules=MAP form.test 127.0.0.1'] });
  const url = deployment.url.replace('127.0.0.1', 'form.test');
  try {
    const visits: Measured[] = [];
    for (let i = 0; i < ROUNDS; i += 1) {
      const tab = await visit(browser, url, '', true);
      visits.push(await measuredIn(tab));
      await tab.page.close();
    }
    const usable = median(visits.map((each) => each.usable));
    const ready = median(visits.map((each) => each.ready));
    const latencies = (ms: number): string => `${(ms / TOR_LIKE.latency).toFixed(2)} latencies`;
    print(`Chromium, ${String(TOR_LIKE.latency)} ms, 1.5 Mbit/s down, 0.5 up, median of ${String(ROUNDS)}:`);
    print(`  can be typed into after ${seconds(usable)}, ${latencies(usable)}`);
    print(`  can be sent after       ${seconds(ready)}, ${latencies(ready)}`);
    print(`  longest task of the page's own thread: ${median(visits.map((each) => each.longest)).toFixed(0)} ms`);
  } finally {
    await browser.close();
  }
}

/** Milliseconds to seal a full-length request, and then to stamp it. */
async function sealing(deployment: Deployment, name: BrowserName, level: Level): Promise<Sealing> {
  const browser = await launchBrowser(name, { level });
  try {
    const visits: Measured[] = [];
    for (let i = 0; i < ROUNDS; i += 1) {
      const tab = await visit(browser, deployment.url, beforeScripts(level));
      await tab.paste('#message', 'ж'.repeat(LETTERS));
      await tab.page.click('#send');
      await tab.until('#accepted', SLOW_MS);
      visits.push(await measuredIn(tab));
      await tab.page.close();
    }
    const medianOf = (key: keyof Measured): number => median(visits.map((each) => each[key]));
    const sealed = medianOf('sealed');
    return { longest: medianOf('longest'), sealed, stamped: medianOf('stamped') - sealed };
  } finally {
    await browser.close();
  }
}

async function allSealing(deployment: Deployment): Promise<void> {
  print(`Sealing ${String(LETTERS)} Cyrillic letters, median of ${String(ROUNDS)}:`);
  for (const name of BROWSERS) {
    const standard = await sealing(deployment, name, 'standard');
    const safer = await sealing(deployment, name, 'safer');
    const times = ({ sealed, stamped }: Sealing): string => `${sealed.toFixed(0)} ms, and the stamp ${stamped.toFixed(0)} ms`;
    // Only Chromium tells of long tasks.
    const longest = name === 'chromium' ? `; longest task of the page ${standard.longest.toFixed(0)} ms` : '';
    print(`  ${name} at Standard: ${times(standard)}${longest}`);
    print(`  ${name} at Safer:    ${times(safer)}; ratio of sealing ${(safer.sealed / standard.sealed).toFixed(1)}`);
  }
}

if (!existsSync(join(ROOT, 'dist/relay.js'))) throw new Error('run npm run build first');
const deployment = await startDeployment({ slotSeconds: 0.5 });
try {
  await sizes(deployment);
  await opening(deployment);
  await allSealing(deployment);
} finally {
  await deployment.stop();
}
// esbuild, which built the form, keeps a child process running.
process.exit();
