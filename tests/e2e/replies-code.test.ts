// Entering an access code: however it was written down, with kind words about mistakes, and kept until it has worked.
import { describe, expect, it } from 'vitest';
import { readCode } from '../../crypto/code.ts';
import { encodeMailboxAnswer } from '../../crypto/mailbox.ts';
import { FIREFOX } from '../support/browser.ts';
import { startConversation, wordList } from '../support/conversation.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { RepliesPage } from '../support/replies-page.ts';
import { sampled } from '../support/thorough.ts';

const site = useSite();

describe.each(FIREFOX)('a code in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource/ });
  const page = new RepliesPage(bench);

  const FORMS: readonly [string, (words: readonly string[]) => string][] = [
    ['in capitals', (words) => words.join(' ').toUpperCase()],
    ['as four letters each, with commas', (words) => words.map((word) => word.slice(0, 4)).join(', ')],
    ['on lines with numbers', (words) => words.map((word, i) => `${String(i + 1)}. ${word}`).join('\r\n')],
    ['on lines with №', (words) => words.map((word, i) => `№${String(i + 1)} ${word}`).join('\n')],
    ['with ё for е', (words) => words.join(' ').replaceAll('е', 'ё')],
    ['with accents apart', (words) => words.join('—').replaceAll('е', 'ё').normalize('NFD')],
  ];
  // What is made of each is tested by itself (tests/unit/code.test.ts).
  it.each(sampled(FORMS, ([how]) => how === 'on lines with №'))('takes a code %s', async (_, write) => {
    const conversation = await startConversation('ru');
    await page.open();
    await page.read(write(conversation.words));
    await bench.tab.until('#conversation');
  });

  it('names a mistyped word by its place, without asking the relay', async () => {
    const { words } = await startConversation('ru');
    await page.open();
    await page.read(words.map((word, i) => `Слово №${String(i + 1)}: ${i === 6 ? 'ыыыыы' : word}`).join('\n'));
    await bench.tab.until('#typed-word');
    expect(await bench.tab.text('#typed-word')).toContain('номер 7');
    expect(await bench.tab.focused()).toBe('typed-code');
    expect(
      await bench.tab.page.evaluate(
        "(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))(document.querySelector('#typed-code'))",
      ),
    ).toBe('ыыыыы');
    await page.read(words.slice(0, 8).join(' '));
    await bench.tab.until('#typed-count');
    expect(await bench.tab.text('#typed-count')).toContain('здесь их 8');
    const list = await wordList('ru');
    const others = list.map((other) => words.map((word, i) => (i === 2 ? other : word)).join(' '));
    await page.read(others.find((code) => 'problem' in readCode(code, list)) ?? '');
    await bench.tab.until('#typed-check');
    expect(await bench.tab.isVisible('#typed-count')).toBe(false);
    expect(page.lookedUp()).toBe(0);
    await bench.tab.page.type('#typed-code', ' ');
    expect(await bench.tab.isVisible('#typed-check')).toBe(false);
  });

  it('offers the word once four letters of it are typed, and needs no mouse', async () => {
    const { words } = await startConversation('ru');
    const long = (await wordList('ru')).find((word) => word.length > 5) ?? '';
    await page.open();
    await bench.tab.page.focus('#typed-code');
    await bench.tab.page.keyboard.type(long.slice(0, 3));
    expect(await bench.tab.isVisible('#offer')).toBe(false);
    await bench.tab.page.keyboard.type(long.slice(3, 4));
    expect(await bench.tab.text('#offer')).toBe(long);
    await bench.tab.page.keyboard.press('Tab');
    expect(await bench.tab.focused()).toBe('offer');
    await bench.tab.page.keyboard.press('Enter');
    expect(await bench.tab.value('#typed-code')).toBe(`${long} `);
    expect(await bench.tab.focused()).toBe('typed-code');
    await bench.tab.paste('#typed-code', '');
    await bench.tab.page.keyboard.type(words.join(' '));
    await bench.tab.page.keyboard.press('Tab');
    if ((await bench.tab.focused()) === 'offer') await bench.tab.page.keyboard.press('Tab');
    expect(await bench.tab.focused()).toBe('read');
    await bench.tab.page.keyboard.press('Enter');
    await bench.tab.until('#conversation');
  });

  it('keeps the code while the relay is away, and tries again', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Дождались');
    await page.open();
    bench.front.rules.set('/mailbox', (_, response) => void response.destroy());
    await page.read(conversation.words.join(' '));
    await bench.tab.until('#notice-look-failed');
    expect(await bench.tab.focused()).toBe('notice-look-failed-title');
    expect(await bench.tab.value('#typed-code')).toBe(conversation.words.join(' '));
    bench.front.rules.set(
      '/mailbox',
      (_, response) =>
        void response.writeHead(503).end(encodeMailboxAnswer({ result: 'away', total: 0, retryAfterSeconds: 5, places: [] })),
    );
    await bench.tab.page.click('#notice-look-failed [data-action="send"]');
    await bench.tab.until('#notice-look-away');
    bench.front.rules.set('/mailbox', (_, response) => void response.writeHead(202).end('no answer of a relay'));
    await bench.tab.page.click('#notice-look-away [data-action="send"]');
    await bench.tab.until('#notice-look-failed');
    bench.front.rules.clear();
    await bench.tab.page.click('#notice-look-failed [data-action="send"]');
    await bench.tab.until('#conversation');
    expect(await page.shown()).toEqual(['Дождались']);
  });

  it('tries again with the code then in the field', async () => {
    const [first, second] = [await startConversation('ru'), await startConversation('ru')];
    await page.reply(first, 'Для другого');
    await page.reply(second, 'Для вас');
    await page.open();
    bench.front.rules.set('/mailbox', (_, response) => void response.destroy());
    const again = '#notice-look-failed [data-action="send"]';
    await page.read(first.words.join(' '));
    await bench.tab.until(again);
    const looked = page.lookedUp();
    await bench.tab.paste('#typed-code', second.words.slice(1).join(' '));
    await bench.tab.page.click(again);
    await bench.tab.until('#typed-count');
    expect(await bench.tab.focused()).toBe('typed-code');
    expect(await bench.tab.isVisible(again)).toBe(false);
    expect(page.lookedUp()).toBe(looked);
    await page.read(first.words.join(' '));
    await bench.tab.until(again);
    bench.front.rules.clear();
    await bench.tab.paste('#typed-code', second.words.join(' '));
    await bench.tab.page.click(again);
    await bench.tab.until('#conversation');
    expect(await page.shown()).toEqual(['Для вас']);
  });
});
