import { mkdir, readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeyring } from '../../cli/keys/keyring.ts';
import type { NewKeyring } from '../../cli/keys/keyring.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import { EXIT } from '../../cli/errors.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { armor } from '../../crypto/age/armor.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { sealLetter } from '../../crypto/letter.ts';
import type { LetterContent } from '../../crypto/letter.ts';
import { signNote, type Note, type NoteText } from '../../crypto/note.ts';
import { signingKeyPair, type SigningKeyPair } from '../../crypto/sign.ts';
import { signAddress, threadOf, type Thread } from '../../crypto/thread.ts';
import { TEAM, TOPIC, cli, openOffice, temporaryDirectory, writeTo } from '../support/cli.ts';
import type { CliResult, Office } from '../support/cli.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;
let keyring: NewKeyring;
let [maple, oak, stranger]: SigningKeyPair[] = [];
let [anna, boris]: Thread[] = [];
const signers = () => ({ maple: maple as SigningKeyPair, oak: oak as SigningKeyPair, stranger: stranger as SigningKeyPair });
const threads = () => ({ anna: anna as Thread, boris: boris as Thread });

beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path);
  [maple, oak, stranger] = [1, 2, 3].map(() => signingKeyPair(randomBytes(32)));
  [anna, boris] = [1, 2].map(() => threadOf(randomBytes(32)));
  keyring = await keyringWith(2, [signers().maple, signers().oak]);
});
afterAll(() => dir.remove());

async function keyringWith(serial: number, of: readonly SigningKeyPair[], previous = office.keyring): Promise<NewKeyring> {
  const team = { ...TEAM, topics: [TOPIC], recipients: [office.recipient], signers: of.map(({ key }) => toHex(key)) };
  const rootKey = await readRootKey(office.rootKey, () => Promise.reject(new Error('not protected')));
  return createKeyring(
    { serial, previous, from: new Date(Date.now() - 60_000), days: 7, worker: office.keyring.keyring.worker, teams: [team] },
    rootKey,
    dir.path('keyrings'),
  );
}

const under = () => ({ version: 1 as const, serial: 2, keyring: keyring.digest, language: 'ru' });
const seal = (content: LetterContent): Uint8Array => sealLetter(content, [office.recipient]);
function written(kind: 'request' | 'follow-up', thread: Thread, message: string): LetterContent {
  // Written after reading an answer.
  const content = { kind, ...under(), topic: TOPIC.id, message, ...(kind === 'request' ? {} : { number: 2, read: ['ab'.repeat(8)] }) };
  return { ...content, thread: signAddress(content, thread) };
}
const request = (thread: Thread, message: string): Uint8Array => seal(written('request', thread, message));
const followUp = (thread: Thread, message: string): Uint8Array => seal(written('follow-up', thread, message));
const noted = (note: Note): Uint8Array => seal({ kind: 'note', ...under(), note });
const note = (
  text: Omit<NoteText, 'thread' | 'text'> & { text?: string },
  signer: SigningKeyPair,
  thread: Thread = threads().anna,
): Uint8Array => noted(signNote({ thread: thread.address.key, text: '', ...text }, signer));

let boxes = 0;
/** A Maildir with these letters, read in this order. */
async function box(letters: readonly Uint8Array[]): Promise<string> {
  const path = dir.path(`box${String((boxes += 1))}`);
  await mkdir(`${path}/new`, { recursive: true });
  await Promise.all(letters.map((letter, i) => writeTo(`${path}/new/${String(i + 1)}`, armor(letter))));
  return path;
}

const trusted = () => ['--keyring', keyring.file, '--root-key', office.rootPublicKey];
const inbox = (path: string, options = trusted()): Promise<CliResult> => cli(['inbox', '--identity', office.identity, ...options, path]);
const open = (path: string, ...options: string[]): Promise<CliResult> =>
  cli(['open', '--identity', office.identity, ...trusted(), ...options, path]);
