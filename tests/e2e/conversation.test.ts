// A whole conversation, each person with their own tool: the form, the command line, the replies page, the desk. And what traces remain.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { codeRoot, readCode } from '../../crypto/code.ts';
import { mailboxOf, threadOf, type Thread } from '../../crypto/thread.ts';
import { bucketOf, weekOf } from '../../redis/mailboxes.ts';
import { openBrowser, Tab, type TestBrowser } from '../support/browser.ts';
import { cli } from '../support/cli.ts';
import { readMailbox, repliesWaiting, wordList } from '../support/conversation.ts';
import { startSearchable, type Deployment } from '../support/deployment.ts';
import { enginesFor } from '../support/thorough.ts';
import { bytesNeedle, filesIn, redisKeys, search, type Needle } from '../leak/search.ts';

describe.each(enginesFor('firefox'))('a conversation in %s', (name) => {
  let dir: string;
  let deployment: Deployment;
  let admin: Redis;
  let browser: TestBrowser;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conversation-'));
    ({ deployment, admin } = await startSearchable());
    browser = await openBrowser(name);
  });
  afterAll(async () => {
    await browser?.close();
    admin?.disconnect();
    await deployment?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const keys = (): string[] => ['--identity', deployment.identity, '--keyring', deployment.keyringFile, '--root-key', deployment.rootKey];
  const run = async (...argv: string[]): Promise<string> => {
    const { code, text, err } = await cli(argv);
    expect(code, err).toBe(EXIT.ok);
    return text;
  };
  const conversations = async (): Promise<string[]> => (await run('inbox', ...keys(), deployment.inbox)).trim().split('\n');

  /** Sends a request. Returns the words of its access code. */
  async function request(text: string): Promise<string[]> {
    const tab = await Tab.open(browser, deployment.url);
    await tab.until('#send:not(:disabled)');
    await tab.paste('#message', text);
    await tab.page.click('#send');
    await tab.until('#code-words li');
    const words = (await tab.page.evaluate(
      "[...document.querySelectorAll('#code-words li')].map((item) => item.innerText.trim())",
    )) as string[];
    await tab.page.close({ runBeforeUnload: false });
    return words;
  }

  async function threadFrom(words: readonly string[]): Promise<Thread> {
    const read = readCode(words.join(' '), await wordList('ru'));
    if (!('code' in read)) throw new Error('the page showed no access code');
    return threadOf(codeRoot('ru', read.code));
  }

  async function openReplies(words: readonly string[]): Promise<Tab> {
    const tab = await Tab.open(browser, new URL('replies', deployment.url).href);
    await tab.until('#read:not(:disabled)');
    await tab.paste('#typed-code', words.join(' '));
    await tab.page.click('#read');
    await tab.until('#conversation');
    return tab;
  }
  const shown = (tab: Tab): Promise<unknown> =>
    tab.page.evaluate("[...document.querySelectorAll('.reply .text')].map((text) => text.textContent)");

  async function answerByCommand(alias: string, text: string): Promise<void> {
    const file = join(dir, 'answer.txt');
    await writeFile(file, text);
    const by = ['--signer', deployment.signer, '--alias', alias];
    await run('reply', ...keys(), ...by, '--file', file, '--relay', deployment.url, deployment.inbox);
  }

  async function answerAtDesk(alias: string, text: string): Promise<void> {
    await run('admin', 'build-desk', '--root-key', deployment.rootKey, '--keyring', deployment.keyringFile, '--out', join(dir, 'desk'));
    const tab = await Tab.open(browser, pathToFileURL(join(dir, 'desk', 'desk-ru.html')).href);
    const give = async (selector: string, ...files: string[]): Promise<void> => {
      const input = (await tab.page.$(selector)) as { uploadFile: (...paths: string[]) => Promise<void> } | null;
      await input?.uploadFile(...files);
    };
    await tab.until('#desk');
    await tab.page.click('#single-keys > summary');
    await give('#identity', deployment.identity);
    await tab.page.click('#open-identity');
    await tab.until('#identity-status p');
    await give('#signer', deployment.signer);
    await tab.page.click('#open-signer');
    await tab.until('#signer-status p');
    const mails = (await readdir(join(deployment.inbox, 'new'))).map((file) => join(deployment.inbox, 'new', file));
    await give('#files', ...mails);
    await tab.until('article button[data-part="answer"]');
    await tab.page.click('article button[data-part="answer"]');
    await tab.until('#compose');
    await tab.paste('#text', text);
    await tab.paste('#alias', alias);
    await tab.page.click('#seal');
    await tab.until('#outgoing', 60_000);
    const parcels = (await tab.page.evaluate("[...document.querySelectorAll('#parcels textarea')].map(({ value }) => value)")) as string[];
    await mkdir(join(dir, 'to-send'), { recursive: true });
    await Promise.all(parcels.map((parcel, i) => writeFile(join(dir, 'to-send', `${String(i)}.txt`), parcel)));
    await tab.page.close({ runBeforeUnload: false });
    await run('send', join(dir, 'to-send'), '--relay', deployment.url);
  }

  it('is answered by one volunteer, read, continued, answered by another, and gone once the requester deletes it', async () => {
    const first = `Мне нужна помощь. ${name}`;
    const further = `Спасибо, и ещё одно. ${name}`;
    const words = await request(first);
    await deployment.untilDelivered([first]);
    const thread = await threadFrom(words);

    await answerByCommand('Ива', 'Мы вас услышали.');
    await expect.poll(() => repliesWaiting(deployment, thread)).toBe(1);

    const tab = await openReplies(words);
    expect(await shown(tab)).toEqual(['Мы вас услышали.']);
    await tab.paste('#message', further);
    await tab.page.click('#send');
    await tab.until('#sent');
    expect(tab.problems).toEqual([]);
    await tab.page.close({ runBeforeUnload: false });

    await deployment.untilDelivered([first, further]);
    await expect.poll(async () => (await conversations()).join()).toContain('Ива');
    expect(await conversations()).toHaveLength(1);

    await answerAtDesk('Клён', 'И второй ответ.');
    await expect.poll(() => repliesWaiting(deployment, thread)).toBe(2);
    await expect.poll(async () => (await conversations()).join()).toContain('Клён');
    expect(await run('open', ...keys(), deployment.inbox)).toContain('И второй ответ.');

    const again = await openReplies(words);
    expect(await shown(again)).toEqual(['Мы вас услышали.', 'И второй ответ.']);
    const needles = await traces(thread);
    expect(await found(needles)).not.toEqual([]);
    await again.page.click('#delete-all');
    await again.until('#confirm');
    await again.page.click('#confirm-yes');
    await again.until('#ended');
    await expect.poll(() => repliesWaiting(deployment, thread)).toBe(0);
    // The next round rewrites the append-only file.
    await expect.poll(() => found(needles)).toEqual([]);
  });

  /** Traces that a conversation could leave: its places, and bytes from the middle of each sealed reply. */
  async function traces(thread: Thread): Promise<Needle[]> {
    const { fields } = bucketOf(mailboxOf(thread.address), weekOf(new Date()));
    const replies = (await readMailbox(deployment, thread)).replies.map((reply, i) =>
      bytesNeedle(`reply ${String(i)}`, reply.subarray(4_000, 4_200)),
    );
    return [...fields.map((field, i) => bytesNeedle(`place ${String(i)}`, field)), ...replies];
  }
  const found = async (needles: readonly Needle[]): Promise<string[]> =>
    search([...(await redisKeys(admin)), ...filesIn(deployment.layout.redisData)], needles);
});
