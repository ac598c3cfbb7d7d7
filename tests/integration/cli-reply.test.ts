import { readdir, readFile, stat } from 'node:fs/promises';
import { bech32 } from '@scure/base';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createKeyring } from '../../cli/keys/keyring.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import type { NewSigner } from '../../cli/keys/signer.ts';
import { EXIT } from '../../cli/errors.ts';
import { fromHex, toHex } from '../../crypto/bytes.ts';
import { openLetter, sealLetter, type NoteContent } from '../../crypto/letter.ts';
import { encodeSecretKey, generateKeyPair } from '../../crypto/minisign.ts';
import { checkNote } from '../../crypto/note.ts';
import { openSealed, parseParcel, type ParcelContent } from '../../crypto/parcel.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { checkDelivery, openReply, replyRoom } from '../../crypto/reply.ts';
import { signAddress } from '../../crypto/thread.ts';
import { openAnswering } from '../support/answering.ts';
import { cli, identitiesOf, openOffice, writeTo, type CliResult } from '../support/cli.ts';
import { newThread } from '../support/letters.ts';
import { atTerminal } from '../support/terminal.ts';

const { dir, office, anna, boris, stranger, thread, letter, nextOut, options, run, letterOf, nothingWritten } = await openAnswering();
let out: string;

afterAll(() => dir.remove());
beforeEach(() => {
  out = nextOut();
});

async function parcels(folder = out): Promise<ParcelContent[]> {
  const identities = await identitiesOf(office.worker);
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(`${folder}/${name}`, 'utf8')));
  const contents = texts.map((text) => openSealed(parseParcel(decodeParcelText(text.trimEnd())).sealed, identities));
  return contents.sort((a, b) => b.kind.localeCompare(a.kind));
}

/** The reply as its requester opens it, and the note as the team does; nobody else's name is on either. */
async function opened(by = anna): Promise<{ reply: string; note: NoteContent['note'] }> {
  const [reply, note, ...more] = await parcels();
  if (reply?.kind !== 'reply' || more.length > 0) throw new Error('expected a reply and a letter');
  const signers = new Set([by.signer]);
  checkDelivery(reply.delivery, signers);
  return {
    reply: openReply(reply.delivery.reply, thread.identity, fromHex(thread.address.key), signers).text,
    note: await noteIn(note, by),
  };
}

async function noteIn(content: ParcelContent | undefined, by = anna): Promise<NoteContent['note']> {
  if (content?.kind !== 'letter') throw new Error('expected a letter');
  const letterContent = openLetter(content.letter, await identitiesOf(office.identity));
  if (letterContent.kind !== 'note') throw new Error('expected a note');
  checkNote(letterContent.note, new Set([by.signer]));
  return letterContent.note;
}

