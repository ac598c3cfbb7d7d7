// Drives the form in a test: what is typed, what the relay answers, and what must be kept.
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { expect } from 'vitest';
import { encodeAnswer, type Result } from '../../crypto/answer.ts';
import { encodeKeyring, keyringDigest, type Keyring } from '../../crypto/keyring.ts';
import { parseSecretKey, sign, type SigningKey } from '../../crypto/minisign.ts';
import { clockAhead } from './browser.ts';
import type { Rule } from './front.ts';
import { http } from './http.ts';
import type { PageBench } from './page-bench.ts';

export const MESSAGE = 'Этот текст не должен пропасть.';
const HOUR_MS = 3_600_000;
const isoSeconds = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
export const READY = '#send:not(:disabled)';

export function answerWith(
  response: ServerResponse,
  status: number,
  result: Result,
  more: { difficulty?: number; retryAfterSeconds?: number } = {},
): void {
  const body = encodeAnswer({ result, difficulty: 10, retryAfterSeconds: 0, ...more });
  response.writeHead(status, { 'content-type': 'application/octet-stream', 'content-length': body.length }).end(body);
}

/** Keyrings are checked in the sealing worker, where a test can change the clock only by changing the script. */
const movableClock = (days: number): string => `${clockAhead(days)}
new BroadcastChannel('clock').onmessage = ({ data, target }) => {
  if (typeof data === 'number') target.postMessage(String(globalThis.daysAhead = data));
};
`;

const inOrder = (...rules: Rule[]): Rule => {
  let next = 0;
  return (exchange, response) => {
    const rule = rules[Math.min(next, rules.length - 1)];
    next += 1;
    return rule?.(exchange, response);
  };
};

export class FormPage {
  readonly #bench: PageBench;
  readonly pass: Rule = (exchange, response) => this.#bench.front.pass(exchange, response);

  constructor(bench: PageBench) {
    this.#bench = bench;
  }

  async open(before?: string): Promise<void> {
    await this.#bench.open('', { until: READY, ...(before === undefined ? {} : { before }) });
  }

  async type(text = MESSAGE): Promise<void> {
    await this.#bench.tab.page.click('#topic-psychological');
    await this.#bench.tab.paste('#message', text);
  }

  /** Expects the text to be kept and visible, and the page to say so. */
  async expectKept(notice: string): Promise<void> {
    const { tab } = this.#bench;
    await tab.until(`#notice-${notice}`);
    expect(await tab.focused()).toBe(`notice-${notice}-title`);
    expect(await tab.isVisible('#kept')).toBe(true);
    expect(await tab.isVisible('#message')).toBe(true);
    expect(await tab.value('#message')).toBe(MESSAGE);
  }

  async tryAgain(notice: string): Promise<void> {
    await this.#bench.tab.page.click(`#notice-${notice} [data-action="send"]`);
    await this.#bench.tab.until('#accepted');
  }

  /** The relay's answer to each request in turn. Decoys pass through. */
  onRequest(...rules: Rule[]): void {
    const rule = inOrder(...rules);
    this.#bench.front.rules.set('/parcel', (exchange, response) =>
      this.#bench.isRequest(exchange.body) ? rule(exchange, response) : this.pass(exchange, response),
    );
  }

  requests(): Uint8Array[] {
    return this.#bench.front.parcels().filter(this.#bench.isRequest);
  }

  serveStart({ door = {}, json, signature }: { door?: object; json?: Uint8Array; signature?: string }): void {
    const open = { open: true, reason: null, difficulty: 10, roundSeconds: 1, ...door };
    const keyring = json === undefined ? null : Buffer.from(json).toString();
    this.#bench.front.rules.set(
      '/start.json',
      (_, response) => void response.end(JSON.stringify({ door: open, keyring, signature: signature ?? null })),
    );
  }

  /** As at Safer: removes WebAssembly before the page's script runs. */
  serveWithoutWasm(script = '/form.js'): void {
    this.#bench.front.rules.set(script, async ({ path }, response) => {
      const { headers, body } = await http(new URL(path, this.#bench.deployment.url).href);
      response
        .writeHead(200, { 'content-type': headers['content-type'] })
        .end(`delete globalThis.WebAssembly;\n${Buffer.from(body).toString()}`);
    });
  }

  /** Makes the clock of the sealing worker movable, from so many days ahead. */
  serveClock(days = 0): void {
    this.#bench.front.rules.set('/seal-wasm.js', async ({ path }, response) => {
      const { headers, body } = await http(new URL(path, this.#bench.deployment.url).href);
      response.writeHead(200, { 'content-type': headers['content-type'] }).end(movableClock(days) + Buffer.from(body).toString());
    });
  }

  async moveClock(days: number): Promise<void> {
    await this.#bench.tab.page.evaluate(`new Promise((moved) => {
      const clock = new BroadcastChannel('clock');
      clock.onmessage = () => { clock.close(); moved(); };
      clock.postMessage(${String(days)});
    })`);
  }

  /** Serves the deployment's keyring with changes, signed by the root key unless another is given. */
  async serveKeyring(change: Partial<Keyring>, key?: SigningKey): Promise<void> {
    const json = encodeKeyring({ ...this.#bench.deployment.keyring.keyring, ...change });
    this.serveStart({ json, signature: sign(json, key ?? (await this.rootKey()), 'test') });
  }

  /** One that expires within the hour: of the deployment's serial, with a higher digest, so that the deployment's own takes its place. */
  async serveKeyringEndingSoon(): Promise<void> {
    const { keyring, digest } = this.#bench.deployment.keyring;
    const now = Date.now();
    for (let tries = 0; ; tries += 1) {
      const change = {
        notBefore: isoSeconds(new Date(now - HOUR_MS)),
        notAfter: isoSeconds(new Date(now + HOUR_MS)),
        answerTime: { en: String(tries) },
      };
      if (keyringDigest(encodeKeyring({ ...keyring, ...change })) > digest) return this.serveKeyring(change);
    }
  }

  async rootKey(): Promise<SigningKey> {
    return parseSecretKey(await readFile(this.#bench.deployment.layout.rootSecretKey, 'utf8'));
  }
}
