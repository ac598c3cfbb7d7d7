// Deleting answers: one, or all that the page was given, and nothing else.
import { describe, expect, it } from 'vitest';
import { sealParcel } from '../../crypto/parcel.ts';
import { replyId } from '../../crypto/reply.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import type { Thread } from '../../crypto/thread.ts';
import { FIREFOX } from '../support/browser.ts';
import { readMailbox, repliesWaiting, startConversation } from '../support/conversation.ts';
import { DIFFICULTY } from '../support/deployment.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { RepliesPage } from '../support/replies-page.ts';
import { thoroughly } from '../support/thorough.ts';

const site = useSite();

describe.each(FIREFOX)('deleting in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource/ });
  const page = new RepliesPage(bench);
  const removeElsewhere = async (thread: Thread, replies: readonly Uint8Array[]): Promise<void> => {
    const removal = sealParcel({ kind: 'delete', thread, replies: replies.map(replyId) }, bench.deployment.keyring.keyring);
    expect((await bench.deployment.post(stampParcel(removal, DIFFICULTY))).status).toBe(202);
  };

  it('deletes one answer when asked and confirmed', async () => {
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

  it('skips none of those that move up when one is deleted', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два', 'Три', 'Четыре', 'Пять');
    await page.openMailbox(conversation);
    await bench.tab.page.click('#delete-1');
    await bench.tab.page.click('#confirm-yes');
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(4);
    await bench.tab.until('#conversation');
    for (const texts of [
      ['Два', 'Три'],
      ['Два', 'Три', 'Четыре', 'Пять'],
    ]) {
      await bench.tab.page.click('#more');
      await expect.poll(page.shown).toEqual(texts);
      await bench.tab.until('#conversation');
    }
    expect(await bench.tab.isVisible('#unfetched')).toBe(false);
  });

  thoroughly('says of the only answer that it was deleted, not that there is none yet', async () => {
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

  it('deletes all of them, and then nothing is left on the page either', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два');
    await page.forge(conversation, 'Не показано');
    await page.openMailbox(conversation);
    await bench.tab.page.click('#more');
    await bench.tab.until('#refused');
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm');
    expect(await bench.tab.text('#confirm-count')).toContain('удалено ответов: 3.');
    await bench.tab.page.click('#confirm-yes');
    await bench.tab.until('#ended');
    expect(await bench.tab.focused()).toBe('ended-title');
    expect(await page.shown()).toEqual([]);
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(0);
  });

  it('says how many answers it was not given, leaves them, and shows them next', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два', 'Три', 'Четыре', 'Пять');
    await page.openMailbox(conversation);
    const looked = page.lookedUp();
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm');
    expect(await bench.tab.focused()).toBe('confirm-title');
    expect(await bench.tab.text('#confirm-count')).toMatch(/удалено ответов: 2\..*ответов ждёт: 3\..*останутся/s);
    await bench.tab.page.click('#confirm-yes');
    await bench.tab.until('#unfetched');
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(3);
    expect([await page.shown(), await bench.tab.text('#unfetched'), page.lookedUp()]).toEqual([
      [],
      expect.stringContaining(': 3.'),
      looked,
    ]);
    await bench.tab.page.click('#more');
    await expect.poll(page.shown).toEqual(['Три', 'Четыре']);
    await bench.tab.until('#conversation');
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm-read');
    await bench.tab.page.click('#confirm-read');
    await expect.poll(page.shown).toEqual(['Три', 'Четыре', 'Пять']);
    expect(await bench.tab.isVisible('#confirm')).toBe(false);
  });

  thoroughly('shows whatever moved up when some that were read were deleted elsewhere', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Один', 'Два', 'Три', 'Четыре', 'Пять');
    await page.openMailbox(conversation);
    const { replies } = await readMailbox(bench.deployment, conversation.thread);
    await removeElsewhere(conversation.thread, replies.slice(0, 2));
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(3);
    for (const texts of [
      ['Один', 'Два', 'Пять'],
      ['Один', 'Два', 'Три', 'Четыре', 'Пять'],
    ]) {
      await bench.tab.page.click('#more');
      await expect.poll(page.shown).toEqual(texts);
      await bench.tab.until('#conversation');
    }
  });

  it('leaves answers that arrive in the round that carries it out', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Первый', 'Второй');
    await page.openMailbox(conversation);
    bench.deployment.signal('worker', 'SIGSTOP');
    try {
      await bench.tab.page.click('#delete-all');
      await bench.tab.until('#confirm');
      expect((await bench.tab.isVisible('#confirm-unread')) || (await bench.tab.isVisible('#confirm-read'))).toBe(false);
      await bench.tab.page.click('#confirm-yes');
      await bench.tab.until('#ended');
      for (const text of ['Третий', 'Четвёртый', 'Пятый']) {
        expect((await bench.deployment.post(await bench.deployment.sealReply(text, conversation.thread.address))).status).toBe(202);
      }
    } finally {
      bench.deployment.signal('worker', 'SIGCONT');
    }
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(3);
    await page.openMailbox(conversation);
    await bench.tab.page.click('#more');
    await expect.poll(async () => ((await page.shown()) as string[]).toSorted()).toEqual(['Пятый', 'Третий', 'Четвёртый']);
  });

  it('deletes nothing that arrived since when the same deletion is sent again', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Первый');
    await page.openMailbox(conversation);
    // The relay takes the removal, and its answer is lost.
    bench.front.rules.set('/parcel', async ({ body }, response) => {
      await bench.deployment.post(body);
      response.destroy();
    });
    await bench.tab.page.click('#delete-all');
    await bench.tab.until('#confirm');
    await bench.tab.page.click('#confirm-yes');
    await bench.tab.until('#notice-delete-failed');
    await expect.poll(() => repliesWaiting(bench.deployment, conversation.thread)).toBe(0);
    bench.front.rules.clear();
    await page.reply(conversation, 'Второй');
    await bench.tab.page.click('#notice-delete-failed [data-action="send"]');
    await bench.tab.until('#ended');
    expect(await repliesWaiting(bench.deployment, conversation.thread)).toBe(1);
  });

  thoroughly('forgets what it showed when all is deleted while a text is being written', async () => {
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

  thoroughly('does not count what was deleted a moment ago', async () => {
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
      expect(await bench.tab.text('#confirm-count')).toContain('удалено ответов: 1.');
      expect(await bench.tab.isVisible('#confirm-unread')).toBe(false);
    } finally {
      bench.deployment.signal('worker', 'SIGCONT');
    }
  });
});
