// The desk: one file, opened from disk without a network, in which a volunteer reads letters and answers.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { stop } from 'esbuild';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createIdentityFile } from '../../cli/actions/identity.ts';
import { createKeyring, type NewKeyring } from '../../cli/actions/keyring.ts';
import { createRootKey, readRootKey } from '../../cli/actions/root-key.ts';
import { createSignerFile } from '../../cli/actions/signer.ts';
import { armor } from '../../crypto/age/armor.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { randomBytes, toHex, utf8 } from '../../crypto/bytes.ts';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { signersOf } from '../../crypto/keyring.ts';
import { openLetter, sealLetter, type LetterContent } from '../../crypto/letter.ts';
import { encodeSecretKey, parseSecretKey } from '../../crypto/minisign.ts';
import { checkNote, signNote } from '../../crypto/note.ts';
import { openSealed, parseParcel, type ParcelContent } from '../../crypto/parcel.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { checkDelivery, openReply } from '../../crypto/reply.ts';
import { sealRequest, type RequestOptions } from '../../crypto/seal.ts';
import { signingKeyPair, type SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampBits } from '../../crypto/stamp.ts';
import { mailboxOf, threadOf, type Thread } from '../../crypto/thread.ts';
import { visible } from '../../letters/visible.ts';
import { BROWSERS, openBrowser, Tab, type BrowserName } from '../support/browser.ts';
import { cli, TEAM, TOPIC } from '../support/cli.ts';

/** Port 9 of this machine discards: whatever a browser might ask for, and by whatever name, goes nowhere. */
const NO_NETWORK = {
  'network.proxy.type': 1, 'network.proxy.http': '127.0.0.1', 'network.proxy.http_port': 9, 'network.proxy.ssl': '127.0.0.1', 'network.proxy.ssl_port': 9,
  'network.proxy.no_proxies_on': '',
};
const PASSPHRASE = 'тихий вечер у окна';
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Low, so that a slow machine opens it soon: the work itself is tested elsewhere. */
const LOG_N = 12;

let dir: string;
let worker: string;
let own: string;
let colleague: string;
let keyring: NewKeyring;
let next: NewKeyring;
let signer: SigningKeyPair;
let signerFile: string;
const path = (...parts: string[]): string => join(dir, ...parts);

