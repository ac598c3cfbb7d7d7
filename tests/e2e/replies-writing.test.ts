// Writing again in a conversation: to the same people, before an answer and after it, without ever losing a text.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { encodeKeyring, type Keyring } from '../../crypto/keyring.ts';
import { sign } from '../../crypto/minisign.ts';
import { FIREFOX } from '../support/browser.ts';
import { cli } from '../support/cli.ts';
import { startConversation } from '../support/conversation.ts';
import { FormPage, READY as FORM_READY } from '../support/form-page.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { RepliesPage } from '../support/replies-page.ts';
import { inboxOf, severalTeams } from '../support/teams.ts';
import { sampled, thoroughly } from '../support/thorough.ts';

/** Enough that two letters hardly ever choose the same team by chance. */
const TEAMS = 16;

const site = useSite({ adjust: severalTeams(TEAMS) });

describe.each(FIREFOX)('further words in %s', (name) => {
  const bench = usePages(name, site, { excused: /Failed to load resource/ });
  const page = new RepliesPage(bench);

  const inboxes = (): string[] => Array.from({ length: TEAMS }, (_, i) => inboxOf(bench.deployment.layout, i));

  it('sends further words as a follow-up of the same conversation', async () => {
    const conversation = await startConversation('ru');
    const text = `Спасибо! Ещё вопрос. ${name}, ${'очень '.repeat(660)}длинный`;
    await page.reply(conversation, 'Здравствуйте');
    await page.openMailbox(conversation);
    await bench.tab.page.click('#send');
    await bench.tab.until('#message-problem');
    expect(await bench.tab.focused()).toBe('message');
    await bench.tab.paste('#message', text);
    await bench.tab.until('#room-nearly');
    await bench.tab.page.click('#send');
    await bench.tab.until('#sent');
    expect(await bench.tab.focused()).toBe('sent');
    expect(await bench.tab.value('#message')).toBe('');
    await bench.tab.until('#room-plenty');
    expect(await page.shown()).toEqual(['Здравствуйте']);
    await bench.deployment.untilDelivered([text]);
    const letter = (await bench.deployment.letters()).find(({ message }) => message === text);
    // Placed after the answer that was read.
    expect(letter).toMatchObject({
      kind: 'follow-up',
      language: 'ru',
      number: 2,
      read: [expect.stringMatching(/^[0-9a-f]{16}$/)],
      thread: conversation.thread.address,
    });
  });

  const STAMPS: readonly [string, number, boolean][] = [
    ['minutes without WebAssembly', 18, true],
    ['half a minute without WebAssembly', 17, false],
  ];
  it.each(sampled(STAMPS, ([, , said]) => said))(
    'a stamp that takes %s is announced before anyone types, and again beside the text, where it takes long',
    async (_, difficulty, said) => {
      const form = new FormPage(bench);
      const json = encodeKeyring(bench.deployment.keyring.keyring);
      form.serveStart({ door: { difficulty }, json, signature: sign(json, await form.rootKey(), 'test') });
      form.serveWithoutWasm('/replies.js');
      await page.openMailbox(await startConversation('ru'));
      expect(await bench.tab.isVisible('#slow-writing')).toBe(said);
      expect(await bench.tab.isVisible('#write')).toBe(true);
      await page.open();
      expect(await bench.tab.isVisible('#slow')).toBe(said);
      if (said) expect(await bench.tab.text('#slow')).toContain('Читать ответы можно как обычно');
    },
  );

  const TOPICS: readonly [string, string][] = [
    ['with a topic', '#topic-legal'],
    ['without one', '#topic-none'],
  ];
  it.each(sampled(TOPICS, ([how]) => how === 'without one'))(
    'reaches the team that has the request before any answer, %s',
    async (how, topic) => {
      const [first, further] = [`Первое, ${how}. ${name}`, `И ещё, ${how}. ${name}`];
      await bench.open('', { until: FORM_READY });
      if (topic !== '#topic-none') await bench.tab.page.click(topic);
      await bench.tab.paste('#message', first);
      await bench.tab.page.click('#send');
      await bench.tab.until('#code-words li');
      const words = (await bench.tab.page.evaluate(
        "[...document.querySelectorAll('#code-words li')].map((item) => item.innerText.trim())",
      )) as string[];

      await page.open();
      await page.read(words.join(' '));
      await bench.tab.until('#none');
      await bench.tab.page.click(topic);
      await bench.tab.paste('#message', further);
      await bench.tab.page.click('#send');
      await bench.tab.until('#sent');
      // Nobody has to choose again for further words.
      expect(await bench.tab.page.$(`${topic}:checked`)).not.toBeNull();

      const textsOf = async (inbox: string): Promise<string[]> => (await bench.deployment.letters(inbox)).map(({ message }) => message);
      const inboxWith = async (text: string): Promise<string | undefined> => {
        for (const inbox of inboxes()) if ((await textsOf(inbox)).includes(text)) return inbox;
        return undefined;
      };
      await expect.poll(() => inboxWith(further)).toBeDefined();
      await expect.poll(() => inboxWith(first)).toBe(await inboxWith(further));
      const keys = [
        '--identity',
        bench.deployment.identity,
        '--keyring',
        bench.deployment.keyringFile,
        '--root-key',
        bench.deployment.rootKey,
      ];
      const { text } = await cli(['inbox', ...keys, (await inboxWith(further)) ?? '']);
      expect(text.split('\n').filter((line) => line.includes(how))).toHaveLength(1);
    },
  );

  thoroughly('asks for no topic once an answer says who has the conversation', async () => {
    const conversation = await startConversation('ru');
    await page.openMailbox(conversation);
    expect(await bench.tab.isVisible('#topic-choice')).toBe(true);
    await page.reply(conversation, 'Здравствуйте');
    await bench.tab.page.click('#again');
    await bench.tab.until('.reply');
    expect(await bench.tab.isVisible('#topic-choice')).toBe(false);
    expect(await bench.tab.isVisible('#write')).toBe(true);
  });

  it('ignores an answer that names a team its signer does not belong to', async () => {
    const conversation = await startConversation('ru');
    const { teams } = JSON.parse(await readFile(bench.deployment.keyringFile, 'utf8')) as Keyring;
    await page.reply(conversation, 'От своих');
    await page.replyFrom(conversation, 'Пишите теперь туда', teams.at(-1)?.id);
    await page.openMailbox(conversation);
    expect(await page.shown()).toEqual(['От своих', 'Пишите теперь туда']);
    await bench.tab.paste('#message', `Кому это? ${name}`);
    await bench.tab.page.click('#send');
    await bench.tab.until('#sent');
    await expect
      .poll(async () => (await bench.deployment.letters(inboxOf(bench.deployment.layout, 0))).map(({ message }) => message))
      .toContain(`Кому это? ${name}`);
  });

  thoroughly('sends further words to the team of the newest answer, even after that was deleted', async () => {
    const conversation = await startConversation('ru');
    const { teams } = JSON.parse(await readFile(bench.deployment.keyringFile, 'utf8')) as Keyring;
    await page.reply(conversation, 'Первый', 'Второй');
    await page.replyFrom(conversation, 'Теперь мы', teams[1]?.id);
    await page.openMailbox(conversation);
    await bench.tab.page.click('#more');
    await expect.poll(page.shown).toEqual(['Первый', 'Второй', 'Теперь мы']);
    await bench.tab.until('#conversation');
    await bench.tab.page.click('#delete-3');
    await bench.tab.page.click('#confirm-yes');
    await expect.poll(page.shown).toEqual(['Первый', 'Второй']);
    await bench.tab.paste('#message', `Вам. ${name}`);
    await bench.tab.page.click('#send');
    await bench.tab.until('#sent');
    await expect
      .poll(async () => (await bench.deployment.letters(inboxOf(bench.deployment.layout, 1))).map(({ message }) => message))
      .toContain(`Вам. ${name}`);
  });

  it('keeps a text and an answer when sending or deleting fails', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Остался');
    await page.openMailbox(conversation);
    bench.front.rules.set('/parcel', (_, response) => void response.destroy());
    await bench.tab.page.type('#message', 'Не дошло');
    await bench.tab.page.click('#send');
    await bench.tab.until('#notice-offline');
    await bench.tab.page.click('nav a');
    await bench.tab.page.click('#notice-leaving [data-action="stay"]');
    await bench.tab.until('#notice-offline');
    expect(await bench.tab.value('#message')).toBe('Не дошло');
    expect(await bench.tab.isVisible('#kept')).toBe(true);
    await bench.tab.page.click('#delete-1');
    await bench.tab.page.click('#confirm-yes');
    await bench.tab.until('#notice-delete-failed');
    expect(await page.shown()).toEqual(['Остался']);
    bench.front.rules.clear();
    await bench.tab.page.click('#notice-delete-failed [data-action="send"]');
    await expect.poll(page.shown).toEqual([]);
    expect(await bench.tab.value('#message')).toBe('Не дошло');
  });

  thoroughly('asks before its own links lose a text', async () => {
    const conversation = await startConversation('ru');
    await page.reply(conversation, 'Пишите');
    await page.openMailbox(conversation);
    await bench.tab.page.type('#message', 'Черновик');
    await bench.tab.page.click('nav a');
    await bench.tab.until('#notice-leaving');
    await bench.tab.page.click('#notice-leaving [data-action="stay"]');
    expect(await bench.tab.value('#message')).toBe('Черновик');
    await bench.tab.page.click('nav a');
    // Nothing is left of the conversation, even while the next page does not load.
    bench.front.rules.set('/en/replies', (_, response) => void response.writeHead(204).end());
    await bench.tab.page.click('#notice-leaving [data-action="leave"]');
    await expect.poll(() => bench.tab.page.workers()).toEqual([]);
    expect(await page.shown()).toEqual([]);
    bench.front.rules.clear();
    await bench.tab.page.click('nav a');
    await expect.poll(() => new URL(bench.tab.page.url()).pathname).toBe('/en/replies');
    expect(bench.asked).toEqual([]);
  });
});