const idOf = ({ address }: Thread): string => address.key.slice(0, 8);
const state = ({ text }: CliResult, thread: Thread): string =>
  new RegExp(`^${idOf(thread)}  (.*?) · Психологическая`, 'm').exec(text)?.[1] ?? text;

describe('inbox', () => {
  test('has one line per conversation, whatever the order of its letters', async () => {
    const { anna: a, boris: b } = threads();
    const path = await box([followUp(a, 'Ещё'), request(b, 'Мне\n страшно'), request(a, 'Первое'), seal({ kind: 'cover', ...under() })]);
    const before = await readdir(dir.path(), { recursive: true });
    const result = await inbox(path);
    expect(result).toMatchObject({ code: EXIT.ok, err: 'support-relay: 1 cover letter without a message left out\n' });
    expect(result.text.trimEnd().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^${idOf(a)}  без ответа · Психологическая помощь \\(psychological\\) · Первое$`)),
      expect.stringMatching(new RegExp(`^${idOf(b)}  без ответа · .* · Мне страшно$`)),
    ]);
    expect(await readdir(dir.path(), { recursive: true })).toEqual(before);
  });

  test('says who has answered it, who has taken it, and to whom it was handed over', async () => {
    const { anna: a, boris: b } = threads();
    const { maple: m, oak: o } = signers();
    const stateAfter = async (...notes: Uint8Array[]): Promise<string> => state(await inbox(await box([request(a, 'x'), ...notes])), a);
    expect(await stateAfter(note({ action: 'answer', alias: 'Клён' }, m))).toBe('ответ: Клён');
    expect(await stateAfter(note({ action: 'claim', alias: 'Клён' }, m))).toBe('без ответа; у кого: Клён');
    const handed = [note({ action: 'handover', alias: 'Клён', to: 'Дуб' }, m), note({ action: 'claim', alias: 'Клён' }, m)];
    expect(await stateAfter(...handed)).toBe('без ответа; передано: Дуб');
    expect(await stateAfter(...handed, note({ action: 'answer', alias: 'Дуб' }, o), followUp(a, 'y'))).toBe('ответ: Дуб (1 / 2)');
    expect(await stateAfter(note({ action: 'answer', alias: 'Клён' }, m, b))).toBe('без ответа');
  });

  test('a request that wants no answer says so; two with the same words stay two', async () => {
    const { code, text } = await inbox(await box([1, 2].map(() => seal({ kind: 'request', ...under(), message: 'Без ответа' }))));
    expect(code).toBe(EXIT.ok);
    expect(text.match(/^[0-9a-f]{8} {2}ответ не нужен · \(не выбрана\) · Без ответа$/gm)).toHaveLength(2);
  });

  test('a letter that a colleague sealed again is shown once', async () => {
    const content = written('request', threads().anna, 'Один раз');
    const claim = signNote({ action: 'claim', thread: threads().anna.address.key, alias: 'Клён', text: '' }, signers().maple);
    const { text } = await cli([
      'inbox',
      '--json',
      '--identity',
      office.identity,
      ...trusted(),
      await box([seal(content), seal(content), noted(claim), noted(claim)]),
    ]);
    expect(JSON.parse(text)).toMatchObject({
      id: idOf(threads().anna),
      taken: ['Клён'],
      letters: [{ message: 'Один раз' }, { note: claim }],
    });
  });

  test('--json always says whether keyrings were checked', async () => {
    const path = await box([request(threads().anna, 'Одно')]);
    for (const [options, keyringChecked] of [
      [trusted(), true],
      [[], false],
    ] as const) {
      const said: unknown = JSON.parse((await inbox(path, ['--json', ...options])).text);
      expect(said).toMatchObject({ keyringChecked, letters: [{ keyringChecked }] });
      expect(said).not.toHaveProperty('checked');
    }
  });

  test('an empty inbox is announced in plain words, with exit 0', async () => {
    const [empty, covered] = [await box([]), await box([seal({ kind: 'cover', ...under() })])];
    for (const command of [inbox, open])
      expect(await command(empty)).toMatchObject({ code: EXIT.ok, text: '', err: `Nothing to read: there is no letter in ${empty}.\n` });
    expect(await inbox(covered)).toMatchObject({
      code: EXIT.ok,
      text: '',
      err: expect.stringContaining(`there is no request and no note in ${covered}.\n`) as unknown,
    });
  });

  test('truncates its lines, and nothing in them acts on the terminal', async () => {
    const { text } = await inbox(
      await box([
        request(threads().anna, `\u001b[2J\u202e${'зло '.repeat(100)}`),
        note({ action: 'claim', alias: 'К\u001b[1A' }, signers().maple),
      ]),
    );
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(text).toContain('К‹U+001B›[1A');
    expect(text.length).toBeLessThanOrEqual(100);
  });
});

describe('not trusted', () => {
  const refused = async (...letters: Uint8Array[]): Promise<CliResult> => inbox(await box(letters));

  test.each(['request', 'follow-up'] as const)(
    'a %s that names another conversation’s mailbox silences nobody: both are shown, with a remark',
    async (kind) => {
      const { anna: a, boris: b } = threads();
      for (const part of ['lock', 'recipient'] as const) {
        const thief: Thread = { ...b, address: { ...b.address, [part]: a.address[part] } };
        const { code, text } = await refused(seal(written(kind, thief, 'Чужое')), request(a, 'Моё'));
        expect(code).toBe(EXIT.ok);
        expect(text).toMatch(new RegExp(`^${idOf(a)}  ! без ответа .* Моё$`, 'm'));
        expect(text).toMatch(new RegExp(`^${idOf(b)}  ! .* Чужое$`, 'm'));
      }
    },
  );

  test('a follow-up of the thread that redirects the answer', async () => {
    const { anna: a, boris: b } = threads();
    const moved: Thread = { ...a, address: { ...a.address, lock: b.address.lock } };
    const { err, text } = await refused(request(a, 'Моё'), followUp(moved, 'Туда'));
    expect(err).toContain('NOT TRUSTED');
    expect(text).not.toContain('Туда');
  });

  test('a letter with the signature of another thread', async () => {
    const content = written('request', threads().anna, 'Моё') as Extract<LetterContent, { kind: 'request' }>;
    const { code, err, text } = await refused(seal({ ...content, message: 'Другое' }));
    expect(code).toBe(EXIT.notAuthentic);
    expect(err).toMatch(/NOT TRUSTED: .*\(LETTER_THREAD\)/);
    expect(text).toBe('');
  });

  test('notes by a stranger, by a revoked signer, and under another alias than was signed', async () => {
    const { maple: m, oak: o, stranger: s } = signers();
    const forged = noted({
      ...signNote({ action: 'answer', thread: threads().anna.address.key, alias: 'Клён', text: '' }, m),
      alias: 'Дуб',
    });
    const { code, err, text } = await refused(request(threads().anna, 'x'), note({ action: 'answer', alias: 'Кто-то' }, s), forged);
    expect(code).toBe(EXIT.notAuthentic);
    expect(err).toMatch(/NOT TRUSTED: .*new\/2: .*\(SIGNER_UNKNOWN\)/);
    expect(err).toMatch(/NOT TRUSTED: .*new\/3: .*\(SIGNER_SIGNATURE\)/);
    expect(text).toContain('без ответа');
    const later = await keyringWith(3, [m], keyring);
    const both = [...trusted(), '--keyring', later.file];
    const revoked = await inbox(await box([request(threads().anna, 'x'), note({ action: 'claim', alias: 'Дуб' }, o)]), both);
    expect(revoked.err).toMatch(/NOT TRUSTED: .*\(SIGNER_UNKNOWN\)/);
  });

  test('without a keyring notes are shown as not checked', async () => {
    const path = await box([request(threads().anna, 'x'), note({ action: 'answer', alias: 'Кто-то', text: 'Слова' }, signers().stranger)]);
    expect(state(await inbox(path, []), threads().anna)).toContain('ответ: Кто-то (не проверено)');
    expect((await cli(['open', '--identity', office.identity, path])).text).toContain('Ответ дал(а): Кто-то (не проверено)');
  });

  test('one signer with two aliases, and one alias of two signers, get a remark', async () => {
    const { maple: m, oak: o } = signers();
    const { err } = await refused(
      ...['Клён', 'Липа'].map((alias) => note({ action: 'claim', alias }, m)),
      note({ action: 'claim', alias: 'клён ' }, o),
    );
    expect(err).toContain(`one signer, ${fingerprint(toHex(m.key))}, writes as "Клён" and "Липа"`);
    expect(err).toContain(`"Клён" is written by several signers, ${fingerprint(toHex(m.key))} and ${fingerprint(toHex(o.key))}`);
  });
});

describe('hostile text', () => {
  const PLANES = Array.from(
    { length: 17 },
    (_, plane) => `${String.fromCodePoint(plane * 0x10000 + 0x41)}${String.fromCodePoint(plane * 0x10000 + 0xfffd)}`,
  ).join('');
  const EVIL = `До\u001b[2J\u001b]0;x\u0007\u009b31m\u202eпосле\u2066\r\n00000000  ответ: Клён ${PLANES}`;

  test('in a request or a note has no effect, in the list or in the conversation', async () => {
    const { anna: a } = threads();
    const path = await box([request(a, EVIL), note({ action: 'claim', alias: 'Клён', text: EVIL }, signers().maple)]);
    for (const { code, text, err } of [await inbox(path), await open(path), await open(path, '--conversation', idOf(a))]) {
      expect(code, err).toBe(EXIT.ok);
      expect((text + err).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Cs}\u{e0000}-\u{e0fff}]/u);
      expect(text).toContain('‹U+001B›[2J');
      expect(text).not.toMatch(/^00000000/m);
    }
    expect((await open(path)).text.replaceAll(/\s/g, '')).toContain(PLANES.replace('\u{e0041}', '‹U+E0041›'));
  });
});

describe('open --conversation', () => {
  test('shows a whole conversation: what was written, and the notes', async () => {
    const { anna: a, boris: b } = threads();
    const answer = note({ action: 'answer', alias: 'Клён', text: 'Мы рядом' }, signers().maple);
    const path = await box([request(a, 'Первое'), request(b, 'Другое'), answer, followUp(a, 'Спасибо')]);
    const { code, text, err } = await open(path, '--conversation', idOf(a));
    expect(err).toBe('');
    expect(code).toBe(EXIT.ok);
    expect(text).toMatch(new RegExp(`^##### Переписка ${idOf(a)} · ответ: Клён \\(1 / 2\\)\n`));
    for (const part of [
      'Обращение 1',
      'Первое',
      'Заметка 2',
      'Продолжение 3',
      'прежние ответы, которых среди этих писем нет (лежат в другом месте, удалены, истёк срок или не доставлены): 1\n',
      'Ответ дал(а): Клён',
      `подпись: ${fingerprint(toHex(signers().maple.key))}`,
      'Мы рядом',
      'Спасибо',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('Другое');
    const unknown = await open(path, '--conversation', '00000000');
    expect(unknown).toMatchObject({ code: EXIT.input, text: '' });
    expect(unknown.err).toContain('(CONVERSATION_UNKNOWN)');
  });

  test('says what is missing', async () => {
    const { anna: a, boris: b } = threads();
    const path = await box([followUp(a, 'Ещё'), note({ action: 'claim', alias: 'Клён' }, signers().maple, b)]);
    expect((await open(path, '--conversation', idOf(a))).text).toContain('! начинается с продолжения');
    expect((await open(path, '--conversation', idOf(b))).text).toContain('! здесь только заметки');
  });

  test('without an id everything is shown, but no cover letters', async () => {
    const { anna: a } = threads();
    const { text, err } = await open(await box([seal({ kind: 'cover', ...under() }), request(a, 'Первое'), followUp(a, 'Второе')]));
    expect(err).toBe('support-relay: 1 cover letter without a message left out\n');
    expect(text.match(/^===.*/gm)).toEqual([expect.stringContaining('Обращение 1'), expect.stringContaining('Продолжение 2')]);
  });
});