describe('what is composed', () => {
  test('a reply that its person opens, and a note with a copy for the team', async () => {
    const { code, text, err } = await run(['reply', letter], { stdin: 'Мы рядом.\r\nНапишите ещё.\n' });
    expect([code, err.match(/NOT|!!/), text], err).toEqual([EXIT.ok, null, `${out}/01.txt\n${out}/02.txt\n`]);
    expect(await opened()).toMatchObject({
      reply: 'Мы рядом.\nНапишите ещё.',
      note: { action: 'answer', alias: 'Анна', text: 'Мы рядом.\nНапишите ещё.', thread: thread.address.key },
    });
    expect(text + err).not.toContain('рядом');
  });

  test('files under names that say nothing, for their owner alone, after those that are there', async () => {
    await run(['reply', letter], { stdin: 'one' });
    await run(['claim', letter]);
    expect((await readdir(out)).sort()).toEqual(['01.txt', '02.txt', '03.txt']);
    for (const name of await readdir(out)) expect((await stat(`${out}/${name}`)).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['reply', 2],
    ['claim', 1],
    ['handover', 1],
  ])('%s --json: where what waits to be sent is', async (command, unsent) => {
    const { code, text } = await run([command, ...(command === 'handover' ? ['--to', 'Борис'] : []), '--json', letter], {
      stdin: 'Мы рядом.',
    });
    const files = ['01.txt', '02.txt'].slice(0, unsent).map((name) => `${out}/${name}`);
    expect([code, JSON.parse(text)]).toEqual([EXIT.ok, { conversation: thread.address.key.slice(0, 8), sent: 0, unsent, files }]);
  });

  test('claim and handover: a note alone', async () => {
    expect((await run(['claim', letter])).code).toBe(EXIT.ok);
    expect(
      (await run(['handover', '--to', 'Борис', '--file', await writeTo(dir.path('words.txt'), 'Это по твоей части\n'), letter])).code,
    ).toBe(EXIT.ok);
    const notes = await Promise.all((await parcels()).map((content) => noteIn(content)));
    expect(notes.sort((a, b) => a.action.localeCompare(b.action))).toMatchObject([
      { action: 'claim', alias: 'Анна', text: '', thread: thread.address.key },
      { action: 'handover', alias: 'Анна', to: 'Борис', text: 'Это по твоей части' },
    ]);
  });

  test.each([
    ['Latin', 'x'],
    ['Cyrillic', 'ж'],
    ['line ends', 'a\nb'],
    ['quotation marks', '"\\'],
    ['of every plane', '\u{1F499}\u{20BB7}\u{30000}\u{E0041}\u{F0000}\u{10FFFD}\uFFFD\u0007\u202E'],
  ])('the longest text: %s', async (_what, piece) => {
    const most = Math.floor(replyRoom('') / (replyRoom('') - replyRoom(piece)));
    const text = piece.repeat(most).padEnd(piece.length * most + replyRoom(piece.repeat(most)), 'x');
    expect(replyRoom(text)).toBe(0);
    const { code, err } = await run(['reply', '--file', await writeTo(dir.path('long.txt'), text), letter]);
    expect(code, err).toBe(EXIT.ok);
    expect(await opened()).toMatchObject({ reply: text, note: { text } });
  });

  test('one byte more is refused before anything is sealed, and it says how much must go', async () => {
    const { code, text, err } = await run(['reply', letter], { stdin: 'x'.repeat(replyRoom('') + 3) });
    expect([code, text]).toEqual([EXIT.input, '']);
    expect(err).toBe(
      'support-relay: the text is 3 bytes too long; shorten the answer (a Cyrillic letter is 2 bytes, a Latin one 1) (REPLY_TOO_LONG)\n',
    );
    await nothingWritten();
  });

  test.each([
    ['nothing', '', 'INPUT_EMPTY'],
    ['spaces', ' \n\n', 'INPUT_EMPTY'],
    ['no UTF-8', Uint8Array.of(0xd0, 0x20), 'INPUT_FORMAT'],
  ])('%s is no answer', async (_what, stdin, why) => {
    const { code, err } = await run(['reply', letter], { stdin });
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining(`(${why})`)]);
    await nothingWritten();
  });
});

describe('who may answer', () => {
  const with_ = (signer: NewSigner, keyrings: readonly string[]): Promise<CliResult> =>
    cli(
      [
        'reply',
        '--identity',
        office.identity,
        '--signer',
        signer.file,
        '--alias',
        'Анна',
        ...keyrings.flatMap((file) => ['--keyring', file]),
        '--root-key',
        office.rootPublicKey,
        '--out',
        out,
        letter,
      ],
      { stdin: 'Секрет' },
    );

  test('not a signer that is on no keyring', async () => {
    const { code, err } = await with_(stranger, [office.keyring.file]);
    expect([code, err]).toEqual([
      EXIT.notAuthentic,
      expect.stringMatching(/your signer is not in keyring 1: .*ask the administrator; nothing was sent \(SIGNER_UNKNOWN\)/),
    ]);
    await nothingWritten();
  });

  test('not one that the newest valid keyring leaves out; a keyring that is not valid yet changes nothing', async () => {
    const root = await readRootKey(office.rootKey, () => Promise.reject(new Error('not protected')));
    const { keyring } = office.keyring;
    const plan = {
      from: new Date(Date.now() - 1000),
      days: 1,
      worker: keyring.worker,
      teams: keyring.teams.map((team) => ({ ...team, signers: [boris.signer] })),
    };
    const revoking = await createKeyring({ ...plan, serial: 2 }, root, dir.path('keyrings'));
    expect((await with_(anna, [revoking.file, office.keyring.file])).err).toContain('(SIGNER_UNKNOWN)');
    await nothingWritten();
    const later = await createKeyring({ ...plan, serial: 3, from: new Date(Date.now() + 86_400_000) }, root, dir.path('keyrings'));
    expect((await with_(anna, [later.file, office.keyring.file])).code).toBe(EXIT.ok);
    expect((await with_(boris, [later.file])).err).toContain('(KEYRING_NOT_YET_VALID)');
  });

  test('not under an older keyring, though valid, once a newer one has begun and ended', async () => {
    const root = await readRootKey(office.rootKey, () => Promise.reject(new Error('not protected')));
    const { keyring } = office.keyring;
    const over = await createKeyring(
      { serial: 4, from: new Date(Date.now() - 2 * 86_400_000), days: 1, worker: keyring.worker, teams: keyring.teams },
      root,
      dir.path('keyrings'),
    );
    const { code, err } = await with_(anna, [office.keyring.file, over.file]);
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_EXPIRED)')]);
    await nothingWritten();
  });

  test('not with the root key: nothing but the key itself tells it from a signer of the older kind', async () => {
    const { code, err } = await cli(['claim', letter, ...options({ ...anna, file: office.rootKey }), '--out', out]);
    expect([code, err]).toEqual([
      EXIT.input,
      expect.stringMatching(/root\.key is not the signer: it is the secret root key; keep it offline, .*\(INPUT_FORMAT\)\n$/),
    ]);
    await nothingWritten();
  });

  test('not under a keyring whose week is over', async () => {
    const argv = ['reply', ...options(), '--out', out, letter];
    const { code, err } = await cli(argv, { stdin: 'x', now: new Date(Date.now() + 8 * 86_400_000) });
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_EXPIRED)')]);
  });

  test('not with a file that is no signer: it is named', async () => {
    for (const file of [office.identity, anna.publicKeyFile]) {
      const { code, err } = await cli(['claim', letter, ...options({ ...anna, file }), '--out', out]);
      expect([code, err]).toEqual([
        EXIT.input,
        expect.stringMatching(
          /^support-relay: .*(volunteer\.txt|anna\.key\.pub) is not the signer: .*give the secret key .*\(INPUT_FORMAT\)\n$/,
        ),
      ]);
    }
  });

  test.each(['', 'x'.repeat(41), 'a\nb', 'a\u202eb'])('not by the name %j', async (alias) => {
    const { code } = await cli(['claim', letter, ...options(), '--alias', alias, '--out', out]);
    expect(code).toBe(EXIT.usage);
    await nothingWritten();
  });
});

