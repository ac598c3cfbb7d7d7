// Which requests get an access code: those that want an answer, were sent, and had the word list.
import { describe, expect, it } from 'vitest';
import { encodeAnswer } from '../../crypto/answer.ts';
import { CODE_WORDS } from '../../crypto/code.ts';
import { FIREFOX } from '../support/browser.ts';
import { CodePage } from '../support/code-page.ts';
import { usePages, useSite } from '../support/page-bench.ts';

const site = useSite();

describe.each(FIREFOX)('the access code in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource/ });
  const code = new CodePage(bench);

  it('is not made for a request without an answer', async () => {
    const message = `Отвечать не нужно. ${name}`;
    await code.openForm();
    await bench.tab.page.click('#answer');
    expect(await bench.tab.isVisible('#answer-about')).toBe(false);
    expect(await bench.tab.isVisible('#answer-none')).toBe(true);
    // Nor does the list of next steps mention a code.
    await bench.tab.page.click('.next summary');
    expect([
      await bench.tab.isVisible('#next-code'),
      await bench.tab.isVisible('#next-answer'),
      await bench.tab.isVisible('.next li'),
    ]).toEqual([false, false, true]);
    await code.send(message);
    expect(await bench.tab.isVisible('#code')).toBe(false);
    expect(await bench.tab.isVisible('#accepted-with-code')).toBe(false);
    expect(await bench.tab.isVisible('#accepted-without-answer')).toBe(true);
    expect(await code.letterOf(message)).not.toHaveProperty('thread');
    // The list does not reveal the choice.
    expect(bench.front.seen.filter(({ path }) => path === '/words.txt')).toHaveLength(1);
  });

  it('is shown for an earlier attempt that may have arrived, even when no answer is wanted any more', async () => {
    const [first, second] = [`Сначала с ответом. ${name}`, `Потом без него. ${name}`];
    await code.openForm();
    bench.front.rules.set('/parcel', async (exchange, response) => {
      await bench.deployment.post(exchange.body);
      response.destroy();
    });
    await bench.tab.paste('#message', first);
    await bench.tab.page.click('#send');
    await bench.tab.until('#notice-offline');
    bench.front.rules.clear();
    await bench.tab.page.click('#answer');
    await code.send(second);
    await bench.tab.until('#accepted-earlier');
    const words = await code.shown();
    expect(await code.letterOf(first)).toMatchObject({ thread: await code.addressFrom(words) });
    expect(await code.letterOf(second)).not.toHaveProperty('thread');
    await code.confirmAs(words, (word) => word);
    await code.expectGone();
    expect(await bench.tab.isVisible('#accepted-without-answer')).toBe(false);
  });

  it('is not shown for a request that was never sent', async () => {
    await code.openForm();
    await bench.tab.paste('#message', 'очень '.repeat(5_000));
    await bench.tab.page.click('#send');
    await bench.tab.until('#notice-too-long');
    await bench.tab.page.click('#answer');
    await code.send(`Покороче. ${name}`);
    await bench.tab.until('#accepted-without-answer');
    expect((await bench.tab.isVisible('#code')) || (await bench.tab.isVisible('#accepted-earlier'))).toBe(false);
  });

  it.each(['full', 'serial'] as const)('stays the same when the relay says %s at first, and the list is fetched once', async (result) => {
    const message = `Ещё раз: ${result}. ${name}`;
    await code.openForm();
    let refused = false;
    bench.front.rules.set('/parcel', (exchange, response) => {
      if (refused || !bench.isRequest(exchange.body)) return bench.front.pass(exchange, response);
      refused = true;
      const body = encodeAnswer({ result, difficulty: 10, retryAfterSeconds: result === 'full' ? 2 : 0 });
      return void response
        .writeHead(result === 'full' ? 503 : 400, { 'content-type': 'application/octet-stream', 'content-length': body.length })
        .end(body);
    });
    await code.send(message);
    expect(refused).toBe(true);
    const words = await code.shown();
    expect(await code.letterOf(message)).toMatchObject({ thread: await code.addressFrom(words) });
    expect(bench.front.seen.filter(({ path }) => path === '/words.txt')).toHaveLength(1);
  });

  it('cannot be made without the word list: the text stays, and the list can be loaded again', async () => {
    bench.front.rules.set('/words.txt', (_, response) => void response.writeHead(503).end());
    await code.openForm();
    await bench.tab.until('#answer-away');
    await bench.tab.paste('#message', `Без слов. ${name}`);
    await bench.tab.page.click('#send');
    await bench.tab.until('#notice-no-words');
    expect(await bench.tab.focused()).toBe('notice-no-words-title');
    expect(await bench.tab.value('#message')).toBe(`Без слов. ${name}`);
    expect(await bench.tab.isVisible('#kept')).toBe(true);
    expect(bench.front.parcels().filter(bench.isRequest)).toEqual([]);
    bench.front.rules.clear();
    await bench.tab.page.click('#answer-again');
    expect(await bench.tab.focused()).toBe('answer');
    await expect.poll(() => bench.tab.isVisible('#answer-away')).toBe(false);
    await bench.tab.page.click('#notice-no-words [data-action="send"]');
    await bench.tab.until('#code');
    expect(await code.shown()).toHaveLength(CODE_WORDS);
  });

  it('cannot be made without the word list: the request can be sent without an answer', async () => {
    const message = `Слов не дождались. ${name}`;
    bench.front.rules.set('/words.txt', (_, response) => void response.end('слово\n'));
    await code.openForm();
    await bench.tab.paste('#message', message);
    await bench.tab.page.click('#send');
    await bench.tab.until('#notice-no-words');
    await bench.tab.page.click('#notice-no-words [data-action="without"]');
    await bench.tab.until('#accepted-without-answer');
    expect(await code.letterOf(message)).not.toHaveProperty('thread');
  });
});
