// The offline form: one file, opened from disk, that seals without a network.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stop } from 'esbuild';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKeyring, type NewKeyring } from '../../cli/keys/keyring.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { parseParcel } from '../../crypto/parcel.ts';
import { stampBits } from '../../crypto/stamp.ts';
import { buildWeb, OFFLINE_DIFFICULTY } from '../../web/build/build.ts';
import { readSigned } from '../../web/build/single-file.ts';
import { BROWSERS, clockAhead, openBrowser, Tab, type BrowserName, type TestBrowser } from '../support/browser.ts';
import { cli } from '../support/cli.ts';
import { DIFFICULTY, shareDeployment, type Deployment } from '../support/deployment.ts';
import { http } from '../support/http.ts';
import { enginesFor, sampled, thoroughly } from '../support/thorough.ts';

let dir: string;
let deployment: Deployment;
/** The keyring of the week after the deployment's, without its legal topic; two-weeks/ has the form with both keyrings. */
let next: NewKeyring;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'offline-'));
  deployment = await shareDeployment();
  for (const path of ['form.html', 'en/form.html']) {
    const { status, headers, body } = await http(new URL(path, deployment.url).href);
    expect([status, headers['content-disposition']]).toEqual([200, 'attachment']);
    await mkdir(join(dir, 'en'), { recursive: true });
    await writeFile(join(dir, path), body);
  }
  const { layout, keyring, keyringFile } = deployment;
  const from = new Date(keyring.keyring.notAfter);
  const teams = keyring.keyring.teams.map((team) => ({ ...team, topics: team.topics.filter(({ id }) => id !== 'legal') }));
  const rootKey = await readRootKey(layout.rootSecretKey, () => Promise.reject(new Error('not protected')));
  next = await createKeyring(
    { serial: 2, from, days: 7, worker: keyring.keyring.worker, teams, previous: keyring },
    rootKey,
    join(dir, 'keyrings'),
  );
  // With cheap stamps: their cost is tested with the relay's form.
  await buildWeb({
    rootKeyFile: layout.rootKey,
    outDir: join(dir, 'two-weeks'),
    offlineDifficulty: DIFFICULTY,
    keyrings: await Promise.all([keyringFile, next.file].map(readSigned)),
  });
  await stop();
});
afterAll(async () => {
  await deployment?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** As the English form writes it, without the time. */
const day = (instant: string): string => new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(instant));

const paste = (text: string) =>
  http(new URL('paste', deployment.url).href, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(`parcel=${text}`),
  });

