// Problems when the form opens, or with its keyring, are shown before anything is sealed.
import { describe, expect, it } from 'vitest';
import { encodeKeyring } from '../../crypto/keyring.ts';
import { generateKeyPair, sign } from '../../crypto/minisign.ts';
import { clockAhead, FIREFOX } from '../support/browser.ts';
import { answerWith, FormPage, MESSAGE, READY } from '../support/form-page.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { sampled, thoroughly } from '../support/thorough.ts';

const HOUR_MS = 3_600_000;

const site = useSite();

describe.each(FIREFOX)('opening the form in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource|Loading Worker from/ });
  const page = new FormPage(bench);

  /** A keyring that expires within the hour, and a form whose clock can be moved past that. */
  async function openWithKeyringEndingSoon(): Promise<void> {
    await page.serveKeyringEndingSoon();
    page.serveClock();
    await page.open();
    await page.type();
  }

  const CLOSED: readonly [string, string][] = [
    ['keyring', 'closed-keyring'],
    ['maintenance', 'closed-maintenance'],
    ['pool', 'closed-pool'],
    ['redis', 'closed-service'],
    ['worker', 'closed-service'],
  ];
  it.each(sampled(CLOSED, ([reason]) => reason === 'maintenance' || reason === 'redis'))(
    'a door closed for %s is announced before anyone types, and checked again',
    async (reason, notice) => {
      page.serveStart({ door: { open: false, reason }, json: encodeKeyring(bench.deployment.keyring.keyring), signature: '' });
      await bench.open('', { until: `#notice-${notice}` });
      const offered = async (): Promise<boolean[]> => Promise.all(['#form', '#invitation'].map((part) => bench.tab.isVisible(part)));
      expect(await offered()).toEqual([false, false]);
      expect(await bench.tab.text(`#notice-${notice}`)).toContain('Если ждать нельзя, обратитесь, пожалуйста, к тому, кто может помочь');
      bench.front.rules.clear();
      await bench.tab.page.click(`#notice-${notice} [data-action="check"]`);
      await bench.tab.until(READY);
      expect(await bench.tab.isVisible(`#notice-${notice}`)).toBe(false);
      expect(await offered()).toEqual([true, true]);
    },
  );

  thoroughly('a door closed for its keyring says so, and not that a clock is wrong, whatever keyring comes with it', async () => {
    const ended = encodeKeyring({
      ...bench.deployment.keyring.keyring,
      notBefore: '2020-01-01T00:00:00Z',
      notAfter: '2020-01-08T00:00:00Z',
    });
    page.serveStart({ door: { open: false, reason: 'keyring' }, json: ended, signature: sign(ended, await page.rootKey(), 'test') });
    await bench.open('en/', { until: '#notice-closed-keyring' });
    const said = await bench.tab.text('#notice-closed-keyring');
    expect(said).toContain('We do not know how long that takes');
    expect(said).not.toMatch(/hour|minute/);
  });

  const WRONG_CLOCKS: readonly [string, number][] = [
    ['ahead', 40],
    ['behind', -40],
  ];
  it.each(sampled(WRONG_CLOCKS, ([way]) => way === 'behind'))(
    'a clock that is %s is told from a closed door, shown, and nothing is sent until it is right',
    async (_, days) => {
      page.serveClock(days);
      await bench.open('', { until: '#notice-clock', before: clockAhead(days) });
      expect(await bench.tab.isVisible('#form')).toBe(false);
      const shown = new Intl.DateTimeFormat('ru', { dateStyle: 'long', timeZone: 'UTC' }).format(
        new Date(Date.now() + days * 24 * HOUR_MS),
      );
      expect(await bench.tab.text('#notice-clock')).toContain(shown);
      expect(bench.front.parcels()).toEqual([]);
      await page.moveClock(0);
      await bench.tab.page.click('#notice-clock [data-action="check"]');
      await bench.tab.until(READY);
    },
  );

  const STAMPS: readonly [string, number, boolean][] = [
    ['minutes without WebAssembly', 18, true],
    ['half a minute without WebAssembly', 17, false],
  ];
  it.each(sampled(STAMPS, ([, , said]) => said))(
    'a stamp that takes %s is announced before anyone types where it takes long',
    async (_, difficulty, said) => {
      const json = encodeKeyring(bench.deployment.keyring.keyring);
      page.serveStart({ door: { difficulty }, json, signature: sign(json, await page.rootKey(), 'test') });
      page.serveWithoutWasm();
      await bench.open('', { until: READY });
      if (said) await bench.tab.until('#notice-slow-stamp');
      expect(await bench.tab.isVisible('#notice-slow-stamp')).toBe(said);
      expect(await bench.tab.isVisible('#form')).toBe(true);
    },
  );

  const KEYRINGS: readonly [string, () => Promise<void>, string][] = [
    ['signed by another key', () => page.serveKeyring({}, generateKeyPair()), 'keyring-forged'],
    [
      'signed by another key under the right name',
      async () => page.serveKeyring({}, { ...generateKeyPair(), id: (await page.rootKey()).id }),
      'keyring-forged',
    ],
    [
      'that is no keyring',
      async () => page.serveStart({ json: Buffer.from('{}'), signature: sign(Buffer.from('{}'), await page.rootKey(), 'test') }),
      'keyring-forged',
    ],
    ['past its end', () => page.serveKeyring({ notBefore: '2020-01-01T00:00:00Z', notAfter: '2020-01-08T00:00:00Z' }), 'clock'],
    ['not valid yet', () => page.serveKeyring({ notBefore: '2090-01-01T00:00:00Z', notAfter: '2090-01-08T00:00:00Z' }), 'clock'],
  ];
  const MOST_ALIKE = ['signed by another key under the right name', 'past its end'];
  it.each(sampled(KEYRINGS, ([what]) => MOST_ALIKE.includes(what)))(
    'a keyring %s is refused before anything can be sealed',
    async (_, prepare, notice) => {
      await prepare();
      await bench.open('', { until: `#notice-${notice}` });
      expect(await bench.tab.isVisible('#form')).toBe(false);
      expect(page.requests()).toEqual([]);
    },
  );

  it('a keyring that expired while the page was open is renewed automatically', async () => {
    await openWithKeyringEndingSoon();
    bench.front.rules.clear();
    await page.moveClock(1);
    await bench.tab.page.click('#send');
    await bench.tab.until('#accepted');
  });

  it('a page that has seen a newer keyring refuses an older one', async () => {
    await page.serveKeyring({ serial: 9 });
    await page.open();
    await page.type();
    bench.front.rules.clear();
    page.onRequest((_, response) => answerWith(response, 400, 'serial'));
    await bench.tab.page.click('#send');
    await page.expectKept('keyring-old');
    expect(page.requests()).toHaveLength(1);
  });

  thoroughly('a page refuses a keyring that does not name the one it had before', async () => {
    await page.open();
    await page.type();
    await page.serveKeyring({ serial: bench.deployment.keyring.keyring.serial + 1, previous: null });
    page.onRequest((_, response) => answerWith(response, 400, 'serial'));
    await bench.tab.page.click('#send');
    await page.expectKept('keyring-forged');
    expect(page.requests()).toHaveLength(1);
  });

  it.each([
    ['that the relay still takes for valid', () => undefined, 'clock'],
    ['that the relay has none for', () => page.serveStart({ door: { open: false, reason: 'keyring' } }), 'closed-keyring'],
  ])('an expired keyring at the moment of sending, %s, keeps the text', async (_, meanwhile, notice) => {
    await openWithKeyringEndingSoon();
    await page.moveClock(1);
    meanwhile();
    await bench.tab.page.click('#send');
    await page.expectKept(notice);
  });

  it('a topic that is gone from the keyring keeps the text and asks for another', async () => {
    await page.open();
    await page.type();
    const teams = bench.deployment.keyring.keyring.teams.map((team) => ({
      ...team,
      topics: team.topics.filter(({ id }) => id === 'legal'),
    }));
    const { keyring, digest } = bench.deployment.keyring;
    await page.serveKeyring({ serial: keyring.serial + 1, previous: digest, teams });
    page.onRequest((_, response) => answerWith(response, 400, 'serial'));
    await bench.tab.page.click('#send');
    await page.expectKept('topic-gone');
    expect(await bench.tab.isVisible('#topic-psychological')).toBe(false);
  });

  it('without a relay the page says that it cannot be reached, and finds it again', async () => {
    for (const path of ['/start.json', '/sodium.wasm']) bench.front.rules.set(path, (_, response) => void response.destroy());
    await bench.open('', { until: '#notice-unreachable' });
    bench.front.rules.clear();
    await bench.tab.page.click('#notice-unreachable [data-action="check"]');
    await bench.tab.until(READY);
  });

  thoroughly('after a link followed by mistake the notice and its button are there again', async () => {
    let hangUp: () => void = () => undefined;
    bench.front.rules.set('/start.json', (_, response) => {
      hangUp = () => {
        // A browser repeats a request when a kept-alive connection breaks.
        bench.front.rules.set('/start.json', (_again, next) => void next.destroy());
        response.destroy();
      };
    });
    await bench.open('', { until: '#checking' });
    await bench.tab.paste('#message', MESSAGE);
    await expect.poll(() => bench.front.seen.map(({ path }) => path)).toContain('/start.json');
    hangUp();
    await page.expectKept('unreachable');
    expect(await bench.tab.isVisible('#checking')).toBe(false);
    for (let i = 0; i < 2; i += 1) {
      await bench.tab.page.click('nav a');
      await bench.tab.until('#notice-leaving');
    }
    await bench.tab.page.click('#notice-leaving [data-action="stay"]');
    await page.expectKept('unreachable');
    expect(await bench.tab.isVisible('#notice-leaving')).toBe(false);
    bench.front.rules.clear();
    await bench.tab.page.click('#notice-unreachable [data-action="check"]');
    await bench.tab.until(READY);
    expect(await bench.tab.value('#message')).toBe(MESSAGE);
  });

  it('a page whose script does not load says what to do', async () => {
    bench.front.rules.set('/form.js', (_, response) => void response.destroy());
    await bench.open('');
    await bench.tab.page.type('#message', MESSAGE);
    expect(await bench.tab.text('#checking')).toContain('скопируйте текст и обновите страницу');
    expect(await bench.tab.page.$('#send:disabled')).not.toBeNull();
  });
});
