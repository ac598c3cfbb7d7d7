// axe-core checks the desk with everything in it: conversations in every state, an answer being written, parcels, refusals.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, openThemed, setTheme, THEMES, type Theme } from '../support/axe.ts';
import type { BrowserName, TestBrowser } from '../support/browser.ts';
import { DeskTab, openDeskOffice, PASSPHRASE, type DeskOffice } from '../support/desk.ts';
import { newThread } from '../support/letters.ts';
import { enginesFor } from '../support/thorough.ts';

const WIDTHS = [1280, 390];

let office: DeskOffice;
let given: string[];
beforeAll(async () => {
  office = await openDeskOffice();
  const [open, answered, handed, contested, noted] = [newThread(), newThread(), newThread(), newThread(), newThread()];
  const letters = {
    'open.age': office.letter('Не могу спать. Меня вызвали на допрос, не знаю, к кому идти.', { thread: open }),
    'answered.age': office.letter('Нужен юрист.', { thread: answered }),
    'answer.age': office.note(
      { action: 'answer', thread: answered.address.key, alias: 'Клён', text: 'Здравствуйте. Мы рядом.' },
      office.signer,
    ),
    'more.age': office.letter('Спасибо, и ещё вопрос.', { thread: answered, followUp: {} }),
    'handed.age': office.letter('Мне страшно.', { thread: handed, followUp: {} }),
    'handover.age': office.note(
      { action: 'handover', thread: handed.address.key, alias: 'Клен', to: 'Дуб', text: 'Тут нужен юрист' },
      office.signer,
    ),
    'contested.age': office.letter('Чужое', { thread: { ...contested, address: { ...contested.address, lock: open.address.lock } } }),
    'noted.age': office.note({ action: 'claim', thread: noted.address.key, alias: 'Клён', text: '' }, office.signer),
    'alone.age': office.letter('Без ответа', {}),
    'ordinary.eml': 'Hello',
  };
  given = await Promise.all(Object.entries(letters).map(([name, content]) => office.file(name, content)));
});
afterAll(() => office.remove());

/** Firefox keeps its theme as long as it runs; Chromium can change it at any time. */
const CASES: readonly (readonly [BrowserName, readonly Theme[]])[] = [
  ['firefox', ['light']],
  ['firefox', ['dark']],
  ['chromium', THEMES],
];

describe.each(CASES.filter(([name]) => enginesFor('chromium').includes(name)))('the desk in %s, %s', (name, themes) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await openThemed(name, themes[0] ?? 'light');
  });
  afterAll(() => browser?.close());

  it.each(['ru', 'en'])('is usable with assistive technology: %s', async (language) => {
    const tab = await DeskTab.openDesk(browser, office, { language });
    await tab.openIdentity(office.path('own.age'), PASSPHRASE);
    await tab.openSigner(office.path('signer.key'));
    await tab.read(...given);
    await tab.paste('#alias', 'Ива');
    await tab.write('Ответ');
    await tab.sealed();
    await tab.write('Ещё');
    await tab.unfold('keys');
    await tab.page.click('#open-keys');
    await tab.until('#keys-status p');
    for (const shown of ['#aliases', '#refused', '#compose', '#outgoing', '#keys-status .problem', 'article .problem'])
      expect(await tab.isVisible(shown), shown).toBe(true);
    for (const theme of themes) {
      await setTheme(tab, name, theme);
      for (const width of WIDTHS) {
        await tab.page.setViewport({ width, height: 900 });
        expect(
          await tab.page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
          `${String(width)} px`,
        ).toBe(true);
        expect(await findings(tab, theme), `${theme}, ${String(width)} px`).toEqual([]);
      }
    }
    expect(tab.problems).toEqual([]);
    await tab.page.close({ runBeforeUnload: false });
  });
});
