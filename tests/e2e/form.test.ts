// The main job in real browsers: typed, sealed, accepted, mixed, delivered, opened.
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PARCEL_BYTES } from '../../crypto/parcel.ts';
import { BROWSERS, openBrowser, Tab } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { Front } from '../support/front.ts';

describe.each(BROWSERS)('the form in %s', (name) => {
  let deployment: Deployment;
  let front: Front;
  let browser: Browser;
  beforeAll(async () => {
    deployment = await startDeployment();
    front = await Front.start(deployment.url);
    browser = await openBrowser(name);
  });
  afterAll(async () => {
    await browser?.close();
    await front?.stop();
    await deployment?.stop();
  });

  async function openForm(path = ''): Promise<Tab> {
    front.reset();
    const tab = await Tab.open(browser, new URL(path, front.url).href);
    await tab.until('#send:not(:disabled)');
    return tab;
  }

  it('takes a request in Russian with a contact to the volunteer', async () => {
    const message = `Здравствуйте. Не знаю, с чего начать: «страшно»… 🕯 ${name}`;
    const contact = `друг-${name}@example.org`;
    const tab = await openForm();
    await tab.page.click('#topic-legal');
    await tab.page.type('#message', message);
    await tab.page.type('#contact', contact);
    await tab.page.click('#send');
    await tab.until('#accepted');

    expect(await tab.focused()).toBe('accepted-title');
    expect(await tab.text('#accepted')).toContain('Обращение принято');
    expect(await tab.isVisible('#accepted-with-contact')).toBe(true);
    expect(await tab.isVisible('#accepted-without-contact')).toBe(false);
    expect(await tab.value('#message') + await tab.value('#contact')).toBe('');

    await deployment.untilDelivered([message]);
    const letter = (await deployment.letters()).find((each) => each.message === message);
    expect(letter).toMatchObject({ kind: 'request', topic: 'legal', language: 'ru', message, contact, serial: 1, keyring: deployment.keyring.digest });

    expect(front.parcels().map(({ length }) => length)).toEqual([PARCEL_BYTES]);
    const sent = Buffer.concat(front.seen.map(({ body }) => Buffer.from(body)));
    for (const text of [message.slice(0, 12), contact]) expect(sent.includes(text)).toBe(false);
    expect(tab.problems).toEqual([]);
    // Firefox asks for a font of its own as data:, which goes nowhere.
    expect(tab.requests.filter((url) => !url.startsWith(front.url) && !url.startsWith('data:'))).toEqual([]);
    await tab.page.close();
  });

  it('takes a request in English without a contact, and says that nobody can answer it', async () => {
    const message = `Hello from ${name}.\nA second line, "quotes" and a \\ backslash.`;
    const tab = await openForm('en/');
    await tab.page.click('#topic-psychological');
    await tab.paste('#message', message);
    await tab.page.click('#send');
    await tab.until('#accepted-without-contact');
    await deployment.untilDelivered([message]);
    const letter = (await deployment.letters()).find((each) => each.message === message);
    expect(letter).toMatchObject({ topic: 'psychological', language: 'en' });
    expect(letter).not.toHaveProperty('contact');
    expect(tab.problems).toEqual([]);
    await tab.page.close();
  });

  it('leaves nothing in the browser: no cookies, no storage', async () => {
    const tab = await openForm();
    const kept = await tab.page.evaluate('JSON.stringify([document.cookie, localStorage.length, sessionStorage.length])');
    expect(kept).toBe('["",0,0]');
    await tab.page.close();
  });

  it('asks for what is missing and moves there', async () => {
    const tab = await openForm();
    await tab.page.click('#send');
    await tab.until('#topic-problem');
    expect(await tab.focused()).toBe('topic-psychological');
    expect(await tab.isVisible('#message-problem')).toBe(true);
    await tab.page.click('#topic-legal');
    await tab.page.click('#send');
    expect(await tab.isVisible('#topic-problem')).toBe(false);
    expect(await tab.focused()).toBe('message');
    await tab.page.type('#message', 'я');
    expect(await tab.isVisible('#message-problem')).toBe(false);
    expect(front.parcels()).toEqual([]);
    await tab.page.close();
  });

  it('counts what still fits, says kindly when it is nearly full, and sends a full one', async () => {
    const tab = await openForm();
    await tab.page.click('#topic-legal');
    await tab.until('#room-plenty');
    const roomy = Number((await tab.text('#room-plenty [data-slot]')).replace(/\D/g, ''));
    expect(roomy).toBeGreaterThan(4_000);
    await tab.paste('#message', 'ж'.repeat(roomy - 200));
    await tab.until('#room-nearly');
    expect(await tab.text('#room-nearly')).toContain('200');
    await tab.paste('#message', 'ж'.repeat(roomy + 100));
    await tab.until('#room-over');
    await tab.page.click('#send');
    await tab.until('#notice-too-long');
    expect(await tab.focused()).toBe('notice-too-long-title');
    expect(front.parcels()).toEqual([]);
    const full = 'ж'.repeat(roomy);
    await tab.paste('#message', full);
    await tab.page.click('#send');
    await tab.until('#accepted');
    expect(await deployment.untilDelivered([full])).toContain(full);
    expect(tab.problems).toEqual([]);
    await tab.page.close();
  });

  it('says so when the browser has no WebAssembly, and does not try', async () => {
    front.reset();
    const tab = await Tab.open(browser, front.url, { before: "Reflect.deleteProperty(globalThis, 'WebAssembly');" });
    await tab.until('#notice-no-webassembly');
    expect(await tab.isVisible('#form')).toBe(false);
    expect(front.seen.map(({ path }) => path)).not.toContain('/seal.js');
    expect(tab.problems).toEqual([]);
    await tab.page.close();
  });
});
