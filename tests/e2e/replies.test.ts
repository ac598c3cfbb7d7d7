// The replies page in real browsers, against a real relay and worker: entering the code, reading, writing again, deleting.
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { readCode } from '../../crypto/code.ts';
import { encodeMailboxAnswer, QUESTION_BYTES } from '../../crypto/mailbox.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { replyId, sealReply } from '../../crypto/reply.ts';
import { signingKeyPair, signParts } from '../../crypto/sign.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import type { Thread } from '../../crypto/thread.ts';
import { BROWSERS, openBrowser, Tab } from '../support/browser.ts';
import { repliesWaiting, startConversation, wordList, type Conversation } from '../support/conversation.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { Front } from '../support/front.ts';
import { beforeScripts } from '../support/levels.ts';

const DIFFICULTY = 10;
/** Without WebAssembly and a compiler for scripts everything takes longer. */
const SLOW_MS = 120_000;
const NARROW = { width: 320, height: 640 };

describe.each(BROWSERS)('the replies page in %s', (name) => {
  let deployment: Deployment;
  let front: Front;
  let browser: Browser;
  let tab: Tab;
  let asked: string[];
  beforeAll(async () => {
    deployment = await startDeployment();
    front = await Front.start(deployment.url);
    browser = await openBrowser(name);
  });
  afterAll(async () => {
    await browser?.close();
    await front?.stop();
    await deployment?.stop();
  });
  beforeEach(() => {
    front.reset();
    asked = [];
    return async () => {
      expect(tab.problems.filter((text) => !text.includes('Failed to load resource'))).toEqual([]);
      await tab.page.close({ runBeforeUnload: false });
    };
  });

  async function openPage(path = 'replies'): Promise<void> {
    tab = await Tab.open(browser, new URL(path, front.url).href);
    tab.page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void dialog.accept();
    });
    await tab.until('#read:not(:disabled)');
  }
  async function read(code: string): Promise<void> {
    await tab.paste('#typed-code', code);
    await tab.page.click('#read');
  }
  async function openMailbox({ words }: Conversation, path = 'replies'): Promise<void> {
    await openPage(path);
    await read(words.join(' '));
    await tab.until('#conversation');
  }
  async function pass(parcel: Uint8Array, thread: Thread): Promise<void> {
    const before = await repliesWaiting(deployment, thread);
    expect((await deployment.post(parcel)).status).toBe(202);
    await expect.poll(() => repliesWaiting(deployment, thread)).toBe(before + 1);
  }
  /** One after the other, so that their order is known. */
  async function reply({ thread }: Conversation, ...texts: string[]): Promise<void> {
    for (const text of texts) await pass(await deployment.sealReply(text, thread.address), thread);
  }
  /** What the worker lets through and no page may show: inside, it is signed by somebody who is no volunteer. */
  async function forge({ thread }: Conversation, text: string): Promise<void> {
    const signer = await deployment.signingKey();
    const forged = sealReply({ team: deployment.keyring.keyring.teams[0]?.id ?? '', text }, thread.address, signingKeyPair(randomBytes(32)));
    const delivery = { ...forged, signer: signer.key, signature: signParts('delivery', [forged.mailbox, replyId(forged.reply)], signer) };
    await pass(stampParcel(sealParcel({ kind: 'reply', delivery }, deployment.keyring.keyring), DIFFICULTY), thread);
  }
  const shown = async (): Promise<unknown> => tab.page.evaluate("[...document.querySelectorAll('.reply .text')].map((text) => text.textContent)");
  const lookedUp = (): number => front.seen.filter(({ path }) => path === '/mailbox').length;

  it('says that there is no answer yet, and that an unknown code looks the same', async () => {
    await openMailbox(await startConversation('ru'));
    expect(await tab.focused()).toBe('conversation-title');
    expect(await tab.text('#conversation-title')).toBe('Ответа пока нет');
    expect(await tab.text('#none')).toContain('покажет то же самое');
    // Nobody knows yet which team has the request.
    expect(await tab.isVisible('#write')).toBe(false);
    expect(await tab.isVisible('#write-later')).toBe(true);
    expect(await shown()).toEqual([]);
    expect(await tab.value('#typed-code')).toBe('');
    expect(new Set(front.seen.filter(({ path }) => path === '/mailbox').map(({ body }) => body.length))).toEqual(new Set([QUESTION_BYTES]));
    expect(tab.requests.filter((url) => !url.startsWith(front.url) && !url.startsWith('data:'))).toEqual([]);
  });

  it('shows an answer as plain text, and the code goes nowhere', async () => {
    const conversation = await startConversation('en');
    const text = `Hello!\n\n<b>https://example.org</b> & "quotes"\n\u202eabc שלום 🕯`;
    await reply(conversation, text);
    await openMailbox(conversation, 'en/replies');
    expect(await shown()).toEqual([text]);
    expect(await tab.text('.reply .text')).toContain('Hello!\n\n<b>');
    expect(await tab.page.$('#replies a, #replies b')).toBeNull();
    expect(await tab.isVisible('#pages')).toBe(false);
    const style = await tab.page.evaluate("(({ unicodeBidi, whiteSpace }) => unicodeBidi + ' ' + whiteSpace)(getComputedStyle(document.querySelector('.reply .text')))");
    expect(style).toMatch(/^isolate pre-wrap/);
    const sent = Buffer.concat(front.seen.map(({ body }) => Buffer.from(body))).toString('latin1') + tab.requests.join();
    for (const word of conversation.words) expect(sent).not.toContain(word);
    const kept = await tab.page.evaluate('JSON.stringify([document.cookie, localStorage.length, sessionStorage.length])');
    expect(kept).toBe('["",0,0]');
  });

  it('shows three answers over two pages, the oldest first', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'Первый', 'Второй', 'Третий');
    await openMailbox(conversation);
    expect(await shown()).toEqual(['Первый', 'Второй']);
    expect(await tab.text('#pages')).toContain('Страница 1 из 2');
    expect(await tab.page.$('#older:disabled')).not.toBeNull();
    await tab.page.click('#newer');
    await expect.poll(shown).toEqual(['Третий']);
    await tab.until('#conversation');
    expect(await tab.text('.reply h2')).toBe('Ответ 3');
    expect(await tab.page.$('#newer:disabled')).not.toBeNull();
    await tab.page.click('#older');
    await expect.poll(shown).toEqual(['Первый', 'Второй']);
  });

  it('counts what nobody of the keyring has signed, and does not show it', async () => {
    const conversation = await startConversation('ru');
    await forge(conversation, 'Приходите по этому адресу.');
    await reply(conversation, 'Настоящий ответ');
    await openMailbox(conversation);
    expect(await shown()).toEqual(['Настоящий ответ']);
    expect(await tab.text('#refused')).toContain('Не показано сообщений: 1');
    expect(await tab.page.content()).not.toContain('Приходите');
  });

  it('sends further words as a follow-up of the same conversation', async () => {
    const conversation = await startConversation('ru');
    const text = `Спасибо! Ещё вопрос. ${name}`;
    await reply(conversation, 'Здравствуйте');
    await openMailbox(conversation);
    await tab.page.click('#send');
    await tab.until('#message-problem');
    expect(await tab.focused()).toBe('message');
    await tab.page.type('#message', text);
    await tab.until('#room-plenty');
    await tab.page.click('#send');
    await tab.until('#sent');
    expect(await tab.focused()).toBe('sent');
    expect(await tab.value('#message')).toBe('');
    expect(await shown()).toEqual(['Здравствуйте']);
    await deployment.untilDelivered([text]);
    const letter = (await deployment.letters()).find(({ message }) => message === text);
    expect(letter).toMatchObject({ kind: 'follow-up', language: 'ru', thread: conversation.thread.address });
  });

  it('removes one answer when asked to and told so again', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'Остаётся', 'Уходит');
    await openMailbox(conversation);
    await tab.page.click('#delete-2');
    await tab.until('#confirm');
    expect(await tab.focused()).toBe('confirm-title');
    await tab.page.click('#confirm-no');
    expect(await tab.isVisible('#confirm')).toBe(false);
    await tab.page.click('#delete-2');
    await tab.page.click('#confirm-yes');
    await expect.poll(shown).toEqual(['Остаётся']);
    await expect.poll(() => repliesWaiting(deployment, conversation.thread)).toBe(1);
    await tab.until('#again');
    const looked = lookedUp();
    await tab.page.click('#again');
    await expect.poll(lookedUp).toBe(looked + 1);
    await tab.until('#conversation');
    expect(await shown()).toEqual(['Остаётся']);
  });

  it('removes all of them, and then there is nothing left on the page either', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'Один', 'Два', 'Три');
    await openMailbox(conversation);
    await tab.page.click('#delete-all');
    await tab.page.click('#confirm-yes');
    await tab.until('#ended');
    expect(await tab.focused()).toBe('ended-title');
    expect(await shown()).toEqual([]);
    await expect.poll(() => repliesWaiting(deployment, conversation.thread)).toBe(0);
  });

  it.each<[string, (words: readonly string[]) => string]>([
    ['in capitals', (words) => words.join(' ').toUpperCase()],
    ['as four letters each, with commas', (words) => words.map((word) => word.slice(0, 4)).join(', ')],
    ['on lines with numbers', (words) => words.map((word, i) => `${String(i + 1)}. ${word}`).join('\r\n')],
    ['with ё for е', (words) => words.join(' ').replaceAll('е', 'ё')],
    ['with accents apart', (words) => words.join('—').replaceAll('е', 'ё').normalize('NFD')],
  ])('takes a code %s', async (_, write) => {
    const conversation = await startConversation('ru');
    await openPage();
    await read(write(conversation.words));
    await tab.until('#conversation');
  });

  it('names a mistyped word by its place, and asks nobody', async () => {
    const { words } = await startConversation('ru');
    await openPage();
    await read(words.map((word, i) => (i === 6 ? 'ыыыыы' : word)).join(' '));
    await tab.until('#typed-word');
    expect(await tab.text('#typed-word')).toContain('номер 7');
    expect(await tab.focused()).toBe('typed-code');
    expect(await tab.page.evaluate("(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))(document.querySelector('#typed-code'))")).toBe('ыыыыы');
    await read(words.slice(0, 8).join(' '));
    await tab.until('#typed-count');
    expect(await tab.text('#typed-count')).toContain('здесь их 8');
    const list = await wordList('ru');
    const others = list.map((other) => words.map((word, i) => (i === 2 ? other : word)).join(' '));
    await read(others.find((code) => 'problem' in readCode(code, list)) ?? '');
    await tab.until('#typed-check');
    expect(await tab.isVisible('#typed-count')).toBe(false);
    expect(lookedUp()).toBe(0);
    await tab.page.type('#typed-code', ' ');
    expect(await tab.isVisible('#typed-check')).toBe(false);
  });

  it('offers the word once four letters of it are typed, and needs no mouse', async () => {
    const { words } = await startConversation('ru');
    const long = (await wordList('ru')).find((word) => word.length > 5) ?? '';
    await openPage();
    await tab.page.focus('#typed-code');
    await tab.page.keyboard.type(long.slice(0, 3));
    expect(await tab.isVisible('#offer')).toBe(false);
    await tab.page.keyboard.type(long.slice(3, 4));
    expect(await tab.text('#offer')).toBe(long);
    await tab.page.keyboard.press('Tab');
    expect(await tab.focused()).toBe('offer');
    await tab.page.keyboard.press('Enter');
    expect(await tab.value('#typed-code')).toBe(`${long} `);
    expect(await tab.focused()).toBe('typed-code');
    await tab.paste('#typed-code', '');
    await tab.page.keyboard.type(words.join(' '));
    await tab.page.keyboard.press('Tab');
    if (await tab.focused() === 'offer') await tab.page.keyboard.press('Tab');
    expect(await tab.focused()).toBe('read');
    await tab.page.keyboard.press('Enter');
    await tab.until('#conversation');
  });

  it('keeps the code while the relay is away, and tries again', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'Дождались');
    await openPage();
    front.rules.set('/mailbox', (_, response) => void response.destroy());
    await read(conversation.words.join(' '));
    await tab.until('#notice-look-failed');
    expect(await tab.focused()).toBe('notice-look-failed-title');
    expect(await tab.value('#typed-code')).toBe(conversation.words.join(' '));
    front.rules.set('/mailbox', (_, response) => void response.writeHead(503).end(encodeMailboxAnswer({ result: 'away', total: 0, retryAfterSeconds: 5, places: [] })));
    await tab.page.click('#notice-look-failed [data-action="send"]');
    await tab.until('#notice-look-away');
    front.rules.set('/mailbox', (_, response) => void response.writeHead(202).end('no answer of a relay'));
    await tab.page.click('#notice-look-away [data-action="send"]');
    await tab.until('#notice-look-failed');
    front.rules.clear();
    await tab.page.click('#notice-look-failed [data-action="send"]');
    await tab.until('#conversation');
    expect(await shown()).toEqual(['Дождались']);
  });

  it('keeps a text and an answer when sending or deleting fails', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'Остался');
    await openMailbox(conversation);
    front.rules.set('/parcel', (_, response) => void response.destroy());
    await tab.page.type('#message', 'Не дошло');
    await tab.page.click('#send');
    await tab.until('#notice-offline');
    expect(await tab.value('#message')).toBe('Не дошло');
    expect(await tab.isVisible('#kept')).toBe(true);
    await tab.page.click('#delete-1');
    await tab.page.click('#confirm-yes');
    await tab.until('#notice-delete-failed');
    expect(await shown()).toEqual(['Остался']);
    front.rules.clear();
    await tab.page.click('#notice-delete-failed [data-action="send"]');
    await expect.poll(shown).toEqual([]);
    expect(await tab.value('#message')).toBe('Не дошло');
  });

  it('reads behind a closed door, and says that only writing has to wait', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'И сейчас');
    front.rules.set('/start.json', async (_, response) => {
      const start = (await (await fetch(new URL('start.json', deployment.url))).json()) as object;
      response.end(JSON.stringify({ ...start, door: { open: false, reason: 'worker' } }));
    });
    await openMailbox(conversation);
    expect(await shown()).toEqual(['И сейчас']);
    expect(await tab.isVisible('#closed')).toBe(true);
    expect(await tab.isVisible('#write') || await tab.isVisible('#delete-1') || await tab.isVisible('#delete-all')).toBe(false);
    front.rules.clear();
    await tab.page.click('#again');
    await tab.until('#write');
    expect(await tab.isVisible('#closed')).toBe(false);
    expect(await tab.isVisible('#delete-1')).toBe(true);
  });

  it('shows no answer while the keys that it is checked with are not there', async () => {
    front.rules.set('/start.json', (_, response) => void response.end(JSON.stringify({ door: { open: false, reason: 'keyring' }, keyring: null, signature: null })));
    tab = await Tab.open(browser, new URL('replies', front.url).href);
    await tab.until('#notice-look-keys');
    expect(await tab.page.$('#read:disabled')).not.toBeNull();
    front.rules.clear();
    await tab.page.click('#notice-look-keys [data-action="check"]');
    await tab.until('#read:not(:disabled)');
  });

  it('leaves nothing behind, whichever way it is left', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'Никому');
    await openMailbox(conversation);
    await Promise.all([tab.page.waitForNavigation(), tab.page.goto(new URL('en/', front.url).href)]);
    await tab.page.goBack({ waitUntil: 'load' });
    await tab.until('#read:not(:disabled)');
    expect(await tab.value('#typed-code') + await tab.value('#message')).toBe('');
    expect(await tab.page.content()).not.toContain('Никому');
    await read(conversation.words.join(' '));
    await tab.until('#conversation');
    await tab.page.reload({ waitUntil: 'load' });
    await tab.until('#read:not(:disabled)');
    expect(await tab.value('#typed-code')).toBe('');
    expect(asked).toEqual([]);
    await read(conversation.words.join(' '));
    await tab.until('#conversation');
    await tab.page.click('#exit');
    await expect.poll(() => tab.page.url()).toBe('about:blank');
    expect(await tab.text()).toBe('');
    const sent = front.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(front.seen.length).toBe(sent);
  });

  it('asks before its own links lose a text', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'Пишите');
    await openMailbox(conversation);
    await tab.page.type('#message', 'Черновик');
    await tab.page.click('nav a');
    await tab.until('#notice-leaving');
    await tab.page.click('#notice-leaving [data-action="stay"]');
    expect(await tab.value('#message')).toBe('Черновик');
    await tab.page.click('nav a');
    await Promise.all([tab.page.waitForNavigation(), tab.page.click('#notice-leaving [data-action="leave"]')]);
    expect(new URL(tab.page.url()).pathname).toBe('/en/replies');
    expect(asked).toEqual([]);
  });

  it('fits a narrow screen, whatever an answer holds', async () => {
    const conversation = await startConversation('ru');
    await reply(conversation, 'ж'.repeat(500), `${'w'.repeat(300)} x`);
    tab = await Tab.open(browser);
    await tab.page.setViewport(NARROW);
    await tab.page.goto(new URL('replies', front.url).href, { waitUntil: 'load' });
    await tab.until('#read:not(:disabled)');
    const tooWide = async (): Promise<unknown> => tab.page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
    await tab.paste('#typed-code', conversation.words.join(' ').slice(0, -1));
    expect(await tooWide()).toBe(false);
    await read(conversation.words.join(' '));
    await tab.until('#conversation');
    expect(await tooWide()).toBe(false);
    await tab.page.evaluate("for (const part of document.querySelectorAll('main [hidden]')) part.hidden = false;");
    expect(await tooWide()).toBe(false);
  });

  it('sends decoys while somebody only reads, and asks in their place', async () => {
    await openPage();
    await expect.poll(() => front.parcels().length).toBeGreaterThan(0);
    const { words } = await startConversation('ru');
    await read(words.join(' '));
    await tab.until('#conversation');
    const exchanges = front.seen.filter(({ method }) => method === 'POST');
    expect(new Set(exchanges.map(({ body }) => body.length))).toEqual(new Set([QUESTION_BYTES]));
    expect(exchanges[0]?.path).toBe('/parcel');
    expect(exchanges.filter(({ path }) => path === '/mailbox')).toHaveLength(1);
    expect(new Set(exchanges.map(({ headers }) => headers)).size).toBe(1);
  });
});

