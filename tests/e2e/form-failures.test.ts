// Whatever fails, the page says what to do, keeps the text, and never sends a request twice.
import type { ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeAnswer, type Result } from '../../crypto/answer.ts';
import { toHex } from '../../crypto/bytes.ts';
import { encodeKeyring, type Keyring } from '../../crypto/keyring.ts';
import { generateKeyPair, parseSecretKey, sign, type SigningKey } from '../../crypto/minisign.ts';
import { parseParcel } from '../../crypto/parcel.ts';
import { stampBits } from '../../crypto/stamp.ts';
import { BROWSERS, openBrowser, Tab } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { Front, type Rule } from '../support/front.ts';
import { requestTeller } from '../support/requests.ts';

const MESSAGE = 'Этот текст не должен пропасть.';
const HOUR_MS = 3_600_000;
const SOON_MS = 8_000;

function answerWith(response: ServerResponse, status: number, result: Result, more: { difficulty?: number; retryAfterSeconds?: number } = {}): void {
  const body = encodeAnswer({ result, difficulty: 10, retryAfterSeconds: 0, ...more });
  response.writeHead(status, { 'content-type': 'application/octet-stream', 'content-length': body.length }).end(body);
}
const inOrder = (...rules: Rule[]): Rule => {
  let next = 0;
  return (exchange, response) => {
    const rule = rules[Math.min(next, rules.length - 1)];
    next += 1;
    return rule?.(exchange, response);
  };
};
const isoSeconds = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

