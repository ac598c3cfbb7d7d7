// The access code: made before sealing, shown after acceptance, confirmed by two of its words, and kept nowhere.
import { describe, expect, it } from 'vitest';
import { CODE_WORDS } from '../../crypto/code.ts';
import { BROWSERS } from '../support/browser.ts';
import { CodePage } from '../support/code-page.ts';
import { READY } from '../support/form-page.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { enginesFor, thoroughly } from '../support/thorough.ts';

const NARROW = { width: 320, height: 640 };
const READABLE_PX = 20;

const site = useSite();

describe.each(BROWSERS)('the access code in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource/ });
  const code = new CodePage(bench);

  it('is nowhere but on the page: not in what was sent, the address, the title, storage or clipboard', async () => {
    await code.openForm();
    await code.send(`Никому не видно. ${name}`);
    const words = await code.shown();
    await code.confirmAs(words, (word) => word);
    await code.expectGone();
    const sent = Buffer.concat(
      bench.front.seen.flatMap(({ path, headers, body }) => [Buffer.from(`${path}\n${headers}\n`), Buffer.from(body)]),
    );
    const kept = (await bench.tab.page.evaluate(
      `[
        location.href, document.title, history.length, JSON.stringify(history.state),
        document.cookie, localStorage.length, sessionStorage.length, window.name,
      ].join()`,
    )) as string;
    expect(kept).toMatch(/,0,0,$/);
    for (const word of words) {
      expect(sent.includes(word)).toBe(false);
      expect(sent.includes(encodeURIComponent(word))).toBe(false);
      expect(kept).not.toContain(word);
      expect(bench.tab.requests.join('\n')).not.toContain(encodeURIComponent(word));
    }
  });

  if (!enginesFor('firefox').includes(name)) return;

  it('makes leaving ask first, but not quick exit', async () => {
    await code.openForm();
    await code.send(`Уйти. ${name}`);
    const words = await code.shown();
    await bench.tab.page.click('nav a');
    await bench.tab.until('#code-skip');
    await bench.tab.page.click('#code-back');
    expect(await code.shown()).toEqual(words);
    expect(bench.asked).toEqual([]);
    await bench.tab.page.reload({ waitUntil: 'load' });
    expect(bench.asked).toEqual(['beforeunload']);
    await bench.tab.until(READY);
    await code.send(`Уйти сразу. ${name}`);
    await bench.tab.until('#code');
    await bench.tab.page.click('#exit');
    await expect.poll(() => bench.tab.page.url()).toBe('about:blank');
    expect(await bench.tab.text()).toBe('');
    expect(bench.asked).toEqual(['beforeunload']);
  });

  if (name !== 'firefox') return;

  it.each([
    ['', 'ru'],
    ['en/', 'en'],
  ])('is shown on /%s after acceptance, leads to the thread of the letter, and is gone once confirmed', async (path, language) => {
    const message = `Хочу ответа. ${path} ${name}`;
    await code.openForm(path);
    expect(await bench.tab.isVisible('#answer-about')).toBe(true);
    await code.send(message);
    await bench.tab.until('#code');
    expect(await bench.tab.focused()).toBe('accepted-title');
    expect(await bench.tab.isVisible('#accepted-after')).toBe(false);
    const words = await code.shown();
    expect(words).toHaveLength(CODE_WORDS);

    await code.confirmAs(words, (word) => ` ${word.toUpperCase()}`);
    await code.expectGone();
    expect(await bench.tab.text('#accepted-with-code')).toContain(`/${path}replies`);
    expect(await bench.tab.text('#address')).toBe(new URL(bench.tab.page.url()).host);
    expect(await bench.tab.isVisible('#accepted-when')).toBe(true);
    expect(await bench.tab.isVisible('#accepted-with-contact')).toBe(false);
    expect(await bench.tab.isVisible('#accepted-without-answer')).toBe(false);

    expect(await code.letterOf(message)).toMatchObject({
      kind: 'request',
      language,
      thread: await code.addressFrom(words, language, path),
    });
    await Promise.all([bench.tab.page.waitForNavigation(), bench.tab.page.click('#accepted-after a[href$="/"]')]);
    expect(bench.asked).toEqual([]);
  });

  thoroughly('is confirmed by four letters, by the keyboard alone', async () => {
    await code.openForm();
    await code.send(`Четыре буквы. ${name}`);
    const words = await code.shown();
    await bench.tab.page.focus('#code-written');
    await bench.tab.page.keyboard.press('Enter');
    expect(await bench.tab.focused()).toBe('code-first');
    const [first, second] = await code.positions();
    await bench.tab.page.keyboard.type((words[first] ?? '').slice(0, 4));
    await bench.tab.page.keyboard.press('Tab');
    await bench.tab.page.keyboard.type((words[second] ?? '').slice(0, 4));
    await bench.tab.page.keyboard.press('Enter');
    await code.expectGone();
  });

  thoroughly('is confirmed with ё for е', async () => {
    await code.openForm();
    await code.send(`С точками. ${name}`);
    const words = await code.shown();
    // Until one of the two words asked for has the letter; nearly always one of the twelve does.
    const any = words.some((word) => word.includes('е'));
    for (;;) {
      await bench.tab.page.click('#code-written');
      await bench.tab.until('#code-check');
      const [first, second] = await code.positions();
      const two = [words[first] ?? '', words[second] ?? ''] as const;
      if (!any || two.join().includes('е')) {
        await code.confirm(two[0].replaceAll('е', 'ё'), two[1].replaceAll('е', 'ё'));
        break;
      }
      await bench.tab.page.click('#code-again');
    }
    await code.expectGone();
  });

  it('is shown again when a word is wrong, and the page says which', async () => {
    await code.openForm();
    await code.send(`Ошибка. ${name}`);
    const words = await code.shown();
    await bench.tab.page.click('#code-written');
    await bench.tab.until('#code-check');
    expect(await code.shown()).toEqual([]);
    const [first, second] = await code.positions();
    await code.confirm(words[first] ?? '', (words[second] ?? '').slice(0, 3));
    await bench.tab.until('#code-wrong-second');
    expect(await bench.tab.text('#code-wrong-second')).toContain(String(second + 1));
    expect(await bench.tab.isVisible('#code-wrong-first')).toBe(false);
    expect(await bench.tab.focused()).toBe('code-title');
    expect(await code.shown()).toEqual(words);
    // With one letter too many it is another word.
    await code.confirmAs(words, (word) => `${word}я`);
    await bench.tab.until('#code-wrong-first');
    expect(await bench.tab.isVisible('#code-wrong-second')).toBe(true);
    await code.confirmAs(words, (word) => word);
    await code.expectGone();
  });

  thoroughly('may be left unconfirmed, after a plain warning', async () => {
    await code.openForm();
    await code.send(`Без проверки. ${name}`);
    const words = await code.shown();
    await bench.tab.page.click('#code-skip-ask');
    await bench.tab.until('#code-skip');
    expect(await bench.tab.focused()).toBe('code-skip-title');
    expect(await code.shown()).toEqual([]);
    await bench.tab.page.click('#code-back');
    await bench.tab.until('#code');
    expect(await code.shown()).toEqual(words);
    await bench.tab.page.click('#code-skip-ask');
    await bench.tab.page.click('#code-skip-done');
    await code.expectGone();
  });

  thoroughly('is large and fits at 320 px, with the longest words', async () => {
    await bench.open('', { until: READY, viewport: NARROW });
    await code.send(`Узкий экран. ${name}`);
    await bench.tab.until('#code');
    const longest = (await code.listAt('')).sort((a, b) => b.length - a.length)[0] ?? '';
    const [width, size, overflow] = (await bench.tab.page.evaluate(`(() => {
      const items = [...document.querySelectorAll('#code-words li')];
      for (const item of items) item.textContent = ${JSON.stringify(longest)};
      const list = document.getElementById('code-words');
      return [document.documentElement.scrollWidth, parseFloat(getComputedStyle(items[0]).fontSize), list.scrollWidth - list.clientWidth];
    })()`)) as [number, number, number];
    expect(width).toBeLessThanOrEqual(NARROW.width);
    expect(size).toBeGreaterThanOrEqual(READABLE_PX);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await bench.tab.page.evaluate("getComputedStyle(document.getElementById('code-words')).userSelect")).not.toBe('none');
  });
});
