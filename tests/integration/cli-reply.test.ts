// `reply`, `claim` and `handover`: what is composed, and what is asked at a terminal.
import { readdir, stat } from 'node:fs/promises';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { toHex } from '../../crypto/bytes.ts';
import { sealLetter } from '../../crypto/letter.ts';
import { encodeSecretKey, generateKeyPair } from '../../crypto/minisign.ts';
import { replyRoom } from '../../crypto/reply.ts';
import { signAddress } from '../../crypto/thread.ts';
import { openAnswering } from '../support/answering.ts';
import { cli, openOffice, writeTo } from '../support/cli.ts';
import { atTerminal } from '../support/terminal.ts';

const answering = await openAnswering();
const { dir, thread, letter, nextOut, options, run, parcels, noteIn, opened, nothingWritten } = answering;
let out: string;

afterAll(() => dir.remove());
beforeEach(() => {
  out = nextOut();
});

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

  test('files with meaningless names, readable by their owner alone, numbered after existing ones', async () => {
    await run(['reply', letter], { stdin: 'one' });
    await run(['claim', letter]);
    expect((await readdir(out)).sort()).toEqual(['01.txt', '02.txt', '03.txt']);
    for (const name of await readdir(out)) expect((await stat(`${out}/${name}`)).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['reply', 2],
    ['claim', 1],
    ['handover', 1],
  ])('%s --json: where the unsent files are', async (command, unsent) => {
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
    const notes = await Promise.all((await parcels()).map(noteIn));
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

  test('one byte more is refused before anything is sealed, with the number of bytes to cut', async () => {
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
  ])('%s is not an answer', async (_what, stdin, why) => {
    const { code, err } = await run(['reply', letter], { stdin });
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining(`(${why})`)]);
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

  test('a text that does not fit stays on the screen, and nothing is asked', async () => {
    const { code, err, asked } = await run(['reply', letter], { terminal: { answers: ['x'.repeat(replyRoom('') + 1)] } });
    expect([code, asked]).toEqual([EXIT.input, ['text']]);
    expect(err).toMatch(/It does not fit\. The text is still above: .*\n.*1 bytes too long.*\(REPLY_TOO_LONG\)/);
    await nothingWritten();
  });

  test('words for the team are asked for, and may be left out', async () => {
    for (const words of [' Сегодня \u001b[2J', ''])
      expect((await run(['claim', letter], { terminal: { answers: [words, 'y'] } })).code).toBe(EXIT.ok);
    const notes = await Promise.all((await parcels()).map(noteIn));
    expect(notes.map(({ text }) => text).sort()).toEqual(['', 'Сегодня \u001b[2J']);
  });

  test('a text that is not confirmed goes nowhere', async () => {
    const { code } = await run(['reply', letter], { terminal: { answers: ['typed', ''] } });
    expect(code).toBe(EXIT.interrupted);
    await nothingWritten();
  });

  test('a protected signer: its passphrase is asked for, and a wrong one sends nothing', async () => {
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

  test('a real terminal: text is typed, ended by Ctrl-D, and confirmed', async () => {
    const quoted = ['node', 'dist/support-relay.js', 'reply', ...options(), '--out', out, letter].map((word) => `'${word}'`).join(' ');
    const { code, output } = await atTerminal(quoted, [
      ['Ctrl-D', `${'long '.repeat(1_000)}\rend\r\u0004`],
      ['Send? [y/N]', 'y'],
    ]);
    expect(code, output).toBe(EXIT.ok);
    expect((await opened()).reply).toBe(`${'long '.repeat(1_000)}\nend`);
  });
});
