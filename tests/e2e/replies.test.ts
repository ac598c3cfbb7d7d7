// Reading answers in real browsers, against a real relay and worker.
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { encodeMailboxAnswer, parseQuestion, QUESTION_BYTES } from '../../crypto/mailbox.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { sealReply } from '../../crypto/reply.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { BROWSERS } from '../support/browser.ts';
import { repliesWaiting, startConversation } from '../support/conversation.ts';
import { DIFFICULTY } from '../support/deployment.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { READY, RepliesPage } from '../support/replies-page.ts';
import { enginesFor, thoroughly } from '../support/thorough.ts';

const NARROW = { width: 320, height: 640 };

const site = useSite();

describe.each(BROWSERS)('answers in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource/ });
  const page = new RepliesPage(bench);

  it('shows an answer as plain text, and sends the code nowhere', async () => {
    const conversation = await startConversation('en');
    const text = `Hello!\n\n<b>https://example.org</b> & "quotes"\n\u202eabc שלום 🕯`;
    await page.reply(conversation, text);
    await page.openMailbox(conversation, 'en/replies');
    expect(await page.shown()).toEqual([text]);
    expect(await bench.tab.text('.reply .text')).toContain('Hello!\n\n<b>');
    expect(await bench.tab.page.$('#replies a, #replies b')).toBeNull();
    expect(await bench.tab.isVisible('#unfetched')).toBe(false);
    const style = await bench.tab.page.evaluate(
      "(({ unicodeBidi, whiteSpace }) => unicodeBidi + ' ' + whiteSpace)(getComputedStyle(document.querySelector('.reply .text')))",
    );
    expect(style).toMatch(/^isolate pre-wrap/);
    const sent = Buffer.concat(bench.front.seen.map(({ body }) => Buffer.from(body))).toString('latin1') + bench.tab.requests.join();
    for (const word of conversation.words) expect(sent).not.toContain(word);
    const kept = await bench.tab.page.evaluate('JSON.stringify([document.cookie, localStorage.length, sessionStorage.length])');
    expect(kept).toBe('["",0,0]');
  });

  if (!enginesFor('firefox').includes(name)) return;

  it('leaves nothing behind, however the page is left', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Никому');
    await page.openMailbox(conversation);
    await Promise.all([bench.tab.page.waitForNavigation(), bench.tab.page.goto(new URL('en/', bench.front.url).href)]);
    await bench.tab.page.goBack({ waitUntil: 'load' });
    await bench.tab.until('#read:not(:disabled)');
    expect((await bench.tab.value('#typed-code')) + (await bench.tab.value('#message'))).toBe('');
    expect(await bench.tab.page.content()).not.toContain('Никому');
    await page.read(conversation.words.join(' '));
    await bench.tab.until('#conversation');
    await bench.tab.page.reload({ waitUntil: 'load' });
    await bench.tab.until('#read:not(:disabled)');
    expect(await bench.tab.value('#typed-code')).toBe('');
    expect(bench.asked).toEqual([]);
    await page.read(conversation.words.join(' '));
    await bench.tab.until('#conversation');
    await bench.tab.page.click('#exit');
    await expect.poll(() => bench.tab.page.url()).toBe('about:blank');
    expect(await bench.tab.text()).toBe('');
    const sent = bench.front.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(bench.front.seen.length).toBe(sent);
  });

  thoroughly('sends decoys while somebody only reads, and requests in their place', async () => {
    await page.open();
    await expect.poll(() => bench.front.parcels().length).toBeGreaterThan(0);
    const { words } = await startConversation('ru');
    await page.read(words.join(' '));
    await bench.tab.until('#conversation');
    const exchanges = bench.front.seen.filter(({ method }) => method === 'POST');
    expect(new Set(exchanges.map(({ body }) => body.length))).toEqual(new Set([QUESTION_BYTES]));
    expect(exchanges[0]?.path).toBe('/parcel');
    expect(exchanges.filter(({ path }) => path === '/mailbox')).toHaveLength(1);
    expect(new Set(exchanges.map(({ headers }) => headers)).size).toBe(1);
  });

  if (name !== 'firefox') return;

  thoroughly('says that there is no answer yet, and that an unknown code looks the same', async () => {
    await page.openMailbox(await startConversation('ru'));
    expect(await bench.tab.focused()).toBe('conversation-title');
    expect(await bench.tab.text('#conversation-title')).toBe('Ответа пока нет');
    expect(await bench.tab.text('#none')).toContain('покажет то же самое');
    expect(await bench.tab.isVisible('#write')).toBe(true);
    // With one team nothing has to be chosen.
    expect(await bench.tab.isVisible('#topic-choice')).toBe(false);
    expect(await page.shown()).toEqual([]);
    expect(await bench.tab.value('#typed-code')).toBe('');
    expect(new Set(bench.front.seen.filter(({ path }) => path === '/mailbox').map(({ body }) => body.length))).toEqual(
      new Set([QUESTION_BYTES]),
    );
    expect(bench.tab.requests.filter((url) => !url.startsWith(bench.front.url) && !url.startsWith('data:'))).toEqual([]);
  });

  thoroughly('shows three answers, the third on request', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Первый', 'Второй', 'Третий');
    await page.openMailbox(conversation);
    expect(await page.shown()).toEqual(['Первый', 'Второй']);
    expect(await bench.tab.text('#unfetched')).toContain(': 1.');
    await bench.tab.page.click('#more');
    await expect.poll(page.shown).toEqual(['Первый', 'Второй', 'Третий']);
    await bench.tab.until('#conversation');
    expect([await bench.tab.focused(), await bench.tab.text('#reply-3')]).toEqual(['reply-3', 'Ответ 3']);
    expect(await bench.tab.isVisible('#unfetched')).toBe(false);
  });

  it('shows answers in the order of writing, whatever order the server sends: an answer served again is not news', async () => {
    const conversation = await startConversation('ru');
    const { address } = conversation.thread;
    const [team] = bench.deployment.keyring.keyring.teams;
    const signer = await bench.deployment.signingKey();
    const seal = (text: string, number: number, id: string): Uint8Array =>
      sealReply({ team: team?.id ?? '', text, number, earlier: [], id: id.repeat(32) }, address, signer).reply;
    const served = [seal('Третий', 2, 'b'), seal('Второй, без сети', 2, 'a'), seal('Последний', 5, 'd'), seal('Старый', 1, 'c')];
    bench.front.rules.set('/mailbox', ({ body }, response) => {
      const at = 2 * parseQuestion(new Uint8Array(body)).page;
      response
        .writeHead(202)
        .end(encodeMailboxAnswer({ result: 'read', total: 4, retryAfterSeconds: 0, places: served.slice(at, at + 2) }));
    });
    await page.openMailbox(conversation);
    expect(await page.shown()).toEqual(['Второй, без сети', 'Третий']);
    await bench.tab.page.click('#more');
    await expect.poll(page.shown).toEqual(['Старый', 'Второй, без сети', 'Третий', 'Последний']);
  });

  it('says calmly that earlier answers are missing, but not those deleted in this visit', async () => {
    const conversation = await startConversation('ru');
    const { thread } = conversation;
    const ids = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string];
    const [team] = bench.deployment.keyring.keyring.teams;
    const answer = async (text: string, number: number): Promise<void> => {
      const order = { number, earlier: ids.slice(0, number - 1).map((id) => id.slice(0, 16)), id: ids[number - 1] ?? '' };
      const delivery = sealReply({ team: team?.id ?? '', text, ...order }, thread.address, await bench.deployment.signingKey());
      await page.pass(stampParcel(sealParcel({ kind: 'reply', delivery }, bench.deployment.keyring.keyring), DIFFICULTY), thread);
    };
    const deleteFirst = async (): Promise<void> => {
      await bench.tab.page.click('#delete-1');
      await bench.tab.until('#confirm');
      await bench.tab.page.click('#confirm-yes');
      await bench.tab.until('#gone');
      await expect.poll(() => repliesWaiting(bench.deployment, thread)).toBe(0);
    };
    await answer('Первый', 1);
    await page.openMailbox(conversation);
    await deleteFirst();
    await answer('Второй', 2);
    await bench.tab.page.click('#again');
    await expect.poll(page.shown).toEqual(['Второй']);
    expect(await bench.tab.isVisible('#absent')).toBe(false);
    await deleteFirst();
    await answer('Третий', 3);
    await page.openMailbox(conversation);
    expect(await page.shown()).toEqual(['Третий']);
    expect(await bench.tab.text('#absent')).toMatch(/другие ответы.*: 2\. .*всё в порядке/s);
    expect(await bench.tab.page.evaluate("document.querySelector('#absent').closest('[role=alert], .notice, .problem')")).toBeNull();
    expect(
      await bench.tab.page.evaluate("[...document.querySelectorAll('[role=alert]')].filter((alert) => alert.checkVisibility()).length"),
    ).toBe(0);
  });

  it('counts answers that nobody of the keyring signed, and does not show them', async () => {
    const conversation = await startConversation('ru');
    await page.forge(conversation, 'Приходите по этому адресу.');
    await page.reply(conversation, 'Настоящий ответ');
    await page.openMailbox(conversation);
    expect(await page.shown()).toEqual(['Настоящий ответ']);
    expect(await bench.tab.text('#refused')).toContain('Не показано сообщений: 1');
    expect(await bench.tab.page.content()).not.toContain('Приходите');
  });

  thoroughly('shows once an answer that the relay sends twice or that was sealed twice', async () => {
    const conversation = await startConversation('ru');
    const { identity, address } = conversation.thread;
    const [team] = bench.deployment.keyring.keyring.teams;
    const { reply } = sealReply({ team: team?.id ?? '', text: 'Один раз' }, address, await bench.deployment.signingKey());
    const again = encrypt(decrypt(reply, [identity]), [address.recipient]);
    for (const places of [
      [reply, reply],
      [reply, again],
    ]) {
      bench.front.rules.set(
        '/mailbox',
        (_, response) => void response.writeHead(202).end(encodeMailboxAnswer({ result: 'read', total: 2, retryAfterSeconds: 0, places })),
      );
      await page.openMailbox(conversation);
      expect(await page.shown()).toEqual(['Один раз']);
      expect(await bench.tab.isVisible('#refused')).toBe(false);
    }
  });

  thoroughly('does not believe a relay that claims more answers than there can be', async () => {
    bench.front.rules.set(
      '/mailbox',
      (_, response) =>
        void response.writeHead(202).end(encodeMailboxAnswer({ result: 'read', total: 4_000_000_000, retryAfterSeconds: 0, places: [] })),
    );
    await page.open();
    await page.read((await startConversation('ru')).words.join(' '));
    await bench.tab.until('#notice-look-failed');
    expect(await bench.tab.isVisible('#conversation')).toBe(false);
  });

  it('reads while the door is closed, and says that only writing has to wait', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'И сейчас');
    bench.front.rules.set('/start.json', async (_, response) => {
      const start = (await (await fetch(new URL('start.json', bench.deployment.url))).json()) as object;
      response.end(JSON.stringify({ ...start, door: { open: false, reason: 'worker' } }));
    });
    await page.openMailbox(conversation);
    expect(await page.shown()).toEqual(['И сейчас']);
    expect(await bench.tab.isVisible('#closed')).toBe(true);
    expect(
      (await bench.tab.isVisible('#write')) || (await bench.tab.isVisible('#delete-1')) || (await bench.tab.isVisible('#delete-all')),
    ).toBe(false);
    bench.front.rules.clear();
    await bench.tab.page.click('#again');
    await bench.tab.until('#write');
    expect(await bench.tab.isVisible('#closed')).toBe(false);
    expect(await bench.tab.isVisible('#delete-1')).toBe(true);
  });

  thoroughly('fits a narrow screen, whatever an answer holds', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'ж'.repeat(500), `${'w'.repeat(300)} x`);
    await bench.open('replies', { until: READY, viewport: NARROW });
    const tooWide = async (): Promise<unknown> =>
      bench.tab.page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
    await bench.tab.paste('#typed-code', conversation.words.join(' ').slice(0, -1));
    expect(await tooWide()).toBe(false);
    await page.read(conversation.words.join(' '));
    await bench.tab.until('#conversation');
    expect(await tooWide()).toBe(false);
    await bench.tab.page.evaluate("for (const part of document.querySelectorAll('main [hidden]')) part.hidden = false;");
    expect(await tooWide()).toBe(false);
  });
});
