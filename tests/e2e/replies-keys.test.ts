// Reading answers while there is no keyring to check them with, or none that is valid by the clock of the device.
import { describe, expect, it } from 'vitest';
import { clockAhead, FIREFOX } from '../support/browser.ts';
import { startConversation } from '../support/conversation.ts';
import { FormPage } from '../support/form-page.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { READY, RepliesPage } from '../support/replies-page.ts';

const site = useSite();

describe.each(FIREFOX)('answers and keyrings in %s', (name) => {
  const bench = usePages(name, site);
  const page = new RepliesPage(bench);
  const form = new FormPage(bench);

  it('shows no answer while the keys to check it are missing', async () => {
    bench.front.rules.set(
      '/start.json',
      (_, response) => void response.end(JSON.stringify({ door: { open: false, reason: 'keyring' }, keyring: null, signature: null })),
    );
    await bench.open('replies', { until: '#notice-look-keys' });
    expect(await bench.tab.isVisible('#enter')).toBe(false);
    expect(await bench.tab.text('#notice-look-keys')).toContain('Ответы сохранены');
    bench.front.rules.clear();
    await bench.tab.page.click('#notice-look-keys [data-action="check"]');
    await bench.tab.until(READY);
  });

  it('keeps a code that was typed while the keys are missing, and reads with it once they are back', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Дождался');
    form.serveClock();
    await page.open();
    await form.moveClock(40);
    form.serveStart({ door: { open: false, reason: 'keyring' } });
    await page.read(conversation.words.join(' '));
    await bench.tab.until('#notice-look-keys');
    expect(await bench.tab.value('#typed-code')).toBe(conversation.words.join(' '));
    expect(await page.shown()).toEqual([]);
    bench.front.rules.clear();
    await form.moveClock(0);
    await bench.tab.page.click('#notice-look-keys [data-action="check"]');
    await bench.tab.until(READY);
    await bench.tab.page.click('#read');
    await bench.tab.until('#conversation');
    expect(await page.shown()).toEqual(['Дождался']);
  });

  it('takes the keyring that the relay has now when its own has ended, without a word', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Неделю спустя');
    await form.serveKeyringEndingSoon();
    form.serveClock();
    await page.open();
    bench.front.rules.delete('/start.json');
    await form.moveClock(1);
    await page.read(conversation.words.join(' '));
    await bench.tab.until('#conversation');
    expect(await page.shown()).toEqual(['Неделю спустя']);
  });

  it.each([
    ['ahead', 40],
    ['behind', -40],
  ])('says so when the clock of the device is %s, and reads once it is right', async (_, days) => {
    form.serveClock(days);
    await bench.open('replies', { until: '#notice-clock', before: clockAhead(days) });
    expect(await bench.tab.text('#notice-clock')).toContain('Ничего не потеряно');
    expect(await bench.tab.isVisible('#enter')).toBe(false);
    await form.moveClock(0);
    await bench.tab.page.click('#notice-clock [data-action="check"]');
    await bench.tab.until(READY);
  });
});
