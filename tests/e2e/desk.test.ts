// The desk: one file, opened from disk without a network, in which a volunteer reads letters and answers. Here: reading, and the page.
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { encodeSecretKey } from '../../crypto/minisign.ts';
import { openBrowser, type BrowserName, type TestBrowser } from '../support/browser.ts';
import { TEAM } from '../support/cli.ts';
import { DeskTab, mail, openDeskOffice, PASSPHRASE, type DeskOffice } from '../support/desk.ts';
import { newThread } from '../support/letters.ts';
import { enginesFor, isThorough } from '../support/thorough.ts';

let office: DeskOffice;
beforeAll(async () => {
  office = await openDeskOffice();
});
afterAll(() => office.remove());

describe.each(enginesFor('chromium'))('the desk in %s', (name: BrowserName) => {
  let browser: TestBrowser;
  let tab: DeskTab;
  beforeAll(async () => {
    browser = await openBrowser(name);
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    tab = await DeskTab.openDesk(browser, office);
    await tab.openIdentity(office.path('own.age'), PASSPHRASE);
    return () => tab.page.close({ runBeforeUnload: false });
  });

  it('reads a conversation from letters, mails and armor, and says who has answered', async () => {
    await tab.openIdentity(office.path('own.age'), 'wrong');
    expect(await tab.text('#identity-status')).toContain('The passphrase does not open it');
    await tab.openIdentity(office.path('own.age'), PASSPHRASE);
    expect(await tab.text('#identity-status')).toContain('Keys open: 1');
    expect(await tab.value('#identity-passphrase')).toBe('');
    const [thread, alone] = [newThread(), newThread()];
    await tab.read(
      await office.file('further.eml', mail(office.letter('Спасибо, и ещё', { thread, followUp: { team: TEAM.id } }))),
      await office.file('first.age', office.letter('Помогите', { thread })),
      await office.file(
        'note.txt',
        armor(office.note({ action: 'answer', thread: thread.address.key, alias: 'Клён', text: 'Мы рядом' }, office.signer)),
      ),
      await office.file(
        'cover.age',
        office.toTeam({ version: 1, kind: 'cover', serial: 1, keyring: office.keyring.digest, language: 'ru' }),
      ),
      await office.file('unwanted.age', office.letter('Без ответа', {})),
      await office.file('new.age', office.letter('Новое', { thread: alone })),
    );
    expect(await tab.isVisible('#refused')).toBe(false);
    expect(await tab.text('#summary')).toBe('In all: 3, unanswered: 1.');
    const ids = [alone, thread].map(({ address }) => address.key.slice(0, 8));
    // The most urgent comes first.
    expect(await tab.page.evaluate("[...document.querySelectorAll('article h3')].map(({ textContent }) => textContent)")).toEqual([
      ...ids.map((id) => `Conversation ${id}`),
      expect.any(String),
    ]);
    expect(await tab.text('article')).toContain('Not answered yet');
    const answered = await tab.text(`#conversation-${ids[1] ?? ''}`);
    for (const words of [
      'Answer written (Клён)',
      'Letters: 2, answers: 1. Somebody may be waiting',
      'Topic: Psychological help.',
      'Помогите',
      'Спасибо, и ещё',
      'Мы рядом',
    ])
      expect(answered).toContain(words);
    expect(answered.indexOf('Помогите')).toBeLessThan(answered.indexOf('Спасибо'));
    const unwanted = await tab.text('article:last-of-type');
    for (const words of ['No answer wanted here', 'No answer through the server was asked for']) expect(unwanted).toContain(words);
    expect(await tab.isVisible('article:last-of-type button')).toBe(false);
    expect(tab.problems).toEqual([]);
  });

  it('opens a protected signer while the page stays responsive', async () => {
    // At the real cost, a GiB, in Chromium; at an eighth of it in Firefox, and in `npm test`.
    await writeFile(
      office.path('protected.key'),
      await encodeSecretKey(office.signer, PASSPHRASE, 'signer', isThorough() && name === 'chromium' ? undefined : 17),
    );
    await tab.give('#signer', office.path('protected.key'));
    await tab.page.click('#open-signer');
    await expect.poll(() => tab.text('#signer-status')).toContain('enter its passphrase');
    await tab.paste('#signer-passphrase', PASSPHRASE);
    // Counts how often the page was painted while the progress bar showed.
    await tab.page.evaluate(`{
      globalThis.painted = 0;
      const look = () => { if (!document.getElementById('work').hidden) globalThis.painted += 1; requestAnimationFrame(look); };
      look();
    }`);
    await tab.page.focus('#signer-passphrase');
    await tab.page.keyboard.press('Enter');
    await expect.poll(() => tab.text('#signer-status'), { timeout: 500_000 }).toBe('The signer is open.');
    expect(await tab.page.evaluate('globalThis.painted')).toBeGreaterThan(3);
    expect(await tab.value('#signer-passphrase')).toBe('');
    expect(tab.problems).toEqual([]);
    // A GiB twice, sealed and opened: two minutes on two busy cores, and several on slower machines.
  }, 700_000);

  it('asks before text or unsaved parcels are lost, and never mixes two conversations', async () => {
    await tab.read(
      await office.file('one.age', office.letter('Первое', { thread: newThread() })),
      await office.file('two.age', office.letter('Второе', { thread: newThread() })),
    );
    await tab.write('Ответ на первое');
    await tab.page.click('article:last-of-type button[data-part="answer"]');
    expect(await tab.text('#compose-status')).toContain('unfinished text for this conversation');
    expect(await tab.text('article:first-of-type')).toContain('unfinished text');
    await tab.page.click('#discard');
    expect(tab.dialogs.splice(0).map(({ message }) => message)).toEqual(['Erase this text? It cannot be brought back.']);
    expect(await tab.isVisible('#compose')).toBe(false);
    await tab.write('Ещё раз');
    await tab.page.reload({ waitUntil: 'load' });
    expect(tab.dialogs.map(({ type }) => type)).toEqual(['beforeunload']);
    await tab.until('#desk');
    expect(await tab.value('#text')).toBe('');
    expect(await tab.text('#summary')).toBe('In all: 0, unanswered: 0.');
  });
});
