// The main job through an onion service: a private Tor network on this machine, forwarding to a unix socket as in production,
// and browsers configured like Tor Browser at each of its levels. With SCREENSHOTS=FOLDER each step is also captured.
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { encodeQuestion } from '../../crypto/mailbox.ts';
import { PARCEL_BYTES, sealParcel } from '../../crypto/parcel.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { ScriptlessPage } from '../support/scriptless-page.ts';
import { openBrowser, Tab, type BrowserName } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { beforeScripts, type Level } from '../support/levels.ts';
import { SilentStreams, visitMs } from '../support/onion-attack.ts';
import { Recorder } from '../support/recorder.ts';
import { socksConnect } from '../support/socks.ts';
import { startTor, TOR_START_MS, type Tor } from '../support/tor.ts';
import { sampled } from '../support/thorough.ts';
import { countCells } from '../support/tor-cells.ts';

const TEST_MS = 240_000;
/** Circuits may have to be rebuilt meanwhile. */
const STEP_MS = 60_000;
const MOST_REQUESTS = 8;
/** Bytes of a stream in one cell (tor-spec, § Relay cells). */
const CELL_BYTES = 498;
/** Cells that begin and end the stream, for congestion control, and that a piece of it does not fill. */
const MOST_OTHER_CELLS = 10;
const SCREENSHOTS = process.env['SCREENSHOTS'];
const DESK = { width: 560, height: 900 };
const PHONE = { width: 360, height: 740, deviceScaleFactor: 1, isMobile: true, hasTouch: true };
/** A stock Chromium honours these only over https; Tor Browser treats an onion as secure. */
const ONLY_UNDER_HTTPS = /Cross-Origin-Opener-Policy header has been ignored|Origin-Agent-Cluster header/;

type Case = { name: string; browser: BrowserName; level: Level; path: string; phone?: true; wasm: boolean };
const CASES: readonly Case[] = [
  { name: 'standard', browser: 'firefox', level: 'standard', path: '', wasm: true },
  { name: 'safer', browser: 'firefox', level: 'safer', path: '', wasm: false },
  { name: 'safer-14', browser: 'firefox', level: 'safer-14', path: 'en/', wasm: false },
  { name: 'phone', browser: 'chromium', level: 'standard', path: '', phone: true, wasm: true },
];

let deployment: Deployment;
let recorder: Recorder;
let tor: Tor;
beforeAll(async () => {
  // Long enough to capture the waiting.
  deployment = await startDeployment({ onSocket: true, ...(SCREENSHOTS === undefined ? {} : { slotSeconds: 8 }) });
  recorder = await Recorder.start({ socket: deployment.socket ?? '' });
  tor = await startTor(recorder.socket);
}, TOR_START_MS);
afterAll(async () => {
  await tor?.stop();
  await recorder?.stop();
  await deployment?.stop();
});

/** A connection through Tor may fail, as in real life. */
async function go(page: Page, path = ''): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await page.goto(new URL(path, tor.url).href, { waitUntil: 'load', timeout: STEP_MS });
      return;
    } catch (error) {
      if (attempt === 3) throw error;
      await sleep(1_000);
    }
  }
}

async function draw(name: string, picture: () => Promise<Uint8Array>): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  await mkdir(SCREENSHOTS, { recursive: true });
  await writeFile(join(SCREENSHOTS, `${name}.png`), await picture());
}

/** Paths requested since then, in order. */
function asked(since: number): string[] {
  return recorder
    .exchanges('GET ')
    .slice(since)
    .map(({ up }) => up.head.split(' ', 2)[1] ?? '');
}

