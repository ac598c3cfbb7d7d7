// What the desk promises: no connections, no traces, and that other people's text stays text.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { visible } from '../../volunteer/visible.ts';
import { filesIn, search, textNeedle } from '../leak/search.ts';
import { BROWSERS, openBrowser, Tab, type TestBrowser } from '../support/browser.ts';
import { DeskTab, openDeskOffice, PASSPHRASE, type DeskOffice } from '../support/desk.ts';
import { newThread } from '../support/letters.ts';

/** Longer than either browser waits before it saves its session. */
const WRITES_MS = 3_000;
/** A Firefox that saves as much as it can, as early as it can. */
const REMEMBERING = {
  'browser.privatebrowsing.autostart': false,
  'browser.cache.disk.enable': true,
  'browser.sessionstore.privacy_level': 0,
  'browser.sessionstore.interval': 1_000,
  'browser.sessionstore.interval.idle': 1_000,
};

/** All that a document holds, typed or shown. */
const ALL_TEXT = "document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map(({ value }) => value).join()";

/** Every way in which injected content could reach a server; each attempt settles, whatever comes of it. */
const attempts = (base: string): string => `Promise.all([
  fetch('${base}fetch', { mode: 'no-cors' }).catch(() => {}),
  new Promise((end) => {
    const asked = new XMLHttpRequest();
    asked.onloadend = end;
    asked.open('GET', '${base}xhr');
    try { asked.send(); } catch { end(); }
  }),
  ...['img', 'script', 'link', 'iframe', 'video', 'embed'].map((name) => new Promise((end) => {
    const made = Object.assign(document.createElement(name), { rel: 'stylesheet', onload: end, onerror: end });
    made[name === 'link' ? 'href' : 'src'] = '${base}' + name;
    document.body.append(made);
    // Some browsers fire no event for a frame that is refused.
    setTimeout(end, 2_000);
  })),
  navigator.sendBeacon?.('${base}beacon', 'x'),
  new Promise((end) => {
    try {
      const asked = new EventSource('${base}events');
      asked.onerror = () => { asked.close(); end(); };
    } catch { end(); }
  }),
  new Promise((end) => {
    try {
      const asked = new WebSocket('${base.replace('http', 'ws')}socket');
      asked.onerror = asked.onclose = end;
    } catch { end(); }
  }),
  new Promise((end) => {
    const form = Object.assign(document.createElement('form'), { action: '${base}form', method: 'post', target: 'nowhere' });
    document.body.append(form);
    try { form.submit(); } catch {}
    setTimeout(end, 500);
  }),
]).then(() => null)`;

