import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'puppeteer-core';
import type { TestBrowser } from './browser.ts';

/** Puppeteer's own WebDriver BiDi connection to Firefox, which its types do not export. */
type Bidi = { readonly connection: { send(method: string, params: object): Promise<{ result: unknown }> } };
type Node = { readonly sharedId: string; readonly value: NodeValue };
type NodeValue = {
  nodeType: number;
  nodeValue?: string;
  localName?: string;
  attributes?: Record<string, string>;
  children?: { value?: NodeValue }[];
};

const CONTROL = '\uE009';
const ENTER = '\uE007';
const MOST_SCROLLS = 30;
/** A few frames. */
const STILL_MS = 50;

/**
 * A page in a Firefox with scripts off. Nothing can be evaluated there, so most of puppeteer would wait for ever: this speaks
 * to the browser with commands that need no script in the page.
 */
export class ScriptlessPage {
  readonly page: Page;
  /** Messages on the browser's console. */
  readonly problems: string[] = [];
  readonly #bidi: Bidi;
  readonly #context: string;

  private constructor(page: Page) {
    this.page = page;
    this.#bidi = page.browser() as unknown as Bidi;
    this.#context = (page.mainFrame() as unknown as { _id: string })._id;
    page.on('console', (message) => this.problems.push(`console.${message.type()}: ${message.text()}`));
  }

  static async open(browser: TestBrowser): Promise<ScriptlessPage> {
    return new ScriptlessPage(await browser.newPage());
  }

  async text(css: string): Promise<string> {
    return textOf((await this.#first(css)).value);
  }

  async attributes(css: string): Promise<Record<string, string>> {
    return (await this.#first(css)).value.attributes ?? {};
  }

  async until(css: string, timeoutMs = 30_000): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while ((await this.#nodes(css)).length === 0) {
      if (performance.now() > deadlineMs)
        throw new Error(`nothing matched ${css} in time at ${this.page.url()}: ${await this.text('body')}`);
      await sleep(100);
    }
  }

  /** Whether it takes up space, so that a screenshot of it can be taken. */
  async isVisible(css: string): Promise<boolean> {
    const [node] = await this.#nodes(css);
    if (node === undefined) return false;
    try {
      await this.#send('browsingContext.captureScreenshot', { context: this.#context, clip: asElement(node) });
      return true;
    } catch (error) {
      if (error instanceof Error && /dimensions|zero/i.test(error.message)) return false;
      throw error;
    }
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.#send<{ data: string }>('browsingContext.captureScreenshot', {
      context: this.#context,
      origin: 'document',
    });
    return Buffer.from(data, 'base64');
  }

  /** Scrolls to it first, if needed. */
  async click(css: string): Promise<void> {
    const origin = asElement(await this.#first(css));
    const actions = [
      { type: 'pointerMove', x: 0, y: 0, origin },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ];
    for (let scrolls = 0; ; scrolls += 1) {
      try {
        return await this.#act({ type: 'pointer', id: 'mouse', actions });
      } catch (error) {
        if (scrolls === MOST_SCROLLS || !(error instanceof Error && error.message.includes('out of bounds'))) throw error;
      }
      await this.#act({ type: 'wheel', id: 'wheel', actions: [{ type: 'scroll', x: 10, y: 10, deltaX: 0, deltaY: 300 }] });
      await this.#untilStill();
    }
  }

  /** Waits for the scrolling to settle: Firefox scrolls in another process than its layout, so an immediate click would miss. */
  async #untilStill(): Promise<void> {
    const look = async (): Promise<string> =>
      (await this.#send<{ data: string }>('browsingContext.captureScreenshot', { context: this.#context })).data;
    for (let [before, now] = ['', await look()]; now !== before; [before, now] = [now, await look()]) await sleep(STILL_MS);
  }

  async type(css: string, text: string): Promise<void> {
    await this.click(css);
    await this.#keys([...text]);
  }

  /** Pastes as a person does: copied from another page, over whatever is in the field. */
  async paste(css: string, text: string): Promise<void> {
    const source = await this.page.browser().newPage();
    await source.goto(`data:text/plain,${encodeURIComponent(text)}`);
    const other = new ScriptlessPage(source);
    await other.#chord('a');
    await other.#chord('c');
    await source.close();
    await this.page.bringToFront();
    await this.click(css);
    await this.#chord('a');
    await this.#chord('v');
  }

  async enter(): Promise<void> {
    await this.#keys([ENTER]);
  }

  async #chord(key: string): Promise<void> {
    await this.#act({
      type: 'key',
      id: 'keys',
      actions: [{ type: 'keyDown', value: CONTROL }, ...press(key), { type: 'keyUp', value: CONTROL }],
    });
  }

  async #keys(keys: readonly string[]): Promise<void> {
    await this.#act({ type: 'key', id: 'keys', actions: keys.flatMap(press) });
  }

  async #act(source: object): Promise<void> {
    await this.#send('input.performActions', { context: this.#context, actions: [source] });
  }

  async #first(css: string): Promise<Node> {
    const [node] = await this.#nodes(css);
    if (node === undefined) throw new Error(`nothing matches ${css} at ${this.page.url()}`);
    return node;
  }

  async #nodes(css: string): Promise<Node[]> {
    const locator = { type: 'css', value: css };
    return (
      await this.#send<{ nodes: Node[] }>('browsingContext.locateNodes', {
        context: this.#context,
        locator,
        serializationOptions: { maxDomDepth: 12 },
      })
    ).nodes;
  }

  async #send<T>(method: string, params: object): Promise<T> {
    return (await this.#bidi.connection.send(method, params)).result as T;
  }
}

function textOf({ nodeType, nodeValue, children }: NodeValue): string {
  return nodeType === 3 ? (nodeValue ?? '') : (children ?? []).map(({ value }) => (value === undefined ? '' : textOf(value))).join('');
}

function asElement({ sharedId }: Node): object {
  return { type: 'element', element: { sharedId } };
}

function press(value: string): object[] {
  return [
    { type: 'keyDown', value },
    { type: 'keyUp', value },
  ];
}