beforeAll(async () => {
  await ready;
  dir = await mkdtemp(join(tmpdir(), 'desk-'));
  [worker, own, colleague] = [generateIdentity(), generateIdentity(), generateIdentity()];
  const root = await createRootKey({ directory: path('root') });
  const rootKey = await readRootKey(root.keyFile, () => Promise.reject(new Error('not protected')));
  signerFile = path('signer.key');
  const { signer: listed } = await createSignerFile({ file: signerFile });
  signer = await parseSecretKey(await readFile(signerFile, 'utf8'));
  await createSignerFile({ file: path('stranger.key') });
  await writeFile(path('protected.key'), await encodeSecretKey({ ...signer, id: randomBytes(8) }, PASSPHRASE));
  const teams = [{ ...TEAM, topics: [TOPIC], recipients: [own, colleague].map(identityToRecipient), signers: [listed] }];
  const plan = { days: 7, worker: identityToRecipient(worker), teams };
  keyring = await createKeyring({ ...plan, serial: 1, from: new Date(Date.now() - 3_600_000) }, rootKey, path('keyrings'));
  next = await createKeyring({ ...plan, serial: 2, from: new Date(keyring.keyring.notAfter), previous: keyring }, rootKey, path('next'));
  await writeFile(path('own.age'), await encryptWithPassphrase(utf8(`# key\n${own}\n`), PASSPHRASE, LOG_N));
  await createIdentityFile({ file: path('other.txt') });
  const { code, err } = await cli(['admin', 'build-desk', '--root-key', root.publicKeyFile, '--keyring', keyring.file, '--out', path('built')]);
  expect(code, err).toBe(0);
  await stop();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const newThread = (): Thread => threadOf(codeRoot('ru', makeCode()));

/** A letter as it arrives with the team. */
function letterOf(message: string, options: RequestOptions, under = keyring): Uint8Array {
  const content = openSealed(parseParcel(sealRequest({ language: 'ru', topic: TOPIC.id, message }, under, options)).sealed, [worker]);
  if (content.kind !== 'letter') throw new Error('no letter');
  return content.letter;
}

const toTeam = (content: LetterContent): Uint8Array => sealLetter(content, [own, colleague].map(identityToRecipient));

function noteOf(note: Parameters<typeof signNote>[0], by: SigningKeyPair): Uint8Array {
  return toTeam({ version: 1, kind: 'note', serial: 1, keyring: keyring.digest, language: 'ru', note: signNote(note, by) });
}

function mail(letter: Uint8Array): string {
  const body = (Buffer.from(letter).toString('base64').match(/.{1,76}/g) ?? []).join('\r\n');
  return [
    'From: relay@example.org', 'Subject: letter', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '',
    '--b', 'Content-Type: text/plain', '', 'A letter.', '--b', 'Content-Type: application/octet-stream; name=letter.age', 'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename=letter.age', '', body, '--b--', '',
  ].join('\r\n');
}

let files = 0;
async function filed(name: string, content: string | Uint8Array): Promise<string> {
  files += 1;
  await mkdir(path('in', String(files)), { recursive: true });
  await writeFile(path('in', String(files), name), content);
  return path('in', String(files), name);
}

describe.each(BROWSERS)('the desk in %s', (name: BrowserName) => {
  let browser: Browser;
  let downloads: string;
  let tab: Tab;
  let dialogs: string[];
  beforeAll(async () => {
    downloads = await mkdtemp(path('downloads-'));
    const downloadPrefs = { 'browser.download.folderList': 2, 'browser.download.dir': downloads, 'browser.download.useDownloadDir': true };
    browser = await openBrowser(name, name === 'firefox' ? { firefoxPrefs: { ...NO_NETWORK, ...downloadPrefs } } : { args: ['--proxy-server=127.0.0.1:9', '--proxy-bypass-list=<-loopback>'] });
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    await openDesk();
    return () => tab.page.close({ runBeforeUnload: false });
  });

  async function openDesk(language = 'en', before?: string): Promise<void> {
    tab = await Tab.open(browser, pathToFileURL(path('built', `desk-${language}.html`)).href, before === undefined ? {} : { before });
    dialogs = [];
    tab.page.on('dialog', (dialog) => {
      dialogs.push(dialog.type());
      void dialog.accept();
    });
    await tab.until('#desk');
  }

  async function give(selector: string, ...paths: string[]): Promise<void> {
    const input = (await tab.page.$(selector)) as { uploadFile: (...files: string[]) => Promise<void> } | null;
    await input?.uploadFile(...paths);
  }

  async function openIdentity(file = path('own.age'), passphrase = PASSPHRASE): Promise<void> {
    await give('#identity', file);
    await tab.paste('#identity-passphrase', passphrase);
    await tab.page.click('#open-identity');
    await tab.until('#identity-status p');
  }

  async function openSigner(file = signerFile): Promise<void> {
    await give('#signer', file);
    await tab.page.click('#open-signer');
    await tab.until('#signer-status p');
  }

  /** Gives letters and waits until they are read. */
  async function read(...paths: string[]): Promise<void> {
    await tab.page.evaluate("document.getElementById('letters-status').replaceChildren()");
    await give('#files', ...paths);
    await tab.until('#letters-status p');
  }

  async function write(text: string): Promise<void> {
    await tab.page.click('article button[data-part="answer"]');
    await tab.until('#compose');
    await tab.paste('#text', text);
  }

  async function sealed(): Promise<string[]> {
    await tab.page.click('#seal');
    await tab.until('#outgoing', 60_000);
    return (await tab.page.evaluate("[...document.querySelectorAll('#parcels textarea')].map(({ value }) => value)")) as string[];
  }

  const opened = (text: string): ParcelContent => openSealed(parseParcel(decodeParcelText(text)).sealed, [worker]);

  it('reads a conversation from letters, mails and armor, and says who has answered', async () => {
    await openIdentity(path('own.age'), 'wrong');
    expect(await tab.text('#identity-status')).toContain('The passphrase does not open it');
    await openIdentity();
    expect(await tab.text('#identity-status')).toContain('Keys open: 1');
    expect(await tab.value('#identity-passphrase')).toBe('');
    const thread = newThread();
    const note = { action: 'answer' as const, thread: thread.address.key, alias: 'Клён', text: 'Мы рядом' };
    await read(
      await filed('further.eml', mail(letterOf('Спасибо, и ещё', { thread, followUp: { team: TEAM.id } }))),
      await filed('first.age', letterOf('Помогите\n<b>мне</b> https://example.org \u202eтекст', { thread })),
      await filed('note.txt', armor(noteOf(note, signer))),
      await filed('cover.age', toTeam({ version: 1, kind: 'cover', serial: 1, keyring: keyring.digest, language: 'ru' })),
      await filed('alone.age', letterOf('Без ответа', {})),
    );
    expect(await tab.isVisible('#refused')).toBe(false);
    expect(await tab.text('#summary')).toBe('In all: 2, unanswered: 1.');
    const first = await tab.text('article');
    expect(first).toContain(`Answered by Клён (${toHex(signer.key).slice(0, 8)})`);
    for (const words of [visible('Помогите\n<b>мне</b> https://example.org \u202eтекст'), 'Topic: Psychological help.', 'Спасибо, и ещё', 'Мы рядом']) expect(first).toContain(words);
    expect(first.indexOf('Помогите')).toBeLessThan(first.indexOf('Спасибо'));
    expect(await tab.page.$('main a, article b')).toBeNull();
    expect(await tab.text('article:last-of-type')).toContain('No answer through the server was asked for');
    expect(await tab.isVisible('article:last-of-type button')).toBe(false);
    expect(tab.problems).toEqual([]);
  });

  it('writes an answer: a reply that only the person opens, a note for the team, and no trace', async () => {
    await openIdentity();
    await openSigner();
    expect(await tab.text('#signer-status')).toBe('The signer is open.');
    const thread = newThread();
    await read(await filed('first.age', letterOf('Помогите', { thread })));
    await write('Мы вас услышали.');
    await tab.page.click('#seal');
    await tab.until('#compose-status .problem');
    expect(await tab.focused()).toBe('alias');
    await tab.paste('#alias', 'Ива');
    const texts = await sealed();
    expect(await tab.focused()).toBe('outgoing-title');
    expect(await tab.text('article')).toContain('Answered by Ива');
    expect(await tab.value('#text')).toBe('');

    expect(texts).toHaveLength(2);
    for (const text of texts) expect(stampBits(parseParcel(decodeParcelText(text)))).toBeGreaterThanOrEqual(14);
    const contents = texts.map(opened);
    const reply = contents.find((content) => content.kind === 'reply');
    const letter = contents.find((content) => content.kind === 'letter');
    if (reply?.kind !== 'reply' || letter?.kind !== 'letter') throw new Error('expected a reply and a letter');
    checkDelivery(reply.delivery, signersOf(keyring.keyring));
    expect(reply.delivery.mailbox).toEqual(mailboxOf(thread.address));
    expect(openReply(reply.delivery.reply, thread.identity, thread.signing.key, signersOf(keyring.keyring))).toMatchObject({ text: 'Мы вас услышали.', team: TEAM.id });
    expect(letter.team).toBe(TEAM.id);
    const note = openLetter(letter.letter, [colleague]);
    if (note.kind !== 'note') throw new Error('expected a note');
    checkNote(note.note, signersOf(keyring.keyring));
    expect(note.note).toMatchObject({ action: 'answer', thread: thread.address.key, alias: 'Ива', text: 'Мы вас услышали.' });

    if (name === 'chromium') {
      const session = await tab.page.createCDPSession();
      await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads });
    }
    for (const [index, button] of (await tab.page.$$('#parcels button')).entries()) {
      await button.click();
      await expect.poll(() => readFile(join(downloads, `text-${String(index + 1)}.txt`), 'utf8').catch(() => ''), { timeout: 20_000 }).toBe(texts[index]);
    }

    expect(await tab.page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([0, 0, '']);
    expect(await tab.page.evaluate('indexedDB.databases().then(({ length }) => length)')).toBe(0);
    expect(tab.requests.filter((url) => !/^(file|data|blob):/.test(url))).toEqual([]);
    expect(tab.problems).toEqual([]);
    // Everything is saved: nothing is asked, and nothing is left.
    await tab.page.click('#forget');
    await expect.poll(() => tab.text('#summary').catch(() => '')).toBe('In all: 0, unanswered: 0.');
    expect(dialogs).toEqual([]);
    expect(await tab.isVisible('#outgoing')).toBe(false);
  });

  it('takes a conversation, or hands it over, with one parcel for the team', async () => {
    await openIdentity();
    await openSigner();
    await tab.paste('#alias', 'Ива');
    const thread = newThread();
    await read(await filed('first.age', letterOf('Помогите', { thread })));
    await write('');
    await tab.page.click('#action-handover');
    await tab.page.click('#seal');
    await tab.until('#compose-status .problem');
    expect(await tab.focused()).toBe('to');
    await tab.paste('#to', 'Клён');
    await tab.paste('#difficulty', '3');
    const [text = '', ...more] = await sealed();
    expect(more).toEqual([]);
    const content = opened(text);
    if (content.kind !== 'letter') throw new Error('expected a letter');
    expect(openLetter(content.letter, [colleague])).toMatchObject({ kind: 'note', note: { action: 'handover', alias: 'Ива', to: 'Клён', text: '' } });
    expect(await tab.text('article')).toMatch(/Handed over by Ива \([0-9a-f]{8}\) to Клён/);
    // Nobody has saved it.
    await tab.page.click('#forget');
    await expect.poll(() => tab.text('#summary').catch(() => '')).toBe('In all: 0, unanswered: 0.');
    expect(dialogs).toEqual(['confirm']);
  });

  it('refuses loudly what is not what it says, and shows none of it', async () => {
    await openIdentity();
    const [thread, other] = [newThread(), newThread()];
    const foreign = { keyring: keyring.keyring, digest: 'ab'.repeat(32) };
    const forged = openLetter(letterOf('Подделка', { thread, followUp: {} }), [own]);
    if (forged.kind !== 'follow-up') throw new Error('expected a follow-up');
    const stranger = await parseSecretKey(await readFile(path('stranger.key'), 'utf8'));
    const elsewhere = sealLetter(openLetter(letterOf('Чужое', { thread }), [own]), [identityToRecipient(generateIdentity())]);
    await read(
      await filed('foreign.age', letterOf('Чужой набор', { thread }, { ...keyring, ...foreign })),
      await filed('forged.age', toTeam({ ...forged, thread: { ...forged.thread, lock: other.address.lock } })),
      await filed('note.age', noteOf({ action: 'answer', thread: thread.address.key, alias: 'Ива', text: 'Заметка' }, signingKeyPair(stranger.secret.subarray(0, 32)))),
      await filed('elsewhere.age', elsewhere),
      await filed('damaged.age', letterOf('Порча', { thread }).subarray(0, 20_000)),
      await filed('ordinary.eml', 'Subject: hello\r\n\r\nHello.\r\n'),
      next.file,
    );
    await tab.until('#refused');
    const said = await tab.text('#refusals');
    for (const line of ['foreign.age: the letter was sealed under a keyring', 'forged.age: the letter claims', 'note.age: this is a note', 'elsewhere.age: none of your keys', 'damaged.age: the letter is damaged', 'ordinary.eml: there is no letter', 'keyring-2.json: the keyring is not signed']) {
      expect(said).toContain(line);
    }
    for (const code of ['KEYRING_FOREIGN', 'LETTER_THREAD', 'SIGNER_UNKNOWN', 'AGE_NO_MATCH', 'LETTER_STRUCTURE', 'LETTER_MISSING']) expect(said).toContain(`(${code})`);
    expect(await tab.text('#summary')).toBe('In all: 0, unanswered: 0.');
    expect(tab.problems).toEqual([]);
  });

  it('opens what waited as soon as its key and keyring come', async () => {
    const letter = await filed('first.age', letterOf('На той неделе', { thread: newThread() }, next));
    await read(letter);
    expect(await tab.text('#letters-status')).toBe('Letters that wait for your key: 1.');
    await openIdentity(path('other.txt'), '');
    expect(await tab.text('#refusals')).toContain('AGE_NO_MATCH');
    await openIdentity();
    expect(await tab.text('#refusals')).toContain('KEYRING_FOREIGN');
    await read(next.file, `${next.file}.minisig`);
    expect(await tab.text('#letters-status')).toContain('Keyring no. 2 has been verified and added.');
    expect(await tab.isVisible('#refused')).toBe(false);
    expect(await tab.text('article')).toContain('На той неделе');
  });

  it('says so when its keyring has run out, or does not list the signer, and keeps what was written', async () => {
    await tab.page.close();
    await openDesk('en', 'globalThis.Date = class extends Date { constructor(...parts) { if (parts.length === 0) super(Date.now() + 8 * 86_400_000); else super(...parts); } };');
    expect(await tab.text('#notice-expired')).toContain('The keyring has expired');
    await openIdentity();
    await openSigner(path('stranger.key'));
    expect(await tab.text('#signer-status')).toContain('keyring no. 1 does not list it');
    await tab.paste('#alias', 'Ива');
    await read(await filed('first.age', letterOf('Помогите', { thread: newThread() })));
    await write('Ответ');
    await tab.page.click('#seal');
    await tab.until('#compose-status .problem');
    expect(await tab.text('#compose-status')).toContain('The keyring is not valid now');
    expect(await tab.value('#text')).toBe('Ответ');
  });

  it('opens a protected signer, and the page stays alive meanwhile', async () => {
    await give('#signer', path('protected.key'));
    await tab.page.click('#open-signer');
    await expect.poll(() => tab.text('#signer-status')).toContain('enter its passphrase');
    await tab.paste('#signer-passphrase', PASSPHRASE);
    // What the page itself saw meanwhile: how often it was painted while the bar showed.
    await tab.page.evaluate(`{
      globalThis.painted = 0;
      const look = () => { if (!document.getElementById('work').hidden) globalThis.painted += 1; requestAnimationFrame(look); };
      look();
    }`);
    await tab.page.focus('#signer-passphrase');
    await tab.page.keyboard.press('Enter');
    await expect.poll(() => tab.text('#signer-status'), { timeout: 100_000 }).toBe('The signer is open.');
    expect(await tab.page.evaluate('globalThis.painted')).toBeGreaterThan(3);
    expect(await tab.value('#signer-passphrase')).toBe('');
    expect(tab.problems).toEqual([]);
  });

  it('asks before text or unsaved parcels are lost, and never mixes two conversations', async () => {
    await openIdentity();
    await read(await filed('one.age', letterOf('Первое', { thread: newThread() })), await filed('two.age', letterOf('Второе', { thread: newThread() })));
    await write('Ответ на первое');
    await tab.page.click('article:last-of-type button[data-part="answer"]');
    expect(await tab.text('#compose-status')).toContain('unfinished text for this conversation');
    expect(await tab.text('article:first-of-type')).toContain('unfinished text');
    await tab.page.reload({ waitUntil: 'load' });
    expect(dialogs).toEqual(['beforeunload']);
    await tab.until('#desk');
    expect(await tab.value('#text')).toBe('');
    expect(await tab.text('#summary')).toBe('In all: 0, unanswered: 0.');
  });

  it.each(['ru', 'en'])('is usable with assistive technology: %s', async (language) => {
    await tab.page.close();
    await openDesk(language);
    await openIdentity();
    await openSigner();
    await read(await filed('one.age', letterOf('Первое', { thread: newThread() })), await filed('none.eml', 'Hello'));
    await write('Ответ');
    await tab.paste('#alias', 'Ива');
    await tab.paste('#difficulty', '1');
    await sealed();
    await write('Ещё');
    await tab.page.evaluate(axe.source);
    const found = await tab.page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(TAGS)}, resultTypes: ['violations'] })
      .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`);
    expect(found).toEqual([]);
    expect(tab.problems).toEqual([]);
  });
});
