// The desk: writing answers, claims and handovers.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bech32 } from '@scure/base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { signersOf } from '../../crypto/keyring.ts';
import { openLetter } from '../../crypto/letter.ts';
import { REPLIES_A_WEEK_BY_ONE } from '../../crypto/mailbox-limits.ts';
import { checkNote } from '../../crypto/note.ts';
import { parseParcel } from '../../crypto/parcel.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { checkDelivery, openReply, replyRoom } from '../../crypto/reply.ts';
import { stampBits } from '../../crypto/stamp.ts';
import { mailboxOf, signAddress, type Thread } from '../../crypto/thread.ts';
import { BROWSERS, openBrowser, type TestBrowser } from '../support/browser.ts';
import { TEAM } from '../support/cli.ts';
import { DeskTab, openDeskOffice, PASSPHRASE, type DeskOffice } from '../support/desk.ts';
import { newThread } from '../support/letters.ts';
import { enginesFor, thoroughly } from '../support/thorough.ts';

let office: DeskOffice;
beforeAll(async () => {
  office = await openDeskOffice();
});
afterAll(() => office.remove());

describe.each(BROWSERS)('the desk in %s', (name) => {
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

  /** A reply that only the person opens, and a note for the team, both signed. */
  function expectAnswer(texts: readonly string[], thread: Thread, text: string): void {
    const contents = texts.map(office.opened);
    const reply = contents.find((content) => content.kind === 'reply');
    const letter = contents.find((content) => content.kind === 'letter');
    if (reply?.kind !== 'reply' || letter?.kind !== 'letter') throw new Error('expected a reply and a letter');
    const signers = signersOf(office.keyring.keyring);
    checkDelivery(reply.delivery, signers);
    expect(reply.delivery.mailbox).toEqual(mailboxOf(thread.address));
    expect(openReply(reply.delivery.reply, thread.identity, thread.signing.key, signers)).toMatchObject({ text, team: TEAM.id });
    expect(letter.team).toBe(TEAM.id);
    const note = openLetter(letter.letter, [office.colleague]);
    if (note.kind !== 'note') throw new Error('expected a note');
    checkNote(note.note, signers);
    expect(note.note).toMatchObject({ action: 'answer', thread: thread.address.key, alias: 'Ива', text });
  }

  async function giveRequest() {
    const thread = newThread();
    await tab.read(await office.file('first.age', office.letter('Помогите', { thread })));
    return thread;
  }

  it('seals an answer into a reply that only the person opens and a note for the team, and asks nothing once both are saved', async () => {
    await tab.paste('#difficulty', tab.proposedDifficulty);
    await tab.openSigner(office.path('signer.key'));
    expect(await tab.text('#signer-status')).toBe('The signer is open.');
    const thread = newThread();
    await tab.read(await office.file('first.age', office.letter('Помогите', { thread })));
    await tab.write('Мы вас услышали.');
    await tab.page.click('#seal');
    await tab.until('#compose-status .problem');
    expect(await tab.focused()).toBe('alias');
    await tab.paste('#alias', 'Ива');
    const texts = await tab.sealed();
    expect(await tab.focused()).toBe('outgoing-title');
    await expect
      .poll(() => tab.text('article'))
      .toMatch(/Sealed, not sent yet\s+Not answered yet[^]*Sealed here, and not sent yet:\s+Мы вас услышали/);
    expect(await tab.text('#summary')).toContain('unanswered: 1');
    expect(await tab.value('#text')).toBe('');

    expect(texts).toHaveLength(2);
    for (const text of texts) expect(stampBits(parseParcel(decodeParcelText(text)))).toBeGreaterThanOrEqual(14);
    expectAnswer(texts, thread, 'Мы вас услышали.');

    for (const [index, button] of (await tab.page.$$('#parcels [data-part="save"]')).entries()) {
      await button.click();
      await expect
        .poll(() => readFile(join(browser.downloads, `text-${String(index + 1)}.txt`), 'utf8').catch(() => ''))
        .toBe(texts[index]);
    }
    await tab.page.click('#parcels [data-part="sent"]');
    await expect.poll(() => tab.text('article')).toContain('Answer written (Ива)');
    expect(await tab.text('article')).not.toContain('not sent yet');
    expect(await tab.isVisible('#outgoing')).toBe(false);
    await tab.forget();
    expect(tab.dialogs).toEqual([]);
    expect(tab.problems).toEqual([]);
  });

  if (!enginesFor('chromium').includes(name)) return;

  thoroughly('treats a note that came back as sent, and asks when one that was never saved is marked as sent', async () => {
    await tab.openSigner(office.path('signer.key'));
    await tab.paste('#alias', 'Ива');
    await giveRequest();
    await tab.write('Мы рядом');
    const note = (await tab.sealed()).map(office.opened).find((content) => content.kind === 'letter');
    if (note?.kind !== 'letter') throw new Error('expected a note');
    await expect.poll(() => tab.text('article')).toContain('Sealed, not sent yet');
    await tab.read(await office.file('note.age', note.letter));
    expect(await tab.text('article')).toContain('Answer written (Ива)');
    expect(await tab.text('article')).not.toContain('not sent yet');
    await tab.page.click('#parcels [data-part="save-all"]');
    await tab.page.click('#parcels [data-part="sent"]');
    expect(tab.dialogs).toEqual([]);
    await tab.write('И ещё');
    await tab.sealed();
    await tab.page.click('#parcels [data-part="sent"]');
    expect(tab.dialogs.map(({ message }) => message)).toEqual([expect.stringContaining('Are you sure that you have sent them?')]);
  });

  thoroughly('seals an answer of maximum length, and keeps the text of a longer one', async () => {
    await tab.openSigner(office.path('signer.key'));
    await tab.paste('#alias', 'Ива');
    const thread = newThread();
    await tab.read(await office.file('first.age', office.letter('Помогите', { thread })));
    const longest = 'щ'.repeat(Math.floor(replyRoom('') / 2));
    await tab.write(`${longest}щ`);
    await tab.page.click('#seal');
    await tab.until('#compose-status .problem');
    expect(await tab.text('#compose-status')).toContain('The text does not fit');
    expect(await tab.value('#text')).toBe(`${longest}щ`);
    await tab.paste('#text', longest);
    const reply = (await tab.sealed()).map(office.opened).find((content) => content.kind === 'reply');
    if (reply?.kind !== 'reply') throw new Error('expected a reply');
    expect(openReply(reply.delivery.reply, thread.identity, thread.signing.key, signersOf(office.keyring.keyring)).text).toBe(longest);
  });

  it('claims a conversation, or hands it over, with one parcel for the team', async () => {
    await tab.openSigner(office.path('signer.key'));
    await tab.paste('#alias', 'Ива');
    await tab.read(await office.file('first.age', office.letter('Помогите', { thread: newThread() })));
    await tab.write('');
    await tab.page.click('#action-handover');
    await tab.page.click('#seal');
    await tab.until('#compose-status .problem');
    expect(await tab.focused()).toBe('to');
    await tab.paste('#to', 'Кл\u200bён');
    await tab.page.click('#seal');
    await expect.poll(() => tab.text('#compose-status')).toContain('cannot be seen');
    await tab.page.evaluate("document.getElementById('to').value = ''");
    await tab.paste('#to', 'Клён'.normalize('NFD'));
    await tab.paste('#difficulty', '3');
    const [text = '', ...more] = await tab.sealed();
    expect(more).toEqual([]);
    const content = office.opened(text);
    if (content.kind !== 'letter') throw new Error('expected a letter');
    expect(openLetter(content.letter, [office.colleague])).toMatchObject({
      kind: 'note',
      note: { action: 'handover', alias: 'Ива', to: 'Клён', text: '' },
    });
    await expect.poll(() => tab.text('article')).toContain('Sealed, not sent yet');
    // It was never saved.
    await tab.forget();
    expect(tab.dialogs.map(({ type }) => type)).toEqual(['confirm']);
  });

  thoroughly('resets the chosen action when another conversation is answered', async () => {
    await tab.openSigner(office.path('signer.key'));
    await tab.paste('#alias', 'Ива');
    for (const name of ['first.age', 'second.age'])
      await tab.read(await office.file(name, office.letter('Помогите', { thread: newThread() })));
    await tab.write('');
    await tab.page.click('#action-claim');
    await tab.page.click('article:last-of-type button[data-part="answer"]');
    await tab.paste('#text', 'Мы рядом');
    expect((await tab.sealed()).map((text) => office.opened(text).kind).toSorted()).toEqual(['letter', 'reply']);
  });

  thoroughly('says when nothing can be sealed to the key that a request names', async () => {
    await tab.openSigner(office.path('signer.key'));
    await tab.paste('#alias', 'Ива');
    const thread = newThread();
    const recipient = bech32.encode('age1pq', bech32.toWords(new Uint8Array(1_216).fill(0xff)), false);
    const content = {
      version: 1 as const,
      kind: 'request' as const,
      serial: 1,
      keyring: office.keyring.digest,
      language: 'ru',
      message: 'Помогите',
    };
    const address = signAddress(content, { ...thread, address: { ...thread.address, recipient } });
    await tab.read(await office.file('first.age', office.toTeam({ ...content, thread: address })));
    await tab.write('Мы рядом');
    await tab.page.click('#seal');
    await expect.poll(() => tab.text('#compose-status')).toContain('the key that came with the request is not valid');
    expect(await tab.value('#text')).toBe('Мы рядом');
  });

  // Under whatever alias.
  it('asks before answering somebody whom a colleague has, or may have, or whose mailbox is full of one’s own answers', async () => {
    await tab.openSigner(office.path('signer.key'));
    await tab.paste('#alias', 'Ива');
    const {
      address: { key },
    } = await giveRequest();
    const answers = Array.from({ length: REPLIES_A_WEEK_BY_ONE }, () =>
      office.note({ action: 'answer', thread: key, alias: 'Ива', text: 'Да' }, office.signer),
    );
    await tab.read(
      await office.file('all.txt', answers.slice(1).map(armor).join('\n')),
      await office.file('ordinary.eml', 'Subject: hello\r\n\r\nHello.\r\n'),
    );
    await tab.write('Ещё');
    await tab.sealed();
    expect(tab.dialogs).toEqual([]);
    const claim = armor(office.note({ action: 'claim', thread: key, alias: 'Клён', text: '' }, office.partner));
    await tab.read(await office.file('damaged.txt', claim.slice(0, -200)));
    await tab.read(
      await office.file('last.txt', armor(answers[0] as Uint8Array)),
      await office.file('claim.age', office.note({ action: 'claim', thread: key, alias: 'Ива', text: '' }, office.partner)),
    );
    await tab.write('И ещё');
    await tab.page.click('#seal');
    await expect
      .poll(() => tab.dialogs.map(({ message }) => message))
      .toEqual([
        expect.stringContaining('Not all letters could be read'),
        expect.stringContaining('Already have it or have answered: \u2068«Ива»\u2069.'),
        expect.stringContaining(`${String(REPLIES_A_WEEK_BY_ONE + 1)}\u2069 answers of this week`),
      ]);
  });

  it('seals nothing before it has read the files it was given', async () => {
    await tab.openSigner(office.path('signer.key'));
    await tab.paste('#alias', 'Ива');
    const {
      address: { key },
    } = await giveRequest();
    await tab.write('Мы рядом');
    await tab.page.evaluate(`{
      const { arrayBuffer } = File.prototype;
      File.prototype.arrayBuffer = function () { return new Promise((done) => setTimeout(done, 2000)).then(() => arrayBuffer.call(this)); };
    }`);
    await tab.give(
      '#files',
      await office.file('claim.age', office.note({ action: 'claim', thread: key, alias: 'Клён\nи ещё', text: '' }, office.partner)),
    );
    await tab.page.click('#seal');
    await expect
      .poll(() => tab.dialogs.map(({ message }) => message))
      .toEqual([expect.stringContaining('Already have it or have answered: \u2068«Клён и ещё»\u2069.')]);
  });
});
