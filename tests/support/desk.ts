// The desk in a browser, opened from disk, and an organisation with letters for it.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stop } from 'esbuild';
import { expect } from 'vitest';
import { createKeyring, readKeyring, type NewKeyring } from '../../cli/keys/keyring.ts';
import { createRootKey, readRootKey } from '../../cli/keys/root-key.ts';
import { generateIdentity, identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { toHex, utf8 } from '../../crypto/bytes.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { sealLetter, type LetterContent } from '../../crypto/letter.ts';
import { encodeSecretKey, generateKeyPair, parseSigner, type SigningKey } from '../../crypto/minisign.ts';
import { signNote, type NoteText } from '../../crypto/note.ts';
import { openSealed, parseParcel, type ParcelContent } from '../../crypto/parcel.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { sealRequest, type RequestOptions } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { Tab, type TestBrowser } from './browser.ts';
import { cli, TEAM, TOPIC } from './cli.ts';
import { madeOnce } from './prepared.ts';

export const PASSPHRASE = 'тихий вечер у окна';
/** Low, for speed: the real cost is tested elsewhere. */
const LOG_N = 12;

/** A mail with the letter attached, as the worker sends it. */
export function mail(letter: Uint8Array): string {
  const body = (
    Buffer.from(letter)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n');
  return [
    'From: relay@example.org',
    'Subject: letter',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'A letter.',
    '--b',
    'Content-Type: application/octet-stream; name=letter.age',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename=letter.age',
    '',
    body,
    '--b--',
    '',
  ].join('\r\n');
}

export type DeskOffice = {
  path: (...parts: string[]) => string;
  /** Of this week, and of the next. */
  keyring: NewKeyring;
  next: NewKeyring;
  /** Listed in both, with `partner`; `stranger` in none. */
  signer: SigningKey;
  partner: SigningKey;
  stranger: SigningKey;
  worker: string;
  colleague: string;
  /** Signs a keyring of this week, under this serial, with these signers. */
  sign: (serial: number, signers: readonly SigningKey[]) => Promise<NewKeyring>;
  /** A letter as it reaches the team. */
  letter: (message: string, options: RequestOptions, under?: VerifiedKeyring) => Uint8Array;
  toTeam: (content: LetterContent) => Uint8Array;
  note: (note: NoteText, by: SigningKey) => Uint8Array;
  /** Writes a file for the desk. Returns its path. */
  file: (name: string, content: string | Uint8Array) => Promise<string>;
  opened: (parcel: string) => ParcelContent;
  remove: () => Promise<void>;
};

/** Reads the files of an office. `sign` makes keyrings that are valid from an hour ago by default. */
async function readOffice(dir: string) {
  const identity = async (name: string): Promise<string> => parseIdentityFile(await readFile(join(dir, `${name}.txt`), 'utf8'))[0] ?? '';
  const key = async (name: string): Promise<SigningKey> => parseSigner(await readFile(join(dir, `${name}.key`), 'utf8'));
  const [worker, own, colleague] = [await identity('worker'), await identity('own'), await identity('colleague')];
  const [signer, partner, stranger] = [await key('signer'), await key('partner'), await key('stranger')];
  const rootKey = await readRootKey(join(dir, 'root', 'root.key'), () => Promise.reject(new Error('not protected')));
  const recipients = [own, colleague].map(identityToRecipient);
  const sign = (serial: number, signers: readonly SigningKey[], from = new Date(Date.now() - 3_600_000)): Promise<NewKeyring> =>
    createKeyring(
      {
        serial,
        from,
        days: 7,
        worker: identityToRecipient(worker),
        teams: [{ ...TEAM, topics: [TOPIC], recipients, signers: signers.map((each) => toHex(each.key)) }],
      },
      rootKey,
      join(dir, `keyring-${String(serial)}`),
    );
  const keyring = async (serial: number): Promise<NewKeyring> => {
    const file = join(dir, `keyring-${String(serial)}`, `keyring-${String(serial)}.json`);
    return { ...(await readKeyring(file, rootKey)), file, signatureFile: `${file}.minisig` };
  };
  return { worker, colleague, signer, partner, stranger, recipients, sign, keyring };
}

/** The files that every office has. */
async function makeOffice(dir: string): Promise<void> {
  const path = (...parts: string[]): string => join(dir, ...parts);
  for (const name of ['worker', 'own', 'colleague', 'other']) await writeFile(path(`${name}.txt`), `${generateIdentity()}\n`);
  for (const name of ['signer', 'partner'])
    await writeFile(path(`${name}.key`), await encodeSecretKey(generateKeyPair(), undefined, 'signer'));
  await writeFile(path('stranger.key'), await encodeSecretKey(generateKeyPair()));
  await writeFile(
    path('own.age'),
    await encryptWithPassphrase(utf8(`# key\n${await readFile(path('own.txt'), 'utf8')}`), PASSPHRASE, LOG_N),
  );
  const root = await createRootKey({ directory: path('root') });
  const { sign, signer, partner } = await readOffice(dir);
  const { file, keyring } = await sign(1, [signer, partner]);
  await sign(9, [signer, partner], new Date(keyring.notAfter));
  const { code, err } = await cli(['admin', 'build-desk', '--root-key', root.publicKeyFile, '--keyring', file, '--out', path('built')]);
  expect(code, err).toBe(0);
  await stop();
}

/**
 * A team of two, its keyrings, a desk in `built` with this week's, and the volunteer's files: `own.age` with PASSPHRASE,
 * `other.txt`, which opens nothing, `signer.key` and `stranger.key`. All offices of a run start as copies of one.
 */
export async function openDeskOffice(): Promise<DeskOffice> {
  await ready;
  const dir = await mkdtemp(join(tmpdir(), 'desk-'));
  await cp(await madeOnce('desk', makeOffice), dir, { recursive: true });
  const path = (...parts: string[]): string => join(dir, ...parts);
  const { worker, colleague, signer, partner, stranger, recipients, sign, keyring: signed } = await readOffice(dir);
  const [keyring, next] = [await signed(1), await signed(9)];

  const toTeam = (content: LetterContent): Uint8Array => sealLetter(content, recipients);
  let files = 0;
  return {
    path,
    keyring,
    next,
    signer,
    partner,
    stranger,
    worker,
    colleague,
    sign,
    toTeam,
    letter: (message, options, under = keyring) => {
      const content = openSealed(parseParcel(sealRequest({ language: 'ru', topic: TOPIC.id, message }, under, options)).sealed, [worker]);
      if (content.kind !== 'letter') throw new Error('no letter');
      return content.letter;
    },
    note: (note, by) => toTeam({ version: 1, kind: 'note', serial: 1, keyring: keyring.digest, language: 'ru', note: signNote(note, by) }),
    file: async (name, content) => {
      const folder = path('in', String((files += 1)));
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, name), content);
      return join(folder, name);
    },
    opened: (parcel) => openSealed(parseParcel(decodeParcelText(parcel)).sealed, [worker]),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** The desk in a tab, and what a volunteer does with it. */
export class DeskTab extends Tab {
  /** The difficulty that the desk proposes; it is set to 0 afterwards, unless a test needs more. */
  proposedDifficulty = '';

  static async openDesk(browser: TestBrowser, office: DeskOffice, { language = 'en', before = '' } = {}): Promise<DeskTab> {
    const tab = new DeskTab(await browser.newPage());
    await tab.begin(before);
    await tab.page.goto(pathToFileURL(office.path('built', `desk-${language}.html`)).href, { waitUntil: 'load' });
    await tab.until('#desk');
    tab.proposedDifficulty = await tab.value('#difficulty');
    await tab.paste('#difficulty', '0');
    return tab;
  }

  /** Puts files into a field. */
  async give(selector: string, ...paths: string[]): Promise<void> {
    const input = (await this.page.$(selector)) as { uploadFile: (...files: string[]) => Promise<void> } | null;
    await input?.uploadFile(...paths);
  }

  async openIdentity(file: string, passphrase = ''): Promise<void> {
    await this.unfold('identity');
    await this.give('#identity', file);
    await this.paste('#identity-passphrase', passphrase);
    await this.page.evaluate("document.getElementById('identity-status').replaceChildren()");
    await this.page.click('#open-identity');
    await this.until('#identity-status p');
  }

  async openSigner(file: string): Promise<void> {
    await this.unfold('signer');
    await this.give('#signer', file);
    await this.page.click('#open-signer');
    await this.until('#signer-status p');
  }

  /** A key's fields are folded once it is open, and those for single files at first. */
  async unfold(key: 'keys' | 'identity' | 'signer'): Promise<void> {
    const boxes = [...(key === 'keys' ? [] : ['#single-keys']), `#${key}-box`];
    for (const box of boxes) await this.page.evaluate(`document.querySelector('${box}:not([open]) > summary')?.click()`);
  }

  /** Chooses a folder of keys, or its files one by one, and opens it. Returns what the page says. */
  async openFolder(field: '#key-folder' | '#key-files', paths: readonly string[], passphrase: string): Promise<string> {
    await this.unfold('keys');
    await this.give(field, ...paths);
    await this.paste('#keys-passphrase', passphrase);
    await this.page.evaluate("document.getElementById('keys-status').replaceChildren()");
    await this.page.click('#open-keys');
    await this.until('#keys-status p');
    return this.text('#keys-status');
  }

  /** Performs an action that gives letters, and waits until they are read. */
  async whenRead(give: () => Promise<void>): Promise<void> {
    await this.page.evaluate("document.getElementById('letters-status').replaceChildren()");
    await give();
    await this.until('#letters-status p');
  }

  read(...paths: string[]): Promise<void> {
    return this.whenRead(() => this.give('#files', ...paths));
  }

  /** Drops files and folders on the page, as the system does. Chromium only: no other browser can be automated to. */
  async drop(paths: readonly string[], { beforeDrop = async () => {} }: { beforeDrop?: () => Promise<void> } = {}): Promise<void> {
    const session = await this.page.createCDPSession();
    const data = { items: [], files: [...paths], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      if (type === 'drop') await beforeDrop();
      await session.send('Input.dispatchDragEvent', { type, x: 100, y: 100, data });
    }
    await session.detach();
  }

  async write(text: string): Promise<void> {
    await this.page.click('article button[data-part="answer"]');
    await this.until('#compose');
    await this.paste('#text', text);
  }

  async sealed(): Promise<string[]> {
    await this.page.evaluate("document.querySelector('article').dataset.before = ''");
    await this.page.click('#seal');
    await this.until('#outgoing');
    // The conversations are redrawn with what was sealed; an earlier click can miss.
    await this.until('article:not([data-before])');
    return (await this.page.evaluate("[...document.querySelectorAll('#parcels textarea')].map(({ value }) => value)")) as string[];
  }

  /** Presses the button, and waits for the page to start afresh. */
  async forget(): Promise<void> {
    await this.page.evaluate("document.body.dataset.before = ''");
    await this.page.click('#forget');
    await expect
      .poll(() =>
        this.page.evaluate("document.body?.dataset.before === undefined && !document.getElementById('desk').hidden").catch(() => false),
      )
      .toBe(true);
  }
}
