// Without WebAssembly and without a JIT compiler: Tor Browser's level Safer, in current and older versions.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSERS, openBrowser, Tab, type BrowserName, type TestBrowser } from '../support/browser.ts';
import { repliesWaiting, startConversation } from '../support/conversation.ts';
import { shareDeployment, type Deployment } from '../support/deployment.ts';
import { beforeScripts } from '../support/levels.ts';
import { sampled } from '../support/thorough.ts';

const FIRST_VISIT = ['/', '/form.css', '/form.js', '/icon.png', '/start.json', '/words.txt'];
const SEALING = { standard: ['/seal-wasm.js', '/sodium.wasm'], safer: ['/seal-js.js'], 'safer-14': ['/seal-js.js'] } as const;
const SLOW_MS = 120_000;
const TOPIC_LETTERS = 40;

const CASES: readonly (readonly [BrowserName, keyof typeof SEALING])[] = [
  ...BROWSERS.flatMap(
    (name) =>
      [
        [name, 'standard'],
        [name, 'safer'],
      ] as const,
  ),
  ['firefox', 'safer-14'],
];

let deployment: Deployment;
beforeAll(async () => {
  deployment = await shareDeployment();
});
afterAll(() => deployment?.stop());

// At the others a form is tested through Tor, or in every test of a page.
const OF_SAMPLE = sampled(CASES, ([name, level]) => name === 'firefox' && level === 'safer');

describe.each(OF_SAMPLE)('a first visit in %s at %s', { timeout: 2 * SLOW_MS }, (name, level) => {
  let browser: TestBrowser;
  let tab: Tab;
  beforeAll(async () => {
    browser = await openBrowser(name, { level });
    tab = await Tab.open(browser, deployment.url, { before: beforeScripts(level) });
    await tab.until('#send:not(:disabled)', SLOW_MS);
  }, 2 * SLOW_MS);
  afterAll(() => browser?.close());

  it('loads only what it can run, and each file once', async () => {
    // A browser requests the icon when it likes, and in automation often never. The word list comes once the form is ready.
    const paths = (): string[] =>
      tab.requests
        .filter((url) => url.startsWith(deployment.url))
        .map((url) => new URL(url).pathname)
        .filter((path) => path !== '/parcel' && path !== '/icon.png');
    const needed = [...FIRST_VISIT, ...SEALING[level]].filter((path) => path !== '/icon.png').sort();
    await expect.poll(() => paths().sort()).toEqual(needed);
  });

  it('brings a full-length request to the volunteer, without an error or a violation', async () => {
    await tab.page.click('#topic-legal');
    await tab.until('#room-plenty', SLOW_MS);
    const roomy = Number((await tab.text('#room-plenty [data-slot]')).replace(/\D/g, ''));
    // The room may have been counted before the topic was chosen, which takes a little of it.
    const message = 'ж'.repeat(roomy - TOPIC_LETTERS);
    await tab.paste('#message', message);
    await tab.page.click('#send');
    await tab.until('#accepted', SLOW_MS);
    expect(await deployment.untilDelivered([message])).toContain(message);
    expect(tab.problems).toEqual([]);
  });

  if (level !== 'safer') return;

  it('reads an answer as well', async () => {
    const { words, thread } = await startConversation('ru');
    expect((await deployment.post(await deployment.sealReply('Без WebAssembly', thread.address))).status).toBe(202);
    await expect.poll(() => repliesWaiting(deployment, thread)).toBe(1);
    const replies = await Tab.open(browser, new URL('replies', deployment.url).href, { before: beforeScripts(level) });
    await replies.until('#read:not(:disabled)', SLOW_MS);
    await replies.paste('#typed-code', words.join(' '));
    await replies.page.click('#read');
    await replies.until('.reply', SLOW_MS);
    expect(await replies.text('.reply .text')).toBe('Без WebAssembly');
    expect(replies.requests.map((url) => new URL(url).pathname)).not.toContain('/sodium.wasm');
    expect(replies.problems).toEqual([]);
  });
});
