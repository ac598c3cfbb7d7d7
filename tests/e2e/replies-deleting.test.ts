// Removing answers: one, or all of them, also those that nobody has opened.
import { describe, expect, it } from 'vitest';
import { sealParcel } from '../../crypto/parcel.ts';
import { replyId } from '../../crypto/reply.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { FIREFOX } from '../support/browser.ts';
import { lookInto, repliesWaiting, startConversation } from '../support/conversation.ts';
import { DIFFICULTY } from '../support/deployment.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { RepliesPage } from '../support/replies-page.ts';

const site = useSite();

describe.each(FIREFOX)('deleting in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource/ });
  const page = new RepliesPage(bench);

  it('removes one answer when asked to and told so again', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Остаётся', 'Уходит');
    await page.openMailbox(conversation);
    await bench.tab.page.click('#delete-2');
    await bench.tab.until('#confirm');
    expect(await bench.tab.focused()).toBe('confirm-title');
    await bench.tab.page.click('#confirm-no');
    expect(await bench.tab.isVisible('#confirm')).toBe(false);
    await bench.tab.page.click('#delete-2');
    await bench.tab.page.click('#confirm-yes');
    await expect.poll(page.shown).toEqual(['Остаётся']);
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(1);
    await bench.tab.until('#again');
    const looked = page.lookedUp();
    await bench.tab.page.click('#again');
    await expect.poll(page.lookedUp).toBe(looked + 1);
    await bench.tab.until('#conversation');
    expect(await page.shown()).toEqual(['Остаётся']);
  });

  it('passes over none of those that move up when one is removed', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два', 'Три', 'Четыре', 'Пять');
    await page.openMailbox(conversation);
    await bench.tab.page.click('#delete-1');
    await bench.tab.page.click('#confirm-yes');
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(4);
    await bench.tab.until('#conversation');
    for (const texts of [['Два', 'Три'], ['Четыре', 'Пять']]) {
      await bench.tab.page.click('#newer');
      await expect.poll(page.shown).toEqual(texts);
      await bench.tab.until('#conversation');
    }
  });

  it('says of the only answer that it was deleted, not that there is none yet', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Уходит');
    await page.openMailbox(conversation);
    await bench.tab.page.click('#delete-1');
    await bench.tab.page.click('#confirm-yes');
    await bench.tab.until('#gone');
    expect(await bench.tab.text('#conversation-title')).toBe('Ответов здесь больше нет');
    expect(await bench.tab.isVisible('#none')).toBe(false);
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(0);
    await page.reply(conversation, 'Новый');
    await bench.tab.page.click('#again');
    await expect.poll(page.shown).toEqual(['Новый']);
    expect(await bench.tab.isVisible('#gone')).toBe(false);
  });

  it('removes all of them, and then there is nothing left on the page either', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два', 'Три');
    await page.openMailbox(conversation);
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm');
    await bench.tab.page.click('#confirm-yes');
    await bench.tab.until('#ended');
    expect(await bench.tab.focused()).toBe('ended-title');
    expect(await page.shown()).toEqual([]);
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(0);
  });

  it('says how many go, and shows those first that were not read', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два', 'Три', 'Четыре', 'Пять');
    await page.openMailbox(conversation);
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm');
    expect(await bench.tab.focused()).toBe('confirm-title');
    expect(await bench.tab.text('#confirm-count')).toMatch(/сейчас: 5\..*не открывали: 3\..*может исчезнуть/s);
    await bench.tab.page.click('#confirm-read');
    await expect.poll(page.shown).toEqual(['Три', 'Четыре']);
    expect(await bench.tab.isVisible('#confirm')).toBe(false);
    expect(await repliesWaiting(bench.deployment, conversation.thread)).toBe(5);
  });

  it('counts as unread whatever may be, when some that were read were removed elsewhere', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два', 'Три', 'Четыре', 'Пять');
    await page.openMailbox(conversation);
    for (const reply of (await lookInto(bench.deployment, conversation.thread)).replies.slice(0, 2)) {
      const removal = sealParcel({ kind: 'delete', thread: conversation.thread, reply: replyId(reply) }, bench.deployment.keyring.keyring);
      expect((await bench.deployment.post(stampParcel(removal, DIFFICULTY))).status).toBe(202);
    }
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(3);
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm-unread');
    expect(await bench.tab.text('#confirm-count')).toMatch(/сейчас: 3\..*не открывали: 3\./s);
    await bench.tab.page.click('#confirm-read');
    await expect.poll(page.shown).toEqual(['Три', 'Четыре']);
    await bench.tab.until('#delete-all');
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm-unread');
    expect(await bench.tab.text('#confirm-count')).toMatch(/сейчас: 3\..*не открывали: 1\./s);
    await bench.tab.page.click('#confirm-read');
    await expect.poll(page.shown).toEqual(['Пять']);
  });

  it('looks again before asking, so that an answer which has just come does not go unread', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Первый');
    await page.openMailbox(conversation);
    await page.reply(conversation, 'Только что');
    bench.front.rules.set('/mailbox', (_, response) => void response.destroy());
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#notice-look-failed');
    bench.front.rules.clear();
    await bench.tab.page.click('#notice-look-failed [data-action="send"]');
    await bench.tab.until('#confirm-unread');
    expect(await bench.tab.text('#confirm-unread')).toContain('не открывали: 1');
    await bench.tab.page.click('#confirm-read');
    await expect.poll(page.shown).toEqual(['Первый', 'Только что']);
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm');
    expect(await bench.tab.isVisible('#confirm-unread') || await bench.tab.isVisible('#confirm-read')).toBe(false);
    await bench.tab.page.click('#confirm-no');
    expect(await repliesWaiting(bench.deployment, conversation.thread)).toBe(2);
  });

  it('removes what has come since, when all was removed before and nobody could say so', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Первый');
    await page.openMailbox(conversation);
    // The relay has the removal, and its answer is lost.
    bench.front.rules.set('/parcel', async ({ body }, response) => {
      await bench.deployment.post(body);
      response.destroy();
    });
    const removeAll = async (): Promise<void> => {
      await bench.tab.page.click('#delete-all');
      await bench.tab.until('#confirm');
      await bench.tab.page.click('#confirm-yes');
    };
    await removeAll();
    await bench.tab.until('#notice-delete-failed');
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(0);
    bench.front.rules.clear();
    await page.reply(conversation, 'Второй');
    await removeAll();
    await bench.tab.until('#ended');
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(0);
  });

  it('forgets what it showed when all is removed while a text is being written', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два');
    await page.openMailbox(conversation);
    await bench.tab.paste('#message', 'Ещё не отправлено');
    // The worker cannot carry it out yet.
    bench.deployment.signal('worker', 'SIGSTOP');
    try {
      await bench.tab.page.click('#delete-all');
      await bench.tab.until('#confirm');
      await bench.tab.page.click('#confirm-yes');
      await bench.tab.until('#gone');
      const looked = page.lookedUp();
      await bench.tab.page.click('#again');
      await expect.poll(page.lookedUp).toBe(looked + 1);
      await bench.tab.until('#gone');
      expect(await page.shown()).toEqual([]);
    } finally {
      bench.deployment.signal('worker', 'SIGCONT');
    }
  });

  it('asks nothing when there is none left', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Уже удалён');
    await page.openMailbox(conversation);
    const removal = sealParcel({ kind: 'delete', thread: conversation.thread, reply: null }, bench.deployment.keyring.keyring);
    expect((await bench.deployment.post(stampParcel(removal, DIFFICULTY))).status).toBe(202);
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(0);
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#gone');
    expect(await bench.tab.isVisible('#confirm')).toBe(false);
  });

  it('counts nothing that was removed a moment ago', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Остаётся', 'Уходит');
    await page.openMailbox(conversation);
    // The worker cannot carry it out yet.
    bench.deployment.signal('worker', 'SIGSTOP');
    try {
      await bench.tab.page.click('#delete-2');
      await bench.tab.page.click('#confirm-yes');
      await expect.poll(page.shown).toEqual(['Остаётся']);
      await bench.tab.page.click('#delete-all');
      await bench.tab.until('#confirm-count');
      expect(await bench.tab.text('#confirm-count')).toContain('сейчас: 1.');
      expect(await bench.tab.isVisible('#confirm-unread')).toBe(false);
    } finally {
      bench.deployment.signal('worker', 'SIGCONT');
    }
  });
});