it.each(BROWSERS)('at Safer an answer is read as well, in %s', { timeout: 2 * SLOW_MS }, async (name) => {
  const deployment = await startDeployment();
  const browser = await openBrowser(name, { level: 'safer' });
  try {
    const { words, thread } = await startConversation('ru');
    expect((await deployment.post(await deployment.sealReply('Без WebAssembly', thread.address))).status).toBe(202);
    await expect.poll(() => repliesWaiting(deployment, thread)).toBe(1);
    const tab = await Tab.open(browser, new URL('replies', deployment.url).href, { before: beforeScripts('safer') });
    await tab.until('#read:not(:disabled)', SLOW_MS);
    await tab.paste('#typed-code', words.join(' '));
    await tab.page.click('#read');
    await tab.until('.reply', SLOW_MS);
    expect(await tab.text('.reply .text')).toBe('Без WebAssembly');
    expect(tab.requests.map((url) => new URL(url).pathname)).not.toContain('/sodium.wasm');
    expect(tab.problems).toEqual([]);
  } finally {
    await browser.close();
    await deployment.stop();
  }
});

it('without scripts the page says kindly that reading needs them', async () => {
  const deployment = await startDeployment();
  const browser = await openBrowser('chromium');
  try {
    const tab = await Tab.open(browser);
    await tab.page.setJavaScriptEnabled(false);
    await tab.page.goto(new URL('replies', deployment.url).href);
    expect(await tab.text('#no-scripts')).toContain('Чтобы читать ответы, нужны скрипты');
    expect(await tab.text('main')).toContain('Safer');
    expect(await tab.isVisible('#typed-code') || await tab.isVisible('#read')).toBe(false);
  } finally {
    await browser.close();
    await deployment.stop();
  }
});