/** At the level that leaves the page the least; at Standard every page is tested without Tor. */
it.each(sampled(CASES, ({ name }) => name === 'safer'))(
  '$name: a request typed there is opened by a volunteer',
  { timeout: TEST_MS },
  async ({ name, browser: which, level, path, phone, wasm }) => {
    const message =
      path === ''
        ? `Здравствуйте. Пишу через Tor (${name}): мне страшно, и не с кем поговорить.`
        : `Hello. I am writing through Tor (${name}).`;
    const since = recorder.exchanges('GET ').length;
    const browser = await openBrowser(which, { level, socksPort: tor.socksPort });
    try {
      const tab = await Tab.open(browser, undefined, { before: beforeScripts(level) });
      const shot = (step: string): Promise<void> => draw(`onion-${name}-${step}`, () => tab.page.screenshot());
      await tab.page.setViewport(phone ? PHONE : DESK);
      await go(tab.page, path);
      await tab.until('#send:not(:disabled)', STEP_MS);
      await shot('1-open');
      await tab.page.type('#message', message);
      await tab.page.click('#topic-legal');
      await tab.page.evaluate("document.querySelector('#message').scrollIntoView({ block: 'center' })");
      await shot('2-written');
      await tab.page.click('#send');
      if (SCREENSHOTS !== undefined) await tab.until('#progress-slot', STEP_MS).then(() => shot('3-waiting'));
      await tab.until('#accepted', STEP_MS);
      await shot('4-accepted');
      expect(await deployment.untilDelivered([message])).toContain(message);

      // Only what this level needs, and nothing on the console: NoScript would draw a box over the page.
      const paths = asked(since);
      expect(paths).toContain(wasm ? '/seal-wasm.js' : '/seal-js.js');
      expect(paths.filter((each) => (wasm ? /seal-js/ : /wasm/).test(each))).toEqual([]);
      expect(paths.length).toBeLessThanOrEqual(MOST_REQUESTS);
      expect(tab.problems.filter((problem) => !ONLY_UNDER_HTTPS.test(problem))).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);

it('a request, a decoy and a look into a mailbox take the same number of cells', { timeout: TEST_MS }, async () => {
  const browsers = recorder.exchanges('POST /parcel? ')[0];
  if (browsers === undefined) throw new Error('no browser has sent anything yet');
  const { keyring } = deployment.keyring;
  const exchange = async (circuit: string, body: Uint8Array, head = browsers.up.head): Promise<void> => {
    const socket = await socksConnect(tor.socksPort, tor.onion, 80, { timeoutMs: STEP_MS, isolation: circuit });
    socket.resume();
    socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
    await once(socket, 'close');
  };
  const kinds: (() => [body: Uint8Array, head?: string])[] = [
    () => [deployment.seal('Ячейки')],
    () => [stampParcel(sealParcel({ kind: 'decoy' }, keyring), 10)],
    () => [
      encodeQuestion({ mailboxKey: randomBytes(32), threadKey: randomBytes(32), page: 0 }),
      browsers.up.head.replace('/parcel?', '/mailbox'),
    ],
  ];
  const pieces = [...kinds, ...kinds].map((made, index) => () => exchange(String(index), ...made()));
  const counted = await countCells(tor, pieces);

  expect(counted.length).toBe(pieces.length);
  const needed = Math.ceil((browsers.up.head.length + PARCEL_BYTES) / CELL_BYTES);
  for (const { up, down } of counted) {
    for (const cells of [up, down]) {
      expect(cells).toBeGreaterThanOrEqual(needed);
      expect(cells).toBeLessThanOrEqual(needed + MOST_OTHER_CELLS);
    }
  }
});

it('five hundred silent streams over one circuit never stand, and a visit gets in', { timeout: TEST_MS }, async () => {
  const [attacker] = tor.clients;
  if (attacker === undefined) throw new Error('no client');
  const silent = new SilentStreams(attacker, tor.onion, { circuits: 1, streams: 500 });
  try {
    await expect.poll(() => silent.most, { timeout: STEP_MS }).toBeGreaterThan(1);
    expect(await visitMs(tor, deployment.seal('Мне нужна помощь.'))).toBeLessThan(STEP_MS);
    // Twice the limit: a circuit that was closed may still look open from there while the next one is.
    expect(silent.most).toBeLessThanOrEqual(64);
  } finally {
    await silent.stop();
  }
});

it('safest: a sealed request is pasted without scripts, and a volunteer opens it', { timeout: TEST_MS }, async () => {
  const message = 'Запечатано в другом браузере.';
  const browser = await openBrowser('firefox', { level: 'safest', socksPort: tor.socksPort });
  try {
    const page = await ScriptlessPage.open(browser);
    const shot = (step: string): Promise<void> => draw(`onion-safest-${step}`, () => page.screenshot());
    await page.page.setViewport(DESK);
    await go(page.page);
    await page.until('#parcel', STEP_MS);
    expect(await page.isVisible('#no-scripts')).toBe(true);
    for (const hidden of ['#form', '#opening', '#progress', '#accepted']) expect(await page.isVisible(hidden)).toBe(false);
    await shot('1-open');

    // The browser itself does not let anything else out.
    const posts = (): number => recorder.exchanges('POST ').length;
    const before = posts();
    await page.type('#parcel', 'help');
    await page.enter();
    await page.until('#parcel:user-invalid');

    await page.paste('#parcel', encodeParcelText(deployment.seal(message)));
    await page.enter();
    await expect.poll(() => page.page.url(), { timeout: STEP_MS }).toBe(`${tor.url}paste`);
    await page.until('h1', STEP_MS);
    await shot('2-accepted');
    expect(await deployment.untilDelivered([message])).toContain(message);
    expect(posts()).toBe(before + 1);
    expect(page.problems).toEqual([]);
  } finally {
    await browser.close();
  }
});
