// Without scripts (Tor Browser's level Safest): the page says what works, and accepts a parcel that was sealed elsewhere.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PAGE_FILES } from '../../cli/sending/page-requests.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { cli } from '../support/cli.ts';
import { ScriptlessPage } from '../support/scriptless-page.ts';
import { openBrowser, Tab, type TestBrowser } from '../support/browser.ts';
import { shareDeployment, type Deployment } from '../support/deployment.ts';
import { Front } from '../support/front.ts';

/** Tall enough that nothing has to be scrolled to, and so nothing moves under the mouse. */
const ALL_IN_SIGHT = { width: 1_280, height: 2_400 };

let deployment: Deployment;
let front: Front;
beforeAll(async () => {
  deployment = await shareDeployment();
  front = await Front.start(deployment.url);
});
afterAll(async () => {
  await front?.stop();
  await deployment?.stop();
});

const posted = (): string[] => front.seen.filter(({ method }) => method === 'POST').map(({ path }) => path);
const SEND = '#no-scripts ~ section button';

describe('without scripts', () => {
  let browser: TestBrowser;
  let reader: ScriptlessPage;
  beforeAll(async () => {
    browser = await openBrowser('firefox', { level: 'safest' });
    reader = await ScriptlessPage.open(browser);
    await reader.page.setViewport(ALL_IN_SIGHT);
  });
  afterAll(() => browser?.close());
  beforeEach(() => front.reset());

  const goto = async (path: string): Promise<void> => void (await reader.page.goto(new URL(path, front.url).href));

  it.each([
    ['', ['нужны скрипты', 'Safer', 'Сохранить форму', 'Зашифрованный текст']],
    ['en/', ['needs scripts', 'Safer', 'Save the form', 'encrypted already']],
  ])('/%s says why scripts are needed, and three ways to go on', async (path, words) => {
    await goto(path);
    expect(await reader.isVisible('#no-scripts')).toBe(true);
    for (const hidden of ['#form', '#opening', '#progress', '#accepted', '#exit-known'])
      expect(await reader.isVisible(hidden), hidden).toBe(false);
    const text = await reader.text('main');
    for (const word of words) expect(text).toContain(word);
    await reader.until(`a[href="/${path}form.html"]`);
    await reader.until('#parcel');
    expect(reader.problems).toEqual([]);
  });

  it('the page for answers says kindly that reading needs them', async () => {
    await goto('replies');
    expect(await reader.text('#no-scripts')).toContain('Чтобы читать ответы, нужны скрипты');
    expect(await reader.text('main')).toContain('Safer');
    for (const hidden of ['#typed-code', '#read']) expect(await reader.isVisible(hidden), hidden).toBe(false);
  });

  it.each([
    ['/', 1],
    ['/en/', 2],
  ])('a wrong address shows a page that leads back to %s', async (first, section) => {
    await goto('en/nothing');
    expect(await reader.text('#exit')).toBe('Быстрый выход Quick exit');
    const [russian, english] = [await reader.text('section:nth-of-type(1)'), await reader.text('section:nth-of-type(2)')];
    expect([russian, english]).toEqual([expect.stringContaining('опечатка'), expect.stringContaining('a typo')]);
    await reader.click(`section:nth-of-type(${String(section)}) a`);
    await expect.poll(() => new URL(reader.page.url()).pathname).toBe(first);
    expect(reader.problems).toEqual([]);
  });

  it('quick exit is a link', async () => {
    await goto('');
    await reader.click('#exit');
    await expect.poll(() => reader.page.url()).toBe('about:blank');
  });

  it.each([
    ['words', () => 'Help me please'],
    ['nothing', () => ''],
    ['a parcel cut at its end', () => encodeParcelText(deployment.seal('x')).slice(0, -1)],
    ['words as long as a parcel', () => 'help '.repeat(7_000).slice(0, 32_768)],
  ])('has the browser itself refuse %s', async (_what, make) => {
    await goto('en/');
    const text = make();
    if (text !== '') await reader.paste('#parcel', text);
    await reader.click(SEND);
    await reader.until('#parcel:user-invalid');
    // Anything that had been sent would arrive before this.
    await goto('en/');
    expect(posted()).toEqual([]);
  });

  it('delivers a sealed parcel to the volunteer, and says so in a page', async () => {
    const message = 'Sealed elsewhere, pasted here';
    await goto('en/');
    await reader.paste('#parcel', encodeParcelText(deployment.seal(message)));
    await reader.until('#parcel:valid');
    await reader.click(SEND);
    await reader.until('a[href="/en/"]');
    await reader.until('main > h1');
    expect(await reader.text('main > h1')).toBe('Your request has been accepted');
    expect(posted()).toEqual(['/en/paste']);
    const [sent] = front.seen.filter(({ method }) => method === 'POST');
    // The page hides its origin, so the relay can have no origin check.
    expect(sent?.headers).toMatch(/\nOrigin\nnull(\n|$)/);
    expect(await deployment.untilDelivered([message])).toContain(message);
    expect(reader.problems).toEqual([]);
  });

  it('says what to do when the parcel is unusable', async () => {
    await goto('');
    await reader.paste('#parcel', 'A'.repeat(32_768));
    await reader.until('#parcel:valid');
    await reader.click(SEND);
    await reader.until('main > p:nth-of-type(3)');
    expect(await reader.text('main > h1')).toBe('Этот текст не читается');
  });
});

it('the command line makes the same requests with the same headers as the page with scripts, group by group', async () => {
  front.reset();
  const names = (headers: string): string[] => headers.split('\n').filter((_, index) => index % 2 === 0);
  const visited = (): Map<string, string[]> => new Map(front.seen.map(({ path, headers }) => [path, names(headers)]));
  const browser = await openBrowser('firefox');
  try {
    const tab = await Tab.open(browser, front.url);
    await tab.until('#send:not(:disabled)');
    await tab.page.type('#message', 'headers');
    await tab.page.click('#send');
    await tab.until('#accepted', 60_000);
  } finally {
    await browser.close();
  }
  const page = visited();
  // A browser requests the icon when it likes, and in automation often never.
  const paths = PAGE_FILES.flat().map(({ path }) => path);
  expect(new Set([...page.keys(), '/icon.png'])).toEqual(new Set([...paths, '/parcel']));
  front.reset();
  const file = join(deployment.layout.dir, 'for-the-command-line.txt');
  await writeFile(file, encodeParcelText(deployment.seal('As the page')));
  const { code, err } = await cli(['send', file, '--relay', front.url]);
  expect([code, err]).toEqual([0, expect.stringContaining('waits for a moment of its own')]);
  const command = visited();
  for (const [path, headers] of page) expect([path, command.get(path)]).toEqual([path, headers]);
  const order = front.seen.map(({ path }) => path);
  expect(order).toHaveLength(paths.length + 1);
  // The requests of a group race each other.
  let at = 0;
  for (const group of PAGE_FILES) expect(new Set(order.slice(at, (at += group.length)))).toEqual(new Set(group.map(({ path }) => path)));
  expect(order.at(-1)).toBe('/parcel');
});