describe('which conversation', () => {
  test('is asked for when there are several, and found by its id in a Maildir', async () => {
    const other = newThread();
    const second = await writeTo(dir.path('second.age'), letterOf(other, 'Ещё одно'));
    const id = thread.address.key.slice(0, 8);
    const asked = await run(['reply', letter, second], { stdin: 'x' });
    expect([asked.code, asked.err]).toEqual([
      EXIT.input,
      expect.stringMatching(/there are 2 conversations .*--conversation.*\(CONVERSATION_UNKNOWN\)/),
    ]);
    expect((await run(['reply', '--conversation', '00000000', letter, second], { stdin: 'x' })).err).toContain('(CONVERSATION_UNKNOWN)');
    await nothingWritten();
    expect((await run(['reply', '--conversation', id, letter, second], { stdin: 'to the first' })).code).toBe(EXIT.ok);
    expect((await opened()).reply).toBe('to the first');
  });

  test.each(['lock', 'recipient'] as const)('also one whose %s another conversation names: nobody can be silenced by it', async (part) => {
    const other = newThread();
    const forged = await writeTo(
      dir.path('forged.age'),
      letterOf({ ...other, address: { ...other.address, [part]: thread.address[part] } }, 'Чужое'),
    );
    const { code, err } = await run(['reply', '--conversation', thread.address.key, forged, letter], { stdin: 'Вам' });
    expect(code, err).toBe(EXIT.ok);
    expect((await opened()).reply).toBe('Вам');
  });

  test('not one that wants no answer', async () => {
    const file = await writeTo(dir.path('unwanted.age'), office.letter());
    const { code, err } = await run(['reply', file], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('(ANSWER_UNWANTED)')]);
  });

  test('not one whose key for answers is none, before anything is typed; to the team it can be handed over', async () => {
    const other = newThread();
    const recipient = bech32.encode('age1pq', bech32.toWords(new Uint8Array(1_216).fill(0xff)), false);
    const file = await writeTo(dir.path('no-key.age'), letterOf({ ...other, address: { ...other.address, recipient } }, 'x'));
    const { code, err, asked } = await run(['reply', file], { terminal: { answers: [] } });
    expect([code, asked, err]).toEqual([
      EXIT.input,
      [],
      expect.stringMatching(
        /^support-relay: no answer can be sealed for conversation .*: the key .* is not valid; .*nothing was sent \(ADDRESS_UNUSABLE\)\n$/,
      ),
    ]);
    await nothingWritten();
    expect((await run(['handover', '--to', 'Борис', file])).code).toBe(EXIT.ok);
  });

  test('not one sealed under a keyring that was not given', async () => {
    const content = { version: 1 as const, kind: 'request' as const, serial: 1, keyring: 'ab'.repeat(32), language: 'ru', message: 'x' };
    const file = await writeTo(
      dir.path('foreign.age'),
      sealLetter({ ...content, thread: signAddress(content, thread) }, [office.recipient]),
    );
    const { code, err } = await run(['reply', file], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_FOREIGN)')]);
    await nothingWritten();
  });
});

