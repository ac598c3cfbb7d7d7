// The access code: made before sealing, shown after acceptance, confirmed by two of its words, and nowhere else.
import { describe, expect, it } from 'vitest';
import { encodeAnswer } from '../../crypto/answer.ts';
import { CODE_WORDS, codeRoot, readCode } from '../../crypto/code.ts';
import type { WrittenContent } from '../../crypto/letter.ts';
import { threadOf, type ThreadAddress } from '../../crypto/thread.ts';
import { BROWSERS, type Tab } from '../support/browser.ts';
import { READY } from '../support/form-page.ts';
import { usePages, useSite } from '../support/page-bench.ts';

const NARROW = { width: 320, height: 640 };
const READABLE_PX = 20;
/** Whoever copies without being asked is heard on the console. */
const HEAR_COPYING = `
  document.execCommand = () => console.error('execCommand');
  if (navigator.clipboard) navigator.clipboard.writeText = navigator.clipboard.write = () => console.error('clipboard');
  addEventListener('copy', () => console.error('copied'));
`;

const site = useSite();

describe.each(BROWSERS)('the access code in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource/ });
  let tab: Tab;

  const listAt = async (path: string): Promise<string[]> => (await (await fetch(new URL(`${path}words.txt`, bench.deployment.url))).text()).trim().split('\n');
  async function openForm(path = ''): Promise<void> {
    tab = await bench.open(path, { until: READY, before: HEAR_COPYING });
  }
  async function send(message: string): Promise<void> {
    await tab.paste('#message', message);
    await tab.page.click('#send');
    await tab.until('#accepted');
  }
  const shown = async (): Promise<string[]> => (await tab.page.evaluate("[...document.querySelectorAll('#code-words li')].map((item) => item.innerText)")) as string[];
  /** The two positions asked for, from 0. */
  async function positions(): Promise<[number, number]> {
    const [first, second] = await Promise.all(['first', 'second'].map(async (which) => Number(/\d+/.exec(await tab.text(`label[for=code-${which}]`))?.[0]) - 1));
    return [first ?? -1, second ?? -1];
  }
  async function confirm(first: string, second: string): Promise<void> {
    await tab.page.type('#code-first', first);
    await tab.page.type('#code-second', second);
    await tab.page.click('#code-confirm');
  }
  async function confirmAs(words: readonly string[], written: (word: string) => string): Promise<void> {
    await tab.page.click('#code-written');
    await tab.until('#code-check');
    const [first, second] = await positions();
    expect(first).toBeLessThan(second);
    await confirm(written(words[first] ?? ''), written(words[second] ?? ''));
  }
  async function expectGone(): Promise<void> {
    await tab.until('#accepted-with-code');
    expect(await tab.focused()).toBe('replies-title');
    expect(await shown()).toEqual([]);
    for (const part of ['#code', '#code-check', '#code-skip']) expect(await tab.isVisible(part)).toBe(false);
    expect(await tab.value('#code-first') + await tab.value('#code-second')).toBe('');
  }
  async function letterOf(message: string): Promise<WrittenContent | undefined> {
    await bench.deployment.untilDelivered([message]);
    return (await bench.deployment.letters()).find((each) => each.message === message);
  }
  async function addressFrom(words: readonly string[], language = 'ru', path = ''): Promise<ThreadAddress> {
    const read = readCode(words.join(' '), await listAt(path));
    if ('problem' in read) throw new Error(`not a code: ${JSON.stringify(read.problem)}`);
    return threadOf(codeRoot(language, read.code)).address;
  }

  it('is nowhere but on the page: not in what was sent, the address, the title, storage or clipboard', async () => {
    await openForm();
    await send(`Никому не видно. ${name}`);
    const words = await shown();
    await confirmAs(words, (word) => word);
    await expectGone();
    const sent = Buffer.concat(bench.front.seen.flatMap(({ path, headers, body }) => [Buffer.from(`${path}\n${headers}\n`), Buffer.from(body)]));
    const kept = (await tab.page.evaluate('[location.href, document.title, history.length, JSON.stringify(history.state), document.cookie, localStorage.length, sessionStorage.length, window.name].join()')) as string;
    expect(kept).toMatch(/,0,0,$/);
    for (const word of words) {
      expect(sent.includes(word)).toBe(false);
      expect(sent.includes(encodeURIComponent(word))).toBe(false);
      expect(kept).not.toContain(word);
      expect(tab.requests.join('\n')).not.toContain(encodeURIComponent(word));
    }
  });

  it('is what is asked about before leaving, and quick exit asks nothing', async () => {
    await openForm();
    await send(`Уйти. ${name}`);
    const words = await shown();
    await tab.page.click('nav a');
    await tab.until('#code-skip');
    await tab.page.click('#code-back');
    expect(await shown()).toEqual(words);
    expect(bench.asked).toEqual([]);
    await tab.page.reload({ waitUntil: 'load' });
    expect(bench.asked).toEqual(['beforeunload']);
    await tab.until(READY);
    await send(`Уйти сразу. ${name}`);
    await tab.until('#code');
    await tab.page.click('#exit');
    await expect.poll(() => tab.page.url()).toBe('about:blank');
    expect(await tab.text()).toBe('');
    expect(bench.asked).toEqual(['beforeunload']);
  });

  if (name !== 'firefox') return;

  it.each([['', 'ru'], ['en/', 'en']])('is shown on /%s after acceptance, leads to the thread of the letter, and is gone once confirmed', async (path, language) => {
    const message = `Хочу ответа. ${path} ${name}`;
    await openForm(path);
    expect(await tab.isVisible('#answer-about')).toBe(true);
    await send(message);
    await tab.until('#code');
    expect(await tab.focused()).toBe('accepted-title');
    expect(await tab.isVisible('#accepted-after')).toBe(false);
    const words = await shown();
    expect(words).toHaveLength(CODE_WORDS);

    await confirmAs(words, (word) => ` ${word.toUpperCase()}`);
    await expectGone();
    expect(await tab.text('#accepted-with-code')).toContain(`/${path}replies`);
    expect(await tab.text('#address')).toBe(new URL(tab.page.url()).host);
    expect(await tab.isVisible('#accepted-when')).toBe(true);
    expect(await tab.isVisible('#accepted-with-contact')).toBe(false);
    expect(await tab.isVisible('#accepted-without-answer')).toBe(false);

    expect(await letterOf(message)).toMatchObject({ kind: 'request', language, thread: await addressFrom(words, language, path) });
    await Promise.all([tab.page.waitForNavigation(), tab.page.click('#accepted-after a[href$="/"]')]);
    expect(bench.asked).toEqual([]);
  });

  it('is confirmed by four letters, by the keyboard alone', async () => {
    await openForm();
    await send(`Четыре буквы. ${name}`);
    const words = await shown();
    await tab.page.focus('#code-written');
    await tab.page.keyboard.press('Enter');
    expect(await tab.focused()).toBe('code-first');
    const [first, second] = await positions();
    await tab.page.keyboard.type((words[first] ?? '').slice(0, 4));
    await tab.page.keyboard.press('Tab');
    await tab.page.keyboard.type((words[second] ?? '').slice(0, 4));
    await tab.page.keyboard.press('Enter');
    await expectGone();
  });

  it('is confirmed with ё for е', async () => {
    await openForm();
    await send(`С точками. ${name}`);
    const words = await shown();
    // Until one of the two has the letter; of twelve words nearly always one does.
    const any = words.some((word) => word.includes('е'));
    for (;;) {
      await tab.page.click('#code-written');
      await tab.until('#code-check');
      const [first, second] = await positions();
      const two = [words[first] ?? '', words[second] ?? ''] as const;
      if (!any || two.join().includes('е')) {
        await confirm(two[0].replaceAll('е', 'ё'), two[1].replaceAll('е', 'ё'));
        break;
      }
      await tab.page.click('#code-again');
    }
    await expectGone();
  });

  it('is shown again when a word does not fit, and the page says which', async () => {
    await openForm();
    await send(`Ошибка. ${name}`);
    const words = await shown();
    await tab.page.click('#code-written');
    await tab.until('#code-check');
    expect(await shown()).toEqual([]);
    const [first, second] = await positions();
    await confirm(words[first] ?? '', (words[second] ?? '').slice(0, 3));
    await tab.until('#code-wrong-second');
    expect(await tab.text('#code-wrong-second')).toContain(String(second + 1));
    expect(await tab.isVisible('#code-wrong-first')).toBe(false);
    expect(await tab.focused()).toBe('code-title');
    expect(await shown()).toEqual(words);
    // One letter too many is another word.
    await confirmAs(words, (word) => `${word}я`);
    await tab.until('#code-wrong-first');
    expect(await tab.isVisible('#code-wrong-second')).toBe(true);
    await confirmAs(words, (word) => word);
    await expectGone();
  });

  it('may be left unconfirmed, after a plain warning', async () => {
    await openForm();
    await send(`Без проверки. ${name}`);
    const words = await shown();
    await tab.page.click('#code-skip-ask');
    await tab.until('#code-skip');
    expect(await tab.focused()).toBe('code-skip-title');
    expect(await shown()).toEqual([]);
    await tab.page.click('#code-back');
    await tab.until('#code');
    expect(await shown()).toEqual(words);
    await tab.page.click('#code-skip-ask');
    await tab.page.click('#code-skip-done');
    await expectGone();
  });

  it('is not made for a request without an answer', async () => {
    const message = `Отвечать не нужно. ${name}`;
    await openForm();
    await tab.page.click('#answer');
    expect(await tab.isVisible('#answer-about')).toBe(false);
    expect(await tab.isVisible('#answer-none')).toBe(true);
    // Nor does the list of what will happen speak of a code.
    await tab.page.click('.next summary');
    expect([await tab.isVisible('#next-code'), await tab.isVisible('#next-answer'), await tab.isVisible('.next li')]).toEqual([false, false, true]);
    await send(message);
    expect(await tab.isVisible('#code')).toBe(false);
    expect(await tab.isVisible('#accepted-with-code')).toBe(false);
    expect(await tab.isVisible('#accepted-without-answer')).toBe(true);
    expect(await letterOf(message)).not.toHaveProperty('thread');
    // The list says nothing about what was chosen.
    expect(bench.front.seen.filter(({ path }) => path === '/words.txt')).toHaveLength(1);
  });

  it('is shown for an earlier try that may have arrived, also when no answer is wanted any more', async () => {
    const [first, second] = [`Сначала с ответом. ${name}`, `Потом без него. ${name}`];
    await openForm();
    bench.front.rules.set('/parcel', async (exchange, response) => {
      await bench.deployment.post(exchange.body);
      response.destroy();
    });
    await tab.paste('#message', first);
    await tab.page.click('#send');
    await tab.until('#notice-offline');
    bench.front.rules.clear();
    await tab.page.click('#answer');
    await send(second);
    await tab.until('#accepted-earlier');
    const words = await shown();
    expect(await letterOf(first)).toMatchObject({ thread: await addressFrom(words) });
    expect(await letterOf(second)).not.toHaveProperty('thread');
    await confirmAs(words, (word) => word);
    await expectGone();
    expect(await tab.isVisible('#accepted-without-answer')).toBe(false);
  });

  it('is not shown for a request that was never sent', async () => {
    await openForm();
    await tab.paste('#message', 'очень '.repeat(5_000));
    await tab.page.click('#send');
    await tab.until('#notice-too-long');
    await tab.page.click('#answer');
    await send(`Покороче. ${name}`);
    await tab.until('#accepted-without-answer');
    expect(await tab.isVisible('#code') || await tab.isVisible('#accepted-earlier')).toBe(false);
  });

  it.each(['full', 'serial'] as const)('stays the same when the relay says %s at first, and the list is fetched once', async (result) => {
    const message = `Ещё раз: ${result}. ${name}`;
    await openForm();
    let refused = false;
    bench.front.rules.set('/parcel', (exchange, response) => {
      if (refused || !bench.isRequest(exchange.body)) return bench.front.pass(exchange, response);
      refused = true;
      const body = encodeAnswer({ result, difficulty: 10, retryAfterSeconds: result === 'full' ? 2 : 0 });
      return void response.writeHead(result === 'full' ? 503 : 400, { 'content-type': 'application/octet-stream', 'content-length': body.length }).end(body);
    });
    await send(message);
    expect(refused).toBe(true);
    const words = await shown();
    expect(await letterOf(message)).toMatchObject({ thread: await addressFrom(words) });
    expect(bench.front.seen.filter(({ path }) => path === '/words.txt')).toHaveLength(1);
  });

  it('cannot be had without its words: the text stays, and they can be loaded again', async () => {
    bench.front.rules.set('/words.txt', (_, response) => void response.writeHead(503).end());
    await openForm();
    await tab.until('#answer-away');
    await tab.paste('#message', `Без слов. ${name}`);
    await tab.page.click('#send');
    await tab.until('#notice-no-words');
    expect(await tab.focused()).toBe('notice-no-words-title');
    expect(await tab.value('#message')).toBe(`Без слов. ${name}`);
    expect(await tab.isVisible('#kept')).toBe(true);
    expect(bench.front.parcels().filter(bench.isRequest)).toEqual([]);
    bench.front.rules.clear();
    await tab.page.click('#answer-again');
    expect(await tab.focused()).toBe('answer');
    await expect.poll(() => tab.isVisible('#answer-away')).toBe(false);
    await tab.page.click('#notice-no-words [data-action="send"]');
    await tab.until('#code');
    expect(await shown()).toHaveLength(CODE_WORDS);
  });

  it('cannot be had without its words: the request can be sent without an answer', async () => {
    const message = `Слов не дождались. ${name}`;
    bench.front.rules.set('/words.txt', (_, response) => void response.end('слово\n'));
    await openForm();
    await tab.paste('#message', message);
    await tab.page.click('#send');
    await tab.until('#notice-no-words');
    await tab.page.click('#notice-no-words [data-action="without"]');
    await tab.until('#accepted-without-answer');
    expect(await letterOf(message)).not.toHaveProperty('thread');
  });

  it('is large and fits at 320 px, with the longest words', async () => {
    tab = await bench.open('', { until: READY, viewport: NARROW });
    await send(`Узкий экран. ${name}`);
    await tab.until('#code');
    const longest = (await listAt('')).sort((a, b) => b.length - a.length)[0] ?? '';
    const [width, size, overflow] = (await tab.page.evaluate(`(() => {
      const items = [...document.querySelectorAll('#code-words li')];
      for (const item of items) item.textContent = ${JSON.stringify(longest)};
      const list = document.getElementById('code-words');
      return [document.documentElement.scrollWidth, parseFloat(getComputedStyle(items[0]).fontSize), list.scrollWidth - list.clientWidth];
    })()`)) as [number, number, number];
    expect(width).toBeLessThanOrEqual(NARROW.width);
    expect(size).toBeGreaterThanOrEqual(READABLE_PX);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await tab.page.evaluate("getComputedStyle(document.getElementById('code-words')).userSelect")).not.toBe('none');
  });
});
