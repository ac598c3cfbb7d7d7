// Drives the form in tests of the access code: what it shows and asks for, and where the code leads.
import { expect } from 'vitest';
import { codeRoot, readCode } from '../../crypto/code.ts';
import type { WrittenContent } from '../../crypto/letter.ts';
import { threadOf, type ThreadAddress } from '../../crypto/thread.ts';
import { READY } from './form-page.ts';
import type { PageBench } from './page-bench.ts';

/** Reports on the console when a page copies unasked. */
const HEAR_COPYING = `
  document.execCommand = () => console.error('execCommand');
  if (navigator.clipboard) navigator.clipboard.writeText = navigator.clipboard.write = () => console.error('clipboard');
  addEventListener('copy', () => console.error('copied'));
`;

export class CodePage {
  readonly #bench: PageBench;

  constructor(bench: PageBench) {
    this.#bench = bench;
  }

  async openForm(path = ''): Promise<void> {
    await this.#bench.open(path, { until: READY, before: HEAR_COPYING });
  }

  async send(message: string): Promise<void> {
    const { tab } = this.#bench;
    await tab.paste('#message', message);
    await tab.page.click('#send');
    await tab.until('#accepted');
  }

  /** The words on the page. */
  async shown(): Promise<string[]> {
    const words = "[...document.querySelectorAll('#code-words li')].map((item) => item.innerText)";
    return (await this.#bench.tab.page.evaluate(words)) as string[];
  }

  /** The two positions asked for, from 0. */
  async positions(): Promise<[number, number]> {
    const [first, second] = await Promise.all(
      ['first', 'second'].map(async (which) => {
        const label = await this.#bench.tab.text(`label[for=code-${which}]`);
        return Number(/\d+/.exec(label)?.[0]) - 1;
      }),
    );
    return [first ?? -1, second ?? -1];
  }

  async confirm(first: string, second: string): Promise<void> {
    const { page } = this.#bench.tab;
    await page.type('#code-first', first);
    await page.type('#code-second', second);
    await page.click('#code-confirm');
  }

  async confirmAs(words: readonly string[], written: (word: string) => string): Promise<void> {
    await this.#bench.tab.page.click('#code-written');
    await this.#bench.tab.until('#code-check');
    const [first, second] = await this.positions();
    expect(first).toBeLessThan(second);
    await this.confirm(written(words[first] ?? ''), written(words[second] ?? ''));
  }

  async expectGone(): Promise<void> {
    const { tab } = this.#bench;
    await tab.until('#accepted-with-code');
    expect(await tab.focused()).toBe('replies-title');
    expect(await this.shown()).toEqual([]);
    for (const part of ['#code', '#code-check', '#code-skip']) expect(await tab.isVisible(part)).toBe(false);
    expect((await tab.value('#code-first')) + (await tab.value('#code-second'))).toBe('');
  }

  async letterOf(message: string): Promise<WrittenContent | undefined> {
    const { deployment } = this.#bench;
    await deployment.untilDelivered([message]);
    return (await deployment.letters()).find((each) => each.message === message);
  }

  /** The word list of the form at this path. */
  async listAt(path: string): Promise<string[]> {
    const response = await fetch(new URL(`${path}words.txt`, this.#bench.deployment.url));
    return (await response.text()).trim().split('\n');
  }

  async addressFrom(words: readonly string[], language = 'ru', path = ''): Promise<ThreadAddress> {
    const read = readCode(words.join(' '), await this.listAt(path));
    if ('problem' in read) throw new Error(`not a code: ${JSON.stringify(read.problem)}`);
    return threadOf(codeRoot(language, read.code)).address;
  }
}