describe('at a terminal', () => {
  test('the text is typed, shown back with the room left, and confirmed', async () => {
    const answers = ['Мы\u001b[2J рядом', 'y'];
    const { code, err, asked } = await run(['reply', letter], { terminal: { answers } });
    expect([code, asked]).toEqual([EXIT.ok, ['text', 'Send? [y/N] ']]);
    expect(err).toContain('    Мы‹U+001B›[2J рядом\n');
    expect(err).toMatch(/room left: about \d+ Cyrillic letters/);
    // Before the text is asked for, and again above the question.
    expect(err.match(/To conversation [0-9a-f]{8}, whose last message says:\n {4}Мне нужна помощь\n/g)).toHaveLength(2);
    expect((await opened()).reply).toBe(answers[0]);
  });

  test('a text that does not fit is still above, and nothing is asked', async () => {
    const { code, err, asked } = await run(['reply', letter], { terminal: { answers: ['x'.repeat(replyRoom('') + 1)] } });
    expect([code, asked]).toEqual([EXIT.input, ['text']]);
    expect(err).toMatch(/It does not fit\. The text is still above: .*\n.*1 bytes too long.*\(REPLY_TOO_LONG\)/);
    await nothingWritten();
  });

  test('words for the team are asked for, and may be left out', async () => {
    for (const words of [' Сегодня \u001b[2J', ''])
      expect((await run(['claim', letter], { terminal: { answers: [words, 'y'] } })).code).toBe(EXIT.ok);
    const notes = await Promise.all((await parcels()).map((content) => noteIn(content)));
    expect(notes.map(({ text }) => text).sort()).toEqual(['', 'Сегодня \u001b[2J']);
  });

  test('a text that is not confirmed goes nowhere', async () => {
    const { code } = await run(['reply', letter], { terminal: { answers: ['typed', ''] } });
    expect(code).toBe(EXIT.interrupted);
    await nothingWritten();
  });

  test('a protected signer: its passphrase is asked, and a wrong one sends nothing', async () => {
    const passphrase = 'шесть слов подряд';
    const key = generateKeyPair();
    const clara = { file: await writeTo(dir.path('clara.key'), await encodeSecretKey(key, passphrase, 'signer', 12)) };
    const other = await openOffice((...parts) => dir.path('clara', ...parts), { signers: [toHex(key.key)] });
    const content = {
      version: 1 as const,
      kind: 'request' as const,
      serial: 1,
      keyring: other.keyring.digest,
      language: 'ru',
      message: 'x',
    };
    const file = await writeTo(
      dir.path('for-clara.age'),
      sealLetter({ ...content, thread: signAddress(content, thread) }, [other.recipient]),
    );
    const argv = [
      'reply',
      '--identity',
      other.identity,
      '--signer',
      clara.file,
      '--alias',
      'Клара',
      '--keyring',
      other.keyring.file,
      '--root-key',
      other.rootPublicKey,
      '--out',
      out,
      file,
    ];
    const wrong = await cli(argv, { terminal: { answers: ['не то'] } });
    expect([wrong.code, wrong.err]).toEqual([EXIT.passphrase, expect.stringContaining('(PASSPHRASE_WRONG)')]);
    await nothingWritten();
    const { code, err, asked } = await cli(argv, { terminal: { answers: [passphrase, 'typed', 'y'] } });
    expect(code, err).toBe(EXIT.ok);
    expect(asked).toEqual([expect.stringContaining('clara.key'), 'text', 'Send? [y/N] ']);
    expect(await readdir(out)).toHaveLength(2);
  });

  test('a real one: typed by keys, ended by Ctrl-D, and asked once more', async () => {
    const quoted = ['node', 'dist/support-relay.js', 'reply', ...options(), '--out', out, letter].map((word) => `'${word}'`).join(' ');
    const { code, output } = await atTerminal(quoted, [
      ['Ctrl-D', `${'long '.repeat(1_000)}\rend\r\u0004`],
      ['Send? [y/N]', 'y'],
    ]);
    expect(code, output).toBe(EXIT.ok);
    expect((await opened()).reply).toBe(`${'long '.repeat(1_000)}\nend`);
  });
});
