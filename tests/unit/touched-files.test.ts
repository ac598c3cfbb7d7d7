// Files that an editor or another system has changed: byte order mark, blanks, line ends, Unicode composition.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKeyring } from '../../cli/keys/keyring.ts';
import { readRootPublicKey } from '../../cli/keys/root-key.ts';
import { readSigner } from '../../cli/keys/signer.ts';
import { EXIT } from '../../cli/errors.ts';
import { readIdentities } from '../../cli/keys/identities.ts';
import { readPassphraseFile } from '../../cli/terminal/passphrase.ts';
import { processIo } from '../../cli/terminal/process-io.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { textOf } from '../../crypto/text-file.ts';
import { workerEnv } from '../../worker/config.ts';
import { loadIdentities } from '../../worker/identities.ts';
import { cli, openOffice, temporaryDirectory, TEAM, TOPIC, writeTo, type Office } from '../support/cli.ts';

const CASES = 'tests/cases/keys';
const CHEAP_LOG_N = 10;

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;
beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path);
});
afterAll(() => dir.remove());

const io = processIo();
/** What editors and systems do to a text. */
const TOUCHES: readonly (readonly [string, (text: string) => string | Uint8Array])[] = [
  ['a mark before it', (text) => `\ufeff${text}`],
  ['other line ends', (text) => text.replaceAll('\n', '\r\n')],
  ['old line ends', (text) => text.replaceAll('\n', '\r')],
  ['blanks at the ends of lines', (text) => text.replaceAll('\n', ' \t\n')],
  ['empty lines at its end', (text) => `${text}\n\r\n`],
  ['UTF-16', (text) => Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`, 'utf16le')],
];
const copyOf = async (file: string, touch: (text: string) => string | Uint8Array): Promise<string> =>
  writeTo(dir.path('touched'), touch(await readFile(file, 'utf8')));

describe('files from practice', () => {
  it.each(['id-bom.txt', 'id-trail.txt'])('%s is an identity', async (file) => {
    expect(await readIdentities([`${CASES}/${file}`], io)).toHaveLength(1);
  });

  it.each([
    ['p-armor-bom.age', 'pass'],
    ['i-nfc.age', 'nfc'],
    ['i-nfc.age', 'nfd'],
  ])('%s opens with %s', async (file, passphrase) => {
    expect(await readIdentities([`${CASES}/${file}`], io, `${CASES}/${passphrase}`)).toHaveLength(1);
  });

  it('a password, a root key and a signer are read', async () => {
    expect(await readPassphraseFile(`${CASES}/pwbom`)).toBe('geheim');
    expect((await readRootPublicKey(`${CASES}/r1.pub`)).key).toHaveLength(32);
    expect((await readSigner(`${CASES}/s1.key`, io)).key).toHaveLength(32);
  });
});

describe.each(TOUCHES)('%s', (_what, touch) => {
  it('an identity, a root key and its secret half are read', async () => {
    expect(await readIdentities([await copyOf(office.identity, touch)], io)).toEqual(await readIdentities([office.identity], io));
    expect(await readRootPublicKey(await copyOf(office.rootPublicKey, touch))).toEqual(await readRootPublicKey(office.rootPublicKey));
  });

  it("a keyring's signature holds", async () => {
    const root = await readRootPublicKey(office.rootPublicKey);
    const file = await writeTo(dir.path('keyring-copy.json'), await readFile(office.keyring.file));
    await writeTo(`${file}.minisig`, touch(await readFile(office.keyring.signatureFile, 'utf8')));
    expect((await readKeyring(file, root)).digest).toBe(office.keyring.digest);
  });

  it('a keyring stays refused, with advice', async () => {
    const file = dir.path('keyring-touched.json');
    const pretty = touch(`${await readFile(office.keyring.file, 'utf8')}\n`);
    await writeTo(file, pretty);
    await writeTo(`${file}.minisig`, await readFile(office.keyring.signatureFile));
    const { code, err } = await cli(['admin', 'check', file, '--root-key', office.rootPublicKey]);
    expect([code, err]).toEqual([
      EXIT.notAuthentic,
      expect.stringMatching(
        /changed its line ends, or put an invisible mark before it; copy the file again as it is; .*\(MINISIGN_SIGNATURE\)/,
      ),
    ]);
  });

  it('the worker reads its inboxes, passwords and keys', async () => {
    const inboxes = [{ id: 'inbox-1', team: TEAM.id, kind: 'maildir', path: '/nowhere' }];
    const file = await writeTo(dir.path('inboxes.json'), touch(`${JSON.stringify(inboxes, null, 1)}\n`));
    expect(workerEnv.shape.WORKER_INBOXES.parse(file)).toHaveLength(1);
    expect(workerEnv.shape.WORKER_REDIS_PASSWORD_FILE.parse(await writeTo(dir.path('password'), touch('geheim\n')))).toBe('geheim');
    const folder = dir.path('identities');
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/worker-1.txt`, touch(await readFile(office.worker, 'utf8')), { mode: 0o600 });
    await chmod(`${folder}/worker-1.txt`, 0o600);
    expect((await loadIdentities(folder)).identities).toHaveLength(1);
  });
});

it('a keyring that somebody changed is refused without that advice', async () => {
  const file = await writeTo(dir.path('forged.json'), (await readFile(office.keyring.file, 'utf8')).replace(TOPIC.id, 'psychologicaX'));
  await writeTo(`${file}.minisig`, await readFile(office.keyring.signatureFile));
  const { code, err } = await cli(['admin', 'check', file, '--root-key', office.rootPublicKey]);
  expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('signature verification failed; ')]);
});

describe('a passphrase', () => {
  const PASSPHRASES = ['зелёный чайник', 'Ångström', 'plain'].flatMap((word) =>
    (['NFC', 'NFD'] as const).map((form) => [word, form] as const),
  );

  it.each(PASSPHRASES)('%s in %s opens however it is typed', async (word, form) => {
    const identity = Buffer.from(await readFile(office.identity));
    const file = await writeTo(dir.path('protected.age'), await encryptWithPassphrase(identity, word.normalize(form), CHEAP_LOG_N));
    for (const typed of ['NFC', 'NFD'] as const) {
      expect(await readIdentities([file], io, await writeTo(dir.path('typed'), word.normalize(typed)))).toHaveLength(1);
    }
    await expect(readIdentities([file], io, await writeTo(dir.path('typed'), `${word}!`))).rejects.toMatchObject({
      code: 'PASSPHRASE_WRONG',
    });
  });
});

it.each<readonly [string, Uint8Array, string]>([
  ['nothing', new Uint8Array(), ''],
  ['one line', Buffer.from('a'), 'a'],
  ['Russian in UTF-16 without a mark', Buffer.from('key: ключ\n', 'utf16le'), 'key: ключ\n'],
  ['a first line that is empty stays', Buffer.from('\na\n\n'), '\na\n'],
])('the text of %s', (_what, bytes, text) => {
  expect(textOf(bytes)).toBe(text);
});

it('what is not text is refused', () => {
  expect(() => textOf(Uint8Array.of(0xff, 0xc0, 1))).toThrow(TypeError);
});
