// The main job in real browsers: typed, sealed, accepted, mixed, delivered, opened.
import { describe, expect, it } from 'vitest';
import { PARCEL_BYTES } from '../../crypto/parcel.ts';
import { BROWSERS, type Tab } from '../support/browser.ts';
import { READY } from '../support/form-page.ts';
import { usePages, useSite } from '../support/page-bench.ts';

const site = useSite();

describe.each(BROWSERS)('the form in %s', (name) => {
  const bench = usePages(name, site);
  const openForm = (path = ''): Promise<Tab> => bench.open(path, { until: READY });

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
    await tab.page.click('#code-skip-ask');
    await tab.page.click('#code-skip-done');
    await tab.until('#accepted-with-contact');
    expect(await tab.isVisible('#accepted-without-answer')).toBe(false);
    expect((await tab.value('#message')) + (await tab.value('#contact'))).toBe('');

    await bench.deployment.untilDelivered([message]);
    const letter = (await bench.deployment.letters()).find((each) => each.message === message);
    expect(letter).toMatchObject({
      kind: 'request',
      topic: 'legal',
      language: 'ru',
      message,
      contact,
      serial: 1,
      keyring: bench.deployment.keyring.digest,
    });

    expect(
      bench.front
        .parcels()
        .filter(bench.isRequest)
        .map(({ length }) => length),
    ).toEqual([PARCEL_BYTES]);
    const sent = Buffer.concat(bench.front.seen.map(({ body }) => Buffer.from(body)));
    for (const text of [message.slice(0, 12), contact]) expect(sent.includes(text)).toBe(false);
    // Firefox asks for a font of its own as data:, which goes nowhere.
    expect(tab.requests.filter((url) => !url.startsWith(bench.front.url) && !url.startsWith('data:'))).toEqual([]);
  });

  it('leaves nothing in the browser: no cookies, no storage', async () => {
    const tab = await openForm();
    const kept = await tab.page.evaluate('JSON.stringify([document.cookie, localStorage.length, sessionStorage.length])');
    expect(kept).toBe('["",0,0]');
  });

  it('sends decoys, just like requests, while a person only reads', async () => {
    const tab = await openForm();
    await expect.poll(() => bench.front.parcels().length).toBeGreaterThan(0);
    await tab.page.click('#topic-legal');
    await tab.paste('#message', `После пустых. ${name}`);
    await tab.page.click('#send');
    await tab.until('#accepted');
    const parcels = bench.front.seen.filter(({ path }) => path === '/parcel');
    const requests = parcels.map(({ body }) => bench.isRequest(body));
    expect(requests[0]).toBe(false);
    expect(requests.filter(Boolean)).toEqual([true]);
    expect(requests.at(-1)).toBe(true);
    expect(new Set(parcels.map(({ body }) => body.length))).toEqual(new Set([PARCEL_BYTES]));
    expect(new Set(parcels.map(({ headers }) => headers)).size).toBe(1);
  });

  it('sends nothing after the page is left', async () => {
    const tab = await openForm();
    await tab.until(READY);
    await tab.page.click('#exit');
    await expect.poll(() => tab.page.url()).toBe('about:blank');
    // What was in flight when the page was left may still arrive.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const sent = bench.front.parcels().length;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(bench.front.parcels().length).toBe(sent);
  });

  if (name !== 'firefox') return;

  it('takes a request in English that wants no answer and has no contact, and says that nobody can answer it', async () => {
    const message = `Hello from ${name}.\nA second line, "quotes" and a \\ backslash.`;
    const tab = await openForm('en/');
    await tab.page.click('#topic-psychological');
    await tab.paste('#message', message);
    await tab.page.click('#answer');
    await tab.page.click('#send');
    await tab.until('#accepted-without-answer');
    await bench.deployment.untilDelivered([message]);
    const letter = (await bench.deployment.letters()).find((each) => each.message === message);
    expect(letter).toMatchObject({ topic: 'psychological', language: 'en' });
    expect(letter).not.toHaveProperty('contact');
  });

  it('requires nothing but the message, and moves the focus there', async () => {
    const message = `Только текст. ${name}`;
    const tab = await openForm();
    // Hidden text that aria-describedby names is read out too.
    const described = async (): Promise<unknown> =>
      tab.page.evaluate("document.querySelector('#message').getAttribute('aria-describedby').split(' ')");
    expect(await described()).toEqual(['message-hint', 'message-draft']);
    await tab.page.click('#send');
    await tab.until('#message-problem');
    expect(await described()).toContain('message-problem');
    expect(await tab.focused()).toBe('message');
    await tab.page.type('#message', message);
    expect(await tab.isVisible('#message-problem')).toBe(false);
    expect(await described()).not.toContain('message-problem');
    expect(await tab.page.$('#topics input:checked')).toBeNull();
    await tab.page.click('#send');
    await tab.until('#accepted');
    await bench.deployment.untilDelivered([message]);
    const letter = (await bench.deployment.letters()).find((each) => each.message === message);
    expect(letter).toMatchObject({ kind: 'request', language: 'ru', message });
    expect(letter).not.toHaveProperty('topic');
  });

  it('counts what still fits, says kindly when the request is nearly full, and sends a full one', async () => {
    const tab = await openForm();
    await tab.until('#room-plenty');
    const roomy = Number((await tab.text('#room-plenty [data-slot]')).replace(/\D/g, ''));
    expect(roomy).toBeGreaterThan(3_700);
    await tab.paste('#message', 'ж'.repeat(roomy - 200));
    await tab.until('#room-nearly');
    expect(await tab.text('#room-nearly')).toContain('200');
    await tab.paste('#message', 'ж'.repeat(roomy + 100));
    await tab.until('#room-over');
    await tab.page.click('#send');
    await tab.until('#notice-too-long');
    expect(await tab.focused()).toBe('notice-too-long-title');
    expect(bench.front.parcels().filter(bench.isRequest)).toEqual([]);
    const full = 'ж'.repeat(roomy);
    await tab.paste('#message', full);
    await tab.page.click('#send');
    await tab.until('#accepted');
    expect(await bench.deployment.untilDelivered([full])).toContain(full);
  });
});