describe.each(BROWSERS)('when something fails in %s', (name) => {
  let deployment: Deployment;
  let front: Front;
  let browser: Browser;
  let root: SigningKey;
  let tab: Tab;
  let isRequest: (parcel: Uint8Array) => boolean;
  const pass: Rule = (exchange, response) => front.pass(exchange, response);

  beforeAll(async () => {
    deployment = await startDeployment();
    front = await Front.start(deployment.url);
    isRequest = await requestTeller(deployment);
    browser = await openBrowser(name);
    root = await parseSecretKey(await readFile(deployment.layout.rootSecretKey, 'utf8'));
  });
  afterAll(async () => {
    await browser?.close();
    await front?.stop();
    await deployment?.stop();
  });
  beforeEach(() => front.reset());
  afterEach(async () => {
    // A browser reports failed requests by itself; the page adds nothing to that.
    const own = tab.problems.filter((text) => !/Failed to load resource|Loading Worker from/.test(text));
    expect(own).toEqual([]);
    await tab.page.close({ runBeforeUnload: false });
  });

  function serveStart({ door = {}, json, signature }: { door?: object; json?: Uint8Array; signature?: string }): void {
    const open = { open: true, reason: null, difficulty: 10, roundSeconds: 1, ...door };
    const keyring = json === undefined ? null : Buffer.from(json).toString();
    front.rules.set('/start.json', (_, response) => void response.end(JSON.stringify({ door: open, keyring, signature: signature ?? null })));
  }
  function serveKeyring(change: Partial<Keyring>, key: SigningKey = root): void {
    const json = encodeKeyring({ ...deployment.keyring.keyring, ...change });
    serveStart({ json, signature: sign(json, key, 'test') });
  }
  /** Decoys go through as they are. */
  function onRequest(...rules: Rule[]): void {
    const rule = inOrder(...rules);
    front.rules.set('/parcel', (exchange, response) => (isRequest(exchange.body) ? rule(exchange, response) : pass(exchange, response)));
  }
  const requests = (): Uint8Array[] => front.parcels().filter(isRequest);
  /** @returns when it has ended; until then there is time to open the form and type */
  function serveKeyringEndingSoon(): Promise<void> {
    const notAfter = new Date(Date.now() + SOON_MS);
    serveKeyring({ notBefore: isoSeconds(new Date(Date.now() - HOUR_MS)), notAfter: isoSeconds(notAfter) });
    return sleep(SOON_MS);
  }
  async function openForm(before?: string): Promise<void> {
    tab = await Tab.open(browser, front.url, before === undefined ? {} : { before });
    await tab.until('#send:not(:disabled)');
  }
  async function typeRequest(text = MESSAGE): Promise<void> {
    await tab.page.click('#topic-psychological');
    await tab.paste('#message', text);
  }
  /** The text is there, in sight, and the page says that it is. */
  async function expectKept(notice: string): Promise<void> {
    await tab.until(`#notice-${notice}`);
    expect(await tab.focused()).toBe(`notice-${notice}-title`);
    expect(await tab.isVisible('#kept')).toBe(true);
    expect(await tab.isVisible('#message')).toBe(true);
    expect(await tab.value('#message')).toBe(MESSAGE);
  }
  async function tryAgain(notice: string): Promise<void> {
    await tab.page.click(`#notice-${notice} [data-action="send"]`);
    await tab.until('#accepted');
  }

  it.each([
    ['keyring', 'closed-keyring'],
    ['pool', 'closed-pool'],
    ['redis', 'closed-service'],
    ['worker', 'closed-service'],
  ])('a door closed for %s is said before anyone types, and looked at again', async (reason, notice) => {
    serveStart({ door: { open: false, reason }, json: encodeKeyring(deployment.keyring.keyring), signature: '' });
    tab = await Tab.open(browser, front.url);
    await tab.until(`#notice-${notice}`);
    expect(await tab.isVisible('#form')).toBe(false);
    front.rules.clear();
    await tab.page.click(`#notice-${notice} [data-action="check"]`);
    await tab.until('#send:not(:disabled)');
    expect(await tab.isVisible(`#notice-${notice}`)).toBe(false);
  });

  it.each<[string, () => void, string]>([
    ['signed by another key', () => serveKeyring({}, generateKeyPair()), 'keyring-forged'],
    ['signed by another key under the right name', () => serveKeyring({}, { ...generateKeyPair(), id: root.id }), 'keyring-forged'],
    ['that is no keyring', () => serveStart({ json: Buffer.from('{}'), signature: sign(Buffer.from('{}'), root, 'test') }), 'keyring-forged'],
    ['past its end', () => serveKeyring({ notBefore: '2020-01-01T00:00:00Z', notAfter: '2020-01-08T00:00:00Z' }), 'keyring-expired'],
    ['not valid yet', () => serveKeyring({ notBefore: '2090-01-01T00:00:00Z', notAfter: '2090-01-08T00:00:00Z' }), 'keyring-early'],
  ])('a keyring %s is refused before anything can be sealed', async (_, prepare, notice) => {
    prepare();
    tab = await Tab.open(browser, front.url);
    await tab.until(`#notice-${notice}`);
    expect(await tab.isVisible('#form')).toBe(false);
    expect(requests()).toEqual([]);
  });

  it('a keyring that ran out while the page was open is renewed by itself', async () => {
    const end = serveKeyringEndingSoon();
    await openForm();
    await typeRequest();
    front.rules.clear();
    await end;
    await tab.page.click('#send');
    await tab.until('#accepted');
  });

  it('an older keyring is refused by a page that has seen a newer one', async () => {
    serveKeyring({ serial: 9 });
    await openForm();
    await typeRequest();
    front.rules.clear();
    onRequest((_, response) => answerWith(response, 400, 'serial'));
    await tab.page.click('#send');
    await expectKept('keyring-old');
    expect(requests()).toHaveLength(1);
  });

  it('an expired keyring at the moment of sending keeps the text', async () => {
    const end = serveKeyringEndingSoon();
    await openForm();
    await typeRequest();
    await end;
    await tab.page.click('#send');
    await expectKept('keyring-expired');
  });

  it('a relay that is gone keeps the text; the next try brings the same parcel', async () => {
    await openForm();
    await typeRequest();
    onRequest((_, response) => void response.destroy());
    await tab.page.click('#send');
    await expectKept('offline');
    front.rules.clear();
    await tryAgain('offline');
    expect(new Set(requests().map(toHex)).size).toBe(1);
  });

  it('an answer that is lost after the relay took the parcel does not make two requests', async () => {
    const text = `Один раз. ${name}`;
    await openForm();
    await typeRequest(text);
    onRequest(async (exchange, response) => {
      await deployment.post(exchange.body);
      response.destroy();
    });
    await tab.page.click('#send');
    await tab.until('#notice-offline');
    front.rules.clear();
    await tryAgain('offline');
    const last = `Последний. ${name}`;
    await deployment.post(deployment.seal(last));
    const delivered = await deployment.untilDelivered([text, last]);
    expect(delivered.filter((each) => each === text)).toHaveLength(1);
  });

  it('a relay that does not answer is given up after two minutes', async () => {
    // The page's long timers run a hundred times faster.
    await openForm('const real = setTimeout; globalThis.setTimeout = (f, ms, ...rest) => real(f, ms > 100_000 ? ms / 100 : ms, ...rest);');
    await typeRequest();
    onRequest(() => undefined);
    await tab.page.click('#send');
    await tab.until('#progress-sending');
    await expectKept('timeout');
  });

  it('a stamp that is too cheap is made dearer by itself, for the same request', async () => {
    await openForm();
    await typeRequest();
    onRequest((_, response) => answerWith(response, 422, 'stamp', { difficulty: 13 }), pass);
    await tab.page.click('#send');
    await tab.until('#accepted');
    const [first, second] = requests().map(parseParcel);
    expect(second && toHex(second.id)).toBe(first && toHex(first.id));
    expect(second && stampBits(second)).toBeGreaterThanOrEqual(13);
  });

  it('an absurd difficulty is not worked on', async () => {
    await openForm();
    await typeRequest();
    onRequest((_, response) => answerWith(response, 422, 'stamp', { difficulty: 60 }));
    await tab.page.click('#send');
    await expectKept('busy');
    expect(requests()).toHaveLength(1);
  });

  it('a dead serial is sealed anew by itself under the present keyring', async () => {
    await openForm();
    await typeRequest();
    onRequest((_, response) => answerWith(response, 400, 'serial'), pass);
    await tab.page.click('#send');
    await tab.until('#accepted');
    expect(new Set(requests().map((parcel) => toHex(parseParcel(parcel).id))).size).toBe(2);
  });

  it.each<Result>(['full', 'away', 'closed'])('a relay that is %s is waited for, and tried again with the same parcel', async (result) => {
    await openForm();
    await typeRequest();
    onRequest((_, response) => answerWith(response, 503, result, { retryAfterSeconds: 2 }), pass);
    await tab.page.click('#send');
    await expectKept('waiting');
    await tab.until('#accepted');
    expect(new Set(requests().map(toHex)).size).toBe(1);
  });

  it('a wait ends when the text is changed or the person wants it to', async () => {
    await openForm();
    await typeRequest();
    onRequest((_, response) => answerWith(response, 503, 'full', { retryAfterSeconds: 200 }));
    await tab.page.click('#send');
    await expectKept('waiting');
    expect(await tab.text('#notice-waiting')).toMatch(/3:\d\d/);
    await tab.page.click('#notice-waiting [data-action="stop"]');
    await expectKept('busy');
    await tab.page.click('#send');
    await expectKept('waiting');
    await tab.page.type('#message', '!');
    await tab.until('#notice-busy');
    expect(await tab.focused()).toBe('message');
  });

  it.each<[string, Rule, string]>([
    ['too large', (_, response) => void response.writeHead(413).end('{}'), 'refused'],
    ['of the wrong type', (_, response) => void response.writeHead(415).end('{}'), 'refused'],
    ['too slow', (_, response) => void response.writeHead(408).end('{}'), 'refused'],
    ['of an unknown version', (_, response) => answerWith(response, 400, 'version'), 'outdated'],
    ['not sealed', (_, response) => answerWith(response, 400, 'sealed'), 'outdated'],
    ['met with half an answer', (_, response) => void response.writeHead(202).end(new Uint8Array(100)), 'refused'],
  ])('a parcel that is %s keeps the text', async (_, rule, notice) => {
    await openForm();
    await typeRequest();
    onRequest(rule);
    await tab.page.click('#send');
    await expectKept(notice);
  });

  it('a topic that is gone from the keyring keeps the text and asks for another', async () => {
    await openForm();
    await typeRequest();
    const teams = deployment.keyring.keyring.teams.map((team) => ({ ...team, topics: team.topics.filter(({ id }) => id === 'legal') }));
    serveKeyring({ teams });
    onRequest((_, response) => answerWith(response, 400, 'serial'));
    await tab.page.click('#send');
    await expectKept('topic-gone');
    expect(await tab.isVisible('#topic-psychological')).toBe(false);
  });

  it('a sealing script that does not load is said, with no way to send', async () => {
    front.rules.set('/seal-wasm.js', (_, response) => void response.writeHead(404).end());
    tab = await Tab.open(browser, front.url);
    await tab.until('#notice-no-sealing');
    expect(await tab.isVisible('#form')).toBe(false);
  });

  it('without a relay the page says that it cannot be reached, and finds it again', async () => {
    for (const path of ['/start.json', '/sodium.wasm']) front.rules.set(path, (_, response) => void response.destroy());
    tab = await Tab.open(browser, front.url);
    await tab.until('#notice-unreachable');
    front.rules.clear();
    await tab.page.click('#notice-unreachable [data-action="check"]');
    await tab.until('#send:not(:disabled)');
  });

  it('a link that is followed by mistake brings back the notice that stood there, and its button', async () => {
    let hangUp: () => void = () => undefined;
    front.rules.set('/start.json', (_, response) => {
      hangUp = () => {
        // A browser asks once more when a connection that it kept breaks.
        front.rules.set('/start.json', (_again, next) => void next.destroy());
        response.destroy();
      };
    });
    tab = await Tab.open(browser, front.url);
    await tab.until('#checking');
    await tab.paste('#message', MESSAGE);
    await expect.poll(() => front.seen.map(({ path }) => path)).toContain('/start.json');
    hangUp();
    await expectKept('unreachable');
    expect(await tab.isVisible('#checking')).toBe(false);
    for (let i = 0; i < 2; i += 1) {
      await tab.page.click('nav a');
      await tab.until('#notice-leaving');
    }
    await tab.page.click('#notice-leaving [data-action="stay"]');
    await expectKept('unreachable');
    expect(await tab.isVisible('#notice-leaving')).toBe(false);
    front.rules.clear();
    await tab.page.click('#notice-unreachable [data-action="check"]');
    await tab.until('#send:not(:disabled)');
    expect(await tab.value('#message')).toBe(MESSAGE);
  });

  it('a page whose script does not come says what to do', async () => {
    front.rules.set('/form.js', (_, response) => void response.destroy());
    tab = await Tab.open(browser, front.url);
    await tab.page.type('#message', MESSAGE);
    expect(await tab.text('#checking')).toContain('скопируйте текст и обновите страницу');
    expect(await tab.page.$('#send:disabled')).not.toBeNull();
  });

  it('a decoy on a stalled connection holds up no request', async () => {
    front.rules.set('/parcel', (exchange, response) => (isRequest(exchange.body) ? pass(exchange, response) : undefined));
    await openForm();
    await typeRequest();
    await expect.poll(() => front.parcels().length).toBeGreaterThan(0);
    await tab.page.click('#send');
    await tab.until('#accepted');
    expect(requests()).toHaveLength(1);
    expect(isRequest(front.parcels()[0] ?? new Uint8Array())).toBe(false);
  });

  it('a store that is killed is waited for, and the request arrives once it is back', async () => {
    const text = `После перерыва. ${name}`;
    await openForm();
    await typeRequest(text);
    await deployment.kill('redis');
    await tab.page.click('#send');
    await tab.until('#notice-waiting');
    expect(await tab.value('#message')).toBe(text);
    // The door notices within a second or so; before, it would only seem to be open again.
    await expect.poll(async () => (await fetch(new URL('door.json', deployment.url))).text(), { timeout: 60_000 }).toContain('"open":false');
    deployment.start('redis');
    await deployment.untilOpen();
    await tab.page.click('#notice-waiting [data-action="send"]');
    await tab.until('#accepted');
    expect(await deployment.untilDelivered([text])).toContain(text);
  });
});