describe.each(BROWSERS)('the offline form in %s', (name: BrowserName) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await openBrowser(name);
  });
  afterAll(() => browser?.close());

  async function openForm(path: string, before?: string): Promise<Tab> {
    return Tab.open(browser, pathToFileURL(join(dir, path)).href, before === undefined ? {} : { before });
  }

  async function sealed(tab: Tab, message: string): Promise<string> {
    await tab.until('#seal');
    await tab.page.type('#message', message);
    await tab.page.click('#seal');
    await tab.until('#sealed', 60_000);
    return tab.value('#text');
  }

  it('seals without any network request, and its text is accepted where parcels are pasted', async () => {
    const tab = await openForm('form.html');
    const message = `Без сети, ${name}: «ёлка» 🕯`;
    const text = await sealed(tab, message);
    expect(await tab.focused()).toBe('sealed-title');
    expect(await tab.value('#message')).toBe('');
    const parcel = parseParcel(decodeParcelText(text));
    expect(parcel.serial).toBe(deployment.keyring.keyring.serial);
    expect(stampBits(parcel)).toBeGreaterThanOrEqual(OFFLINE_DIFFICULTY);
    expect(tab.requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([]);
    expect(tab.problems).toEqual([]);
    expect((await paste(text)).status).toBe(202);
    expect(await deployment.untilDelivered([message])).toContain(message);
    await tab.page.close();
  });

  if (!enginesFor('chromium').includes(name)) return;

  it('gives the text as a file too, which an operator can hand in', async () => {
    const tab = await openForm('two-weeks/en/form.html');
    const message = `Without a network, saved, ${name}`;
    const text = await sealed(tab, message);
    await tab.page.click('#save');
    const file = join(browser.downloads, 'text.txt');
    await expect.poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 20_000 }).toBe(text);
    const { code, text: out } = await cli(['operator', 'ingest', '--to', deployment.url.replace(/\/$/, ''), file]);
    expect([code, out]).toEqual([0, `${file}, parcel 1: accepted, or accepted before\n`]);
    expect(await deployment.untilDelivered([message])).toContain(message);
    expect(tab.problems).toEqual([]);
    await tab.page.close();
  });

  describe('the sealed text, the only copy of the request', () => {
    let tab: Tab;
    const asked = (): string[] => tab.dialogs.map(({ type }) => type);
    beforeEach(async () => {
      tab = await openForm('two-weeks/en/form.html');
      await sealed(tab, 'Not to be lost');
      return async () => tab.page.close({ runBeforeUnload: false });
    });

    it('is not lost by a reload unless the person confirms', async () => {
      await tab.page.reload({ waitUntil: 'load' });
      expect(asked()).toEqual(['beforeunload']);
      expect(await tab.value('#text')).toBe('');
    });

    thoroughly('is not lost without a question when only part of it was copied', async () => {
      await tab.page.evaluate(
        "{ const text = document.getElementById('text'); text.focus(); text.setSelectionRange(0, 100); document.execCommand('copy'); }",
      );
      await tab.page.reload({ waitUntil: 'load' });
      expect(asked()).toEqual(['beforeunload']);
    });

    const TAKEN: readonly [string, () => Promise<void>][] = [
      [
        'copied',
        async () => {
          await tab.page.click('#copy');
          await tab.until('#copied');
        },
      ],
      ['saved', () => tab.page.click('#save')],
      [
        'copied by the keyboard',
        async () => {
          await tab.page.focus('#text');
          for (const key of ['a', 'c'] as const) {
            await tab.page.keyboard.down('Control');
            await tab.page.keyboard.press(key);
            await tab.page.keyboard.up('Control');
          }
        },
      ],
    ];
    it.each(sampled(TAKEN, ([how]) => how === 'copied'))('may be discarded once it was %s', async (_what, take) => {
      await take();
      await tab.page.reload({ waitUntil: 'load' });
      expect(asked()).toEqual([]);
    });

    it('does not hold up quick exit', async () => {
      await tab.page.click('#exit');
      await expect.poll(() => tab.page.url()).toBe('about:blank');
      expect(await tab.text()).toBe('');
      expect(asked()).toEqual([]);
      expect(tab.problems).toEqual([]);
    });
  });

  thoroughly('says how long the sealed text is accepted: as long as the keyring that was used, not the whole form', async () => {
    const tab = await openForm('two-weeks/en/form.html');
    await tab.until('#until');
    expect(await tab.text('#until')).toContain(day(next.keyring.notAfter));
    await sealed(tab, 'This week');
    expect(await tab.text('#sealed')).toContain(`before ${day(deployment.keyring.keyring.notAfter)}`);
    await tab.page.close();
  });

  it('left open into another week, says that a topic is gone, and keeps what was typed', async () => {
    const tab = await openForm('two-weeks/en/form.html', clockAhead(0));
    await tab.until('#seal');
    await tab.page.click('#topic-legal');
    await tab.page.type('#message', 'Next week');
    await tab.page.evaluate('globalThis.daysAhead = 8');
    await tab.page.click('#seal');
    await tab.until('#notice-topic-gone');
    expect(await tab.focused()).toBe('notice-topic-gone-title');
    expect(await tab.isVisible('#kept')).toBe(true);
    expect(await tab.value('#message')).toBe('Next week');
    expect(await tab.page.$('#topic-legal')).toBeNull();
    await tab.page.click('#topic-psychological');
    await tab.page.click('#seal');
    await tab.until('#sealed', 60_000);
    expect(parseParcel(decodeParcelText(await tab.value('#text'))).serial).toBe(next.keyring.serial);
    expect(tab.problems).toEqual([]);
    await tab.page.close();
  });

  thoroughly('says until when it is valid and that the file itself is a trace, and asks for a message', async () => {
    const tab = await openForm('en/form.html');
    await tab.until('#until');
    const year = deployment.keyring.keyring.notAfter.slice(0, 4);
    expect(await tab.text('#until')).toMatch(new RegExp(`valid until .*${year}.* \\(UTC\\)`));
    expect(await tab.text('#intro')).toContain('The file itself is a trace');
    await tab.page.click('#seal');
    expect(await tab.focused()).toBe('message');
    expect(await tab.isVisible('#message-problem')).toBe(true);
    await tab.paste('#message', 'x'.repeat(20_000));
    await tab.page.click('#seal');
    await tab.until('#notice-too-long');
    expect(await tab.value('#message')).toHaveLength(20_000);
    await tab.page.close();
  });

  const WRONG_TIMES: readonly [string, number, string][] = [
    ['has run out', 8, 'expired'],
    ['has not begun', -8, 'early'],
  ];
  it.each(sampled(WRONG_TIMES, ([, , notice]) => notice === 'expired'))(
    'refuses to seal when its keyring %s',
    async (_what, days, notice) => {
      const tab = await openForm('form.html', clockAhead(days));
      await tab.until(`#notice-${notice}`);
      expect(await tab.isVisible('#form')).toBe(false);
      expect(tab.problems).toEqual([]);
      await tab.page.close();
    },
  );

  it('does nothing when its script was changed', async () => {
    const page = await readFile(join(dir, 'form.html'), 'utf8');
    await writeFile(join(dir, 'changed.html'), page.replace('</script>', ' </script>'));
    const tab = await openForm('changed.html');
    await expect.poll(() => tab.problems.join()).toMatch(/Content.Security.Policy/i);
    expect(await tab.isVisible('#form')).toBe(false);
    await tab.page.close();
  });
});
