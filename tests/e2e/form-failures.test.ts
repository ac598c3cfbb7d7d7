// Whatever fails, the page says what to do, keeps the text, and never sends a request twice.
import { describe, expect, it } from 'vitest';
import type { Result } from '../../crypto/answer.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { parseParcel } from '../../crypto/parcel.ts';
import { stampBits } from '../../crypto/stamp.ts';
import { BROWSERS } from '../support/browser.ts';
import { answerWith, FormPage } from '../support/form-page.ts';
import type { Rule } from '../support/front.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { enginesFor, isThorough, sampled, thoroughly } from '../support/thorough.ts';

const LEAVE = "dispatchEvent(new PageTransitionEvent('pagehide'))";

const site = useSite();

describe.each(BROWSERS)('when sending fails in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource|Loading Worker from/ });
  const page = new FormPage(bench);

  async function fail(): Promise<void> {
    page.onRequest((_, response) => void response.destroy());
    await bench.tab.page.click('#send');
    await bench.tab.until('#notice-offline');
    expect(bench.tab.page.workers()).toHaveLength(1);
    // For sending it again.
    if (name === 'chromium') expect(await bench.tab.memory()).toContain(await bench.tab.value('#message'));
  }

  it('the text stays when the relay is gone, and the next attempt sends the same parcel', async () => {
    await page.open();
    await page.type();
    page.onRequest((_, response) => void response.destroy());
    await bench.tab.page.click('#send');
    await page.expectKept('offline');
    bench.front.rules.clear();
    await page.tryAgain('offline');
    expect(new Set(page.requests().map(toHex)).size).toBe(1);
  });

  const WAYS_OUT: readonly [string, () => Promise<unknown>][] = [
    [
      'by a link, after a failure',
      async () => {
        await fail();
        // The next page is held back, so that this one can still be inspected.
        bench.front.rules.set('/en/', (_, response) => void response.writeHead(204).end());
        await bench.tab.page.click('nav a');
        await bench.tab.page.click('#notice-leaving [data-action="leave"]');
      },
    ],
    [
      'in any way, after a failure',
      async () => {
        await fail();
        await bench.tab.page.evaluate(LEAVE);
      },
    ],
    [
      'in any way, while it is sealed',
      async () => {
        await bench.tab.page.click('#answer');
        await bench.tab.page.evaluate(`document.querySelector('#send').click(); ${LEAVE}`);
      },
    ],
    [
      'in any way, while it waits for its slot',
      async () => {
        await bench.tab.page.evaluate(`(() => {
        const step = document.querySelector('#progress-slot');
        new MutationObserver(() => step.hidden || ${LEAVE}).observe(step, { attributes: true });
        document.querySelector('#send').click();
      })()`);
      },
    ],
  ];
  // Only Chromium shows its memory.
  const most = name === 'chromium' ? ['by a link, after a failure', 'in any way, while it is sealed'] : ['in any way, after a failure'];
  it.each(sampled(WAYS_OUT, ([way]) => most.includes(way)))(
    'nothing of a text stays in memory when the page is left %s',
    async (_, leave) => {
      const word = toHex(randomBytes(16));
      await page.open();
      await bench.tab.page.type('#message', word);
      await leave();
      await expect.poll(() => bench.tab.page.workers()).toEqual([]);
      if (name === 'chromium') await expect.poll(() => bench.tab.memory()).not.toContain(word);
      expect(await bench.tab.value('#message')).toBe('');
    },
  );

  if (!enginesFor('firefox').includes(name)) return;

  it('when no sealing script loads, the page says so and offers no way to send', async () => {
    for (const script of ['/seal-wasm.js', '/seal-js.js'])
      bench.front.rules.set(script, (_, response) => void response.writeHead(404).end());
    await bench.open('', { until: '#notice-no-sealing' });
    expect(await bench.tab.isVisible('#form')).toBe(false);
  });

  if (name !== 'firefox') return;

  it('an answer lost after the relay took the parcel does not lead to two requests', async () => {
    const text = `Один раз. ${name}`;
    await page.open();
    await page.type(text);
    page.onRequest(async (exchange, response) => {
      await bench.deployment.post(exchange.body);
      response.destroy();
    });
    await bench.tab.page.click('#send');
    await bench.tab.until('#notice-offline');
    bench.front.rules.clear();
    await page.tryAgain('offline');
    const last = `Последний. ${name}`;
    await bench.deployment.post(bench.deployment.seal(last));
    const delivered = await bench.deployment.untilDelivered([text, last]);
    expect(delivered.filter((each) => each === text)).toHaveLength(1);
  });

  thoroughly('the page gives up on a relay that does not answer after two minutes', async () => {
    // Speeds up the page's long timers a hundredfold.
    await page.open('const real = setTimeout; globalThis.setTimeout = (f, ms, ...rest) => real(f, ms > 100_000 ? ms / 100 : ms, ...rest);');
    await page.type();
    page.onRequest(() => undefined);
    await bench.tab.page.click('#send');
    await bench.tab.until('#progress-sending');
    await page.expectKept('timeout');
  });

  it('a stamp that is too cheap is replaced automatically, for the same request', async () => {
    await page.open();
    await page.type();
    page.onRequest((_, response) => answerWith(response, 422, 'stamp', { difficulty: 13 }), page.pass);
    await bench.tab.page.click('#send');
    await bench.tab.until('#accepted');
    const [first, second] = page.requests().map(parseParcel);
    expect(second && toHex(second.id)).toBe(first && toHex(first.id));
    expect(second && stampBits(second)).toBeGreaterThanOrEqual(13);
  });

  thoroughly('no work is done for an absurd difficulty', async () => {
    await page.open();
    await page.type();
    page.onRequest((_, response) => answerWith(response, 422, 'stamp', { difficulty: 60 }));
    await bench.tab.page.click('#send');
    await page.expectKept('busy');
    expect(page.requests()).toHaveLength(1);
  });

  const TO_SEAL_AGAIN: readonly [string, Result][] = [
    ['of a dead serial', 'serial'],
    ['that was changed on its way', 'damaged'],
  ];
  it.each(sampled(TO_SEAL_AGAIN, ([, result]) => result === 'serial'))(
    'a parcel %s is sealed again automatically under the current keyring',
    async (_, result) => {
      await page.open();
      await page.type();
      page.onRequest((_exchange, response) => answerWith(response, 400, result), page.pass);
      await bench.tab.page.click('#send');
      await bench.tab.until('#accepted');
      expect(new Set(page.requests().map((parcel) => toHex(parseParcel(parcel).id))).size).toBe(2);
    },
  );

  it.each<Result>(isThorough() ? ['full', 'away', 'closed'] : ['full'])(
    'the page waits for a relay that is %s, and tries again with the same parcel',
    async (result) => {
      await page.open();
      await page.type();
      page.onRequest((_, response) => answerWith(response, 503, result, { retryAfterSeconds: 2 }), page.pass);
      await bench.tab.page.click('#send');
      await page.expectKept('waiting');
      await bench.tab.until('#accepted');
      expect(new Set(page.requests().map(toHex)).size).toBe(1);
    },
  );

  thoroughly('waiting ends when the text changes or the person asks for it', async () => {
    await page.open();
    await page.type();
    page.onRequest((_, response) => answerWith(response, 503, 'full', { retryAfterSeconds: 200 }));
    await bench.tab.page.click('#send');
    await page.expectKept('waiting');
    expect(await bench.tab.text('#notice-waiting')).toMatch(/3:\d\d/);
    await bench.tab.page.click('#notice-waiting [data-action="stop"]');
    await page.expectKept('busy');
    await bench.tab.page.click('#send');
    await page.expectKept('waiting');
    await bench.tab.page.type('#message', '!');
    await bench.tab.until('#notice-busy');
    expect(await bench.tab.focused()).toBe('message');
  });

  const UNUSABLE: readonly [string, Rule, string][] = [
    ['too large', (_, response) => void response.writeHead(413).end('{}'), 'refused'],
    ['of the wrong type', (_, response) => void response.writeHead(415).end('{}'), 'refused'],
    ['too slow', (_, response) => void response.writeHead(408).end('{}'), 'refused'],
    ['of an unknown version', (_, response) => answerWith(response, 400, 'version'), 'outdated'],
    ['not sealed', (_, response) => answerWith(response, 400, 'sealed'), 'outdated'],
    ['changed each time', (_, response) => answerWith(response, 400, 'damaged'), 'outdated'],
    ['met with half an answer', (_, response) => void response.writeHead(202).end(new Uint8Array(100)), 'refused'],
  ];
  it.each(sampled(UNUSABLE, ([what]) => what === 'too large' || what === 'changed each time'))(
    'a parcel that is %s keeps the text',
    async (_, rule, notice) => {
      await page.open();
      await page.type();
      page.onRequest(rule);
      await bench.tab.page.click('#send');
      await page.expectKept(notice);
    },
  );

  it('a decoy on a stalled connection holds up no request', async () => {
    bench.front.rules.set('/parcel', (exchange, response) => (bench.isRequest(exchange.body) ? page.pass(exchange, response) : undefined));
    await page.open();
    await page.type();
    await expect.poll(() => bench.front.parcels().length).toBeGreaterThan(0);
    await bench.tab.page.click('#send');
    await bench.tab.until('#accepted');
    expect(page.requests()).toHaveLength(1);
    expect(bench.isRequest(bench.front.parcels()[0] ?? new Uint8Array())).toBe(false);
  });

  it('the page waits for a killed Redis, and the request arrives once it is back', async () => {
    const text = `После перерыва. ${name}`;
    await page.open();
    await page.type(text);
    await bench.deployment.kill('redis');
    await bench.tab.page.click('#send');
    await bench.tab.until('#notice-waiting');
    expect(await bench.tab.value('#message')).toBe(text);
    // The door notices within about a second; until then it would still look open.
    await expect
      .poll(async () => (await fetch(new URL('door.json', bench.deployment.url))).text(), { timeout: 60_000 })
      .toContain('"open":false');
    bench.deployment.start('redis');
    await bench.deployment.untilOpen();
    await bench.tab.page.click('#notice-waiting [data-action="send"]');
    await bench.tab.until('#accepted');
    expect(await bench.deployment.untilDelivered([text])).toContain(text);
  });
});