let office: DeskOffice;
let server: Server;
let asked: string[];
beforeAll(async () => {
  office = await openDeskOffice();
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await office.remove();
});
const addressOf = (name: string): string => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/${name}/`;

describe.each(BROWSERS)('the desk in %s', (name) => {
  it('is denied every connection, even when injected content tries', async () => {
    const browser = await openBrowser(name);
    try {
      const tab = await DeskTab.openDesk(browser, office);
      await tab.page.evaluate(attempts(addressOf(`${name}-desk`)));
      expect(tab.problems.some((problem) => problem.includes('CSP violation connect-src'))).toBe(true);
      // Control: without its policy the same page reaches the server in all these ways.
      const page = await readFile(office.path('built', 'desk-en.html'), 'utf8');
      const open = await office.file('open.html', page.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ''));
      const control = await Tab.open(browser, pathToFileURL(open).href);
      await control.page.evaluate(attempts(addressOf(`${name}-control`)));
      await expect
        .poll(() =>
          asked
            .filter((path) => path.startsWith(`/${name}-control/`))
            .map((path) => path.split('/')[2])
            .sort(),
        )
        .toEqual(expect.arrayContaining(['fetch', 'form', 'iframe', 'img', 'link', 'script', 'xhr', 'events', 'socket']));
      expect(asked.filter((path) => path.startsWith(`/${name}-desk/`))).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  describe('with letters in it', () => {
    let browser: TestBrowser;
    let profile: string;
    beforeAll(async () => {
      profile = await mkdtemp(office.path('profile-'));
      browser = await openBrowser(name, { profile, firefoxPrefs: REMEMBERING });
    });
    afterAll(() => browser?.close());

    async function opened(): Promise<DeskTab> {
      const tab = await DeskTab.openDesk(browser, office);
      await tab.openIdentity(office.path('own.age'), PASSPHRASE);
      await tab.openSigner(office.path('signer.key'));
      return tab;
    }

    it('shows tags, links, directions, terminal escapes and every plane of Unicode as the text they are', async () => {
      const tab = await opened();
      const planes = Array.from({ length: 17 }, (_, plane) =>
        [0, 0x1234, 0xfffd, 0xfffe, 0xffff].map((at) => String.fromCodePoint(plane * 0x1_0000 + at)).join(''),
      ).join('');
      const tags = `<b>мне</b><img src=x onerror="document.title='owned'">`;
      const message = `Помогите\n${tags} https://example.org javascript:1 \u202eтекст \u001b[2J\u200b{{desk.title}} ${planes}`;
      const thread = newThread();
      const alias = '<i>Клён\u202e</i>';
      await tab.read(
        await office.file('<b>name\u202e.age', office.letter(message, { thread })),
        await office.file(
          'note.age',
          office.note({ action: 'handover', thread: thread.address.key, alias, to: alias, text: message }, office.signer),
        ),
        await office.file('<u>ordinary\u202e.txt', 'Hello'),
      );
      expect(await tab.text('#refusals')).toBe(
        visible('<u>ordinary\u202e.txt: this was read to its end, and there is no letter in it. It is ordinary mail. (LETTER_MISSING)'),
      );
      const shown = (await tab.page.evaluate(
        "[...document.querySelectorAll('article .text')].map(({ textContent }) => textContent)",
      )) as string[];
      expect(shown).toEqual([visible(message), visible(message)]);
      expect(await tab.text('article')).toContain(`Handed to ${visible(alias)}`);
      expect(await tab.page.$('main :is(a, b, i, u, img)')).toBeNull();
      expect(await tab.page.title()).toBe('Desk');
      expect(tab.problems).toEqual([]);
      await tab.page.close({ runBeforeUnload: false });
    });

    it(
      'keeps nothing: neither in the page after leaving it, nor in the browser’s storage, nor in its profile folder',
      { timeout: 180_000 },
      async () => {
        // A string that occurs nowhere else.
        const words = Array.from({ length: 3 }, () => Array.from({ length: 14 }, () => 'абвгдежзиклмноп'[randomInt(15)]).join(''));
        const [message = '', answer = '', alias = ''] = words;
        const tab = await opened();
        await tab.paste('#alias', alias);
        await tab.read(await office.file('first.age', office.letter(message, { thread: newThread() })));
        await tab.write(answer);
        const parcels = await tab.sealed();
        await tab.write(answer);
        const before = (await tab.page.evaluate(ALL_TEXT)) as string;
        expect(words.filter((text) => before.includes(text))).toEqual(words);
        await sleep(WRITES_MS);
        expect(await tab.page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([0, 0, '']);
        expect(await tab.page.evaluate('indexedDB.databases().then(({ length }) => length)')).toBe(0);
        expect(tab.requests.filter((url) => !/^(file|data|blob):/.test(url))).toEqual([]);

        // What the document still holds when it ends, stored where the next one finds it.
        const held = [...words, ...parcels.map((text) => text.slice(200, 300))];
        await tab.page.evaluate(`addEventListener('pagehide', () => {
        const all = ${ALL_TEXT};
        sessionStorage.setItem('held', ${JSON.stringify(held)}.filter((text) => all.includes(text)).length);
      })`);
        await tab.forget();
        expect(tab.dialogs.map(({ type }) => type)).toEqual(['confirm']);
        expect(await tab.page.evaluate("sessionStorage.getItem('held')")).toBe('0');
        const now = (await tab.page.evaluate(ALL_TEXT)) as string;
        expect(held.filter((text) => now.includes(text))).toEqual([]);

        await sleep(WRITES_MS);
        await browser.close();
        expect(
          search(
            filesIn(profile),
            [...words, PASSPHRASE].map((text) => textNeedle(text, text)),
          ),
        ).toEqual([]);
      },
    );
  });
});
