import { readdir, readFile, stat } from 'node:fs/promises';
import { bech32 } from '@scure/base';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKeyring } from '../../cli/actions/keyring.ts';
import { readRootKey } from '../../cli/actions/root-key.ts';
import { createSignerFile, type NewSigner } from '../../cli/actions/signer.ts';
import { EXIT } from '../../cli/errors.ts';
import { fromHex } from '../../crypto/bytes.ts';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { openLetter, sealLetter, type NoteContent } from '../../crypto/letter.ts';
import { weekOf } from '../../crypto/mailbox.ts';
import { parseSecretKey } from '../../crypto/minisign.ts';
import { checkNote, signNote, type NoteText } from '../../crypto/note.ts';
import { openSealed, parseParcel, type ParcelContent } from '../../crypto/parcel.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { checkDelivery, openReply, replyRoom } from '../../crypto/reply.ts';
import { ready } from '../../crypto/sodium.ts';
import { signAddress, threadOf, type Thread } from '../../crypto/thread.ts';
import { cli, identitiesOf, openOffice, temporaryDirectory, writeTo, type CliInput, type CliResult, type Office } from '../support/cli.ts';
import { closedPort } from '../support/smtp.ts';
import { atTerminal } from '../support/terminal.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;
let anna: NewSigner;
let boris: NewSigner;
let stranger: NewSigner;
let thread: Thread;
let letter: string;
let out: string;
let runs = 0;

beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
  [anna, boris, stranger] = await Promise.all(['anna', 'boris', 'stranger'].map((name) => createSignerFile({ file: dir.path(`${name}.key`) }))) as [NewSigner, NewSigner, NewSigner];
  office = await openOffice(dir.path, { signers: [anna.signer, boris.signer] });
  thread = aThread();
  letter = await writeTo(dir.path('letter.age'), letterOf(thread, 'Мне нужна помощь'));
});
afterAll(() => dir.remove());
beforeEach(() => {
  runs += 1;
  out = dir.path(`out-${String(runs)}`);
});

function aThread(): Thread {
  return threadOf(codeRoot('ru', makeCode()));
}

function letterOf(by: Thread, message: string): Uint8Array {
  const content = { version: 1 as const, kind: 'request' as const, serial: office.keyring.keyring.serial, keyring: office.keyring.digest, language: 'ru', message };
  return sealLetter({ ...content, thread: signAddress(content, by) }, [office.recipient]);
}

async function noteBy(signer: NewSigner, said: Partial<NoteText>): Promise<Uint8Array> {
  return sealLetter(await contentBy(signer, said), [office.recipient]);
}

async function contentBy(signer: NewSigner, said: Partial<NoteText>): Promise<NoteContent> {
  const key = await parseSecretKey(await readFile(signer.file, 'utf8'));
  const note = signNote({ action: 'claim', thread: thread.address.key, alias: 'Борис', text: '', ...said }, key);
  return { version: 1, kind: 'note', serial: office.keyring.keyring.serial, keyring: office.keyring.digest, language: 'ru', note };
}

const options = (signer = anna): string[] => [
  '--identity', office.identity, '--signer', signer.file, '--alias', 'Анна', '--keyring', office.keyring.file, '--root-key', office.rootPublicKey,
];
const run = (argv: readonly string[], input: CliInput = {}): Promise<CliResult> => cli([...argv, ...options(), '--out', out], input);

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
  return { reply: openReply(reply.delivery.reply, thread.identity, fromHex(thread.address.key), signers).text, note: await noteIn(note, by) };
}

async function noteIn(content: ParcelContent | undefined, by = anna): Promise<NoteContent['note']> {
  if (content?.kind !== 'letter') throw new Error('expected a letter');
  const letterContent = openLetter(content.letter, await identitiesOf(office.identity));
  if (letterContent.kind !== 'note') throw new Error('expected a note');
  checkNote(letterContent.note, new Set([by.signer]));
  return letterContent.note;
}

const nothingWritten = async (): Promise<void> => {
  expect(await readdir(out).catch(() => [])).toEqual([]);
};

describe('what is composed', () => {
  test('a reply that its person opens, and a note with a copy for the team', async () => {
    const { code, text, err } = await run(['reply', letter], { stdin: 'Мы рядом.\r\nНапишите ещё.\n' });
    expect([code, err.match(/NOT|!!/), text], err).toEqual([EXIT.ok, null, `${out}/01.txt\n${out}/02.txt\n`]);
    expect(await opened()).toMatchObject({ reply: 'Мы рядом.\nНапишите ещё.', note: { action: 'answer', alias: 'Анна', text: 'Мы рядом.\nНапишите ещё.', thread: thread.address.key } });
    expect(text + err).not.toContain('рядом');
  });

  test('files under names that say nothing, for their owner alone, after those that are there', async () => {
    await run(['reply', letter], { stdin: 'one' });
    await run(['claim', letter]);
    expect((await readdir(out)).sort()).toEqual(['01.txt', '02.txt', '03.txt']);
    for (const name of await readdir(out)) expect((await stat(`${out}/${name}`)).mode & 0o777).toBe(0o600);
  });

  test('claim and handover: a note alone', async () => {
    expect((await run(['claim', letter])).code).toBe(EXIT.ok);
    expect((await run(['handover', '--to', 'Борис', '--file', await writeTo(dir.path('words.txt'), 'Это по твоей части\n'), letter])).code).toBe(EXIT.ok);
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
    expect(err).toBe('support-relay: the text is 3 bytes too long; shorten the answer (a Cyrillic letter is 2 bytes, a Latin one 1) (REPLY_TOO_LONG)\n');
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
    cli(['reply', '--identity', office.identity, '--signer', signer.file, '--alias', 'Анна', ...keyrings.flatMap((file) => ['--keyring', file]), '--root-key', office.rootPublicKey, '--out', out, letter], { stdin: 'Секрет' });

  test('not a signer that is on no keyring', async () => {
    const { code, err } = await with_(stranger, [office.keyring.file]);
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringMatching(/your signer is not on keyring 1: .*ask the administrator; nothing was sent \(SIGNER_UNKNOWN\)/)]);
    await nothingWritten();
  });

  test('not one that the newest valid keyring leaves out; a keyring that is not valid yet changes nothing', async () => {
    const root = await readRootKey(office.rootKey, () => Promise.reject(new Error('not protected')));
    const { keyring } = office.keyring;
    const plan = { from: new Date(Date.now() - 1000), days: 1, worker: keyring.worker, teams: keyring.teams.map((team) => ({ ...team, signers: [boris.signer] })) };
    const revoking = await createKeyring({ ...plan, serial: 2 }, root, dir.path('keyrings'));
    expect((await with_(anna, [revoking.file, office.keyring.file])).err).toContain('(SIGNER_UNKNOWN)');
    await nothingWritten();
    const later = await createKeyring({ ...plan, serial: 3, from: new Date(Date.now() + 86_400_000) }, root, dir.path('keyrings'));
    expect((await with_(anna, [later.file, office.keyring.file])).code).toBe(EXIT.ok);
    expect((await with_(boris, [later.file])).err).toContain('(KEYRING_NOT_YET_VALID)');
  });

  test('not under a keyring whose week is over', async () => {
    const argv = ['reply', ...options(), '--out', out, letter];
    const { code, err } = await cli(argv, { stdin: 'x', now: new Date(Date.now() + 8 * 86_400_000) });
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_EXPIRED)')]);
  });

  test('not with a file that is no signer: it is named', async () => {
    for (const file of [office.identity, anna.publicKeyFile]) {
      const { code, err } = await cli(['claim', letter, ...options({ ...anna, file }), '--out', out]);
      expect([code, err]).toEqual([EXIT.input, expect.stringMatching(/^support-relay: .*(volunteer\.txt|anna\.key\.pub) is not the signer: .*give the secret key .*\(INPUT_FORMAT\)\n$/)]);
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
    const other = aThread();
    const second = await writeTo(dir.path('second.age'), letterOf(other, 'Ещё одно'));
    const id = thread.address.key.slice(0, 8);
    const asked = await run(['reply', letter, second], { stdin: 'x' });
    expect([asked.code, asked.err]).toEqual([EXIT.input, expect.stringMatching(/there are 2 conversations .*--conversation.*\(CONVERSATION_UNKNOWN\)/)]);
    expect((await run(['reply', '--conversation', '00000000', letter, second], { stdin: 'x' })).err).toContain('(CONVERSATION_UNKNOWN)');
    await nothingWritten();
    expect((await run(['reply', '--conversation', id, letter, second], { stdin: 'to the first' })).code).toBe(EXIT.ok);
    expect((await opened()).reply).toBe('to the first');
  });

  test.each(['lock', 'recipient'] as const)('also one whose %s another conversation names: nobody can be silenced by it', async (part) => {
    const other = aThread();
    const forged = await writeTo(dir.path('forged.age'), letterOf({ ...other, address: { ...other.address, [part]: thread.address[part] } }, 'Чужое'));
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
    const other = aThread();
    const recipient = bech32.encode('age1pq', bech32.toWords(new Uint8Array(1_216).fill(0xff)), false);
    const file = await writeTo(dir.path('no-key.age'), letterOf({ ...other, address: { ...other.address, recipient } }, 'x'));
    const { code, err, asked } = await run(['reply', file], { terminal: { answers: [] } });
    expect([code, asked, err]).toEqual([EXIT.input, [], expect.stringMatching(/^support-relay: no answer can be sealed for conversation .*: the key .* is not valid; .*nothing was sent \(ADDRESS_UNUSABLE\)\n$/)]);
    await nothingWritten();
    expect((await run(['handover', '--to', 'Борис', file])).code).toBe(EXIT.ok);
  });

  test('not one sealed under a keyring that was not given', async () => {
    const content = { version: 1 as const, kind: 'request' as const, serial: 1, keyring: 'ab'.repeat(32), language: 'ru', message: 'x' };
    const file = await writeTo(dir.path('foreign.age'), sealLetter({ ...content, thread: signAddress(content, thread) }, [office.recipient]));
    const { code, err } = await run(['reply', file], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_FOREIGN)')]);
    await nothingWritten();
  });
});

describe('what somebody else has', () => {
  test.each<readonly [string, Partial<NoteText>, string]>([
    ['answered', { action: 'answer', text: 'x' }, 'Борис has answered'],
    ['taken', { action: 'claim' }, 'Борис has taken it'],
    ['got', { action: 'handover', to: 'Вера' }, 'Борис has handed it over to Вера'],
  ])('%s is refused, unless the volunteer insists', async (_what, said, line) => {
    const note = await writeTo(dir.path('note.age'), await noteBy(boris, said));
    const refused = await run(['reply', letter, note], { stdin: 'x' });
    expect([refused.code, refused.err]).toEqual([EXIT.input, expect.stringContaining('(CONVERSATION_TAKEN)')]);
    expect(refused.err).toContain(line);
    const declined = await run(['reply', letter, note], { terminal: { answers: ['n'] } });
    expect([declined.code, declined.asked]).toEqual([EXIT.input, ['Go on all the same? [y/N] ']]);
    await nothingWritten();
    expect((await run(['reply', '--anyway', letter, note], { stdin: 'x' })).code).toBe(EXIT.ok);
    expect((await run(['reply', letter, note], { terminal: { answers: ['y', 'typed', 'y'] } })).code).toBe(EXIT.ok);
    expect(await readdir(out)).toHaveLength(4);
  });

  test('what was handed over to them, they answer; a note by nobody of the keyring holds up nobody, and is reported', async () => {
    const notes = [await noteBy(boris, { action: 'claim' }), await noteBy(boris, { action: 'handover', to: 'Анна' }), await noteBy(stranger, { alias: 'Вера' })];
    const files = await Promise.all(notes.map((note, index) => writeTo(dir.path(`n${String(index)}.age`), note)));
    const { code, err } = await run(['reply', letter, ...files], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.ok, expect.stringMatching(/NOT TRUSTED: .*n2\.age.*\(SIGNER_UNKNOWN\)/)]);
  });
});

describe('what could not be read', () => {
  const foreign = (note: NoteContent): NoteContent => ({ ...note, keyring: 'ab'.repeat(32) });

  test.each<readonly [string, () => Promise<string>, string]>([
    ['a file that is not there', () => Promise.resolve(dir.path('gone.age')), 'INPUT_MISSING'],
    ['a mail server that is away', async () => `imaps://anna@127.0.0.1:${String(await closedPort())}/`, 'IMAP_AWAY'],
    ['a damaged note', async () => writeTo(dir.path('damaged.age'), (await noteBy(boris, {})).map((byte, at, { length }) => (at === length - 1 ? byte ^ 1 : byte))), 'AGE_PAYLOAD'],
    ['a note under a keyring that was not given', async () => writeTo(dir.path('foreign.age'), sealLetter(foreign(await contentBy(boris, {})), [office.recipient])), 'KEYRING_FOREIGN'],
  ])('%s may be what somebody else has said: nobody goes on unless they insist', async (_what, path, why) => {
    const argv = ['reply', letter, await path(), '--imap-password-file', await writeTo(dir.path('password'), 'x')];
    const { code, err } = await run(argv, { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.input, expect.stringMatching(/not everything could be read; get what is missing .*nothing was sent \(READING_INCOMPLETE\)\n$/)]);
    expect(err).toContain(`(${why})`);
    const declined = await run(argv, { terminal: { answers: ['n'] } });
    expect([declined.code, declined.asked]).toEqual([EXIT.input, ['Go on all the same? [y/N] ']]);
    await nothingWritten();
    expect((await run([...argv, '--anyway'], { stdin: 'x' })).code).toBe(EXIT.ok);
    expect((await run(argv, { terminal: { answers: ['y', 'typed', 'y'] } })).code).toBe(EXIT.ok);
  });

  test('but a letter for somebody else, and ordinary mail, hold up nobody', async () => {
    const elsewhere = await openOffice((...parts) => dir.path('elsewhere', ...parts));
    const others = [await writeTo(dir.path('others.age'), elsewhere.letter()), await writeTo(dir.path('ordinary.eml'), 'Subject: x\n\nordinary\n')];
    const { code, err } = await run(['reply', letter, ...others], { stdin: 'x' });
    expect([code, err.match(/AGE_NO_MATCH|LETTER_MISSING/g)]).toEqual([EXIT.ok, ['AGE_NO_MATCH', 'LETTER_MISSING']]);
  });
});

describe('the answers of a week', () => {
  const answers = (count: number, by: NewSigner, name: string): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, async (_, i) => writeTo(dir.path(`${name}-${String(i)}.age`), await noteBy(by, { action: 'answer', text: 'x' }))));

  test('after twelve of one signer only a colleague goes on, unless the volunteer insists', async () => {
    const twelve = await answers(12, anna, 'twelve');
    expect((await run(['reply', letter, ...twelve.slice(1)], { stdin: 'the twelfth' })).code).toBe(EXIT.ok);
    const { code, err, asked } = await run(['reply', letter, ...twelve], { terminal: { answers: [] } });
    expect([code, asked]).toEqual([EXIT.input, []]);
    expect(err).toMatch(/12 answers of yours .*would accept one more and drop it; let a colleague answer, .* next week; .*give --anyway; nothing was sent \(MAILBOX_FULL\)/);
    expect(await readdir(out)).toHaveLength(2);
    expect((await run(['claim', letter, ...twelve])).code).toBe(EXIT.ok);
    expect((await run(['reply', letter, ...twelve, '--anyway'], { stdin: 'x' })).err).toContain('12 answers of yours');
    expect((await cli(['reply', letter, ...twelve, ...options(boris), '--out', out, '--anyway'], { stdin: 'x' })).err).not.toContain('of yours');
    expect(await readdir(out)).toHaveLength(7);
  });

  test('after sixteen of the team nobody does', async () => {
    const sixteen = [...(await answers(8, anna, 'a')), ...(await answers(8, boris, 'b'))];
    expect((await run(['reply', letter, '--anyway', ...sixteen.slice(1)], { stdin: 'the sixteenth' })).err).not.toContain('drop it');
    expect((await run(['reply', letter, ...sixteen, '--file', '/dev/null'])).err).toContain('(CONVERSATION_TAKEN)');
    const { code, err } = await run(['reply', letter, ...sixteen.slice(8), ...sixteen.slice(0, 8), '--anyway'], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.ok, expect.stringContaining('16 answers of the team may have gone to this person this week')]);
  });

  test('under last week’s keyring count too, until the week of the mailboxes is over', async () => {
    const day = 86_400_000;
    const thursday = (weekOf(new Date()) + 3) * 7 * day;
    const { worker, teams } = office.keyring.keyring;
    const root = await readRootKey(office.rootKey, () => Promise.reject(new Error('not protected')));
    const from = (serial: number, days: number) => createKeyring({ serial, from: new Date(thursday + days * day), days: 7, worker, teams }, root, dir.path('keyrings'));
    const [last, current] = [await from(4, -3), await from(5, 4)];
    const twelve = await Promise.all(Array.from({ length: 12 }, async (_, i) => {
      const note = { ...(await contentBy(anna, { action: 'answer', text: 'x' })), serial: 4, keyring: last.digest };
      return writeTo(dir.path(`last-${String(i)}.age`), sealLetter(note, [office.recipient]));
    }));
    const after = (days: number): Promise<CliResult> => run(['reply', letter, ...twelve, '--keyring', last.file, '--keyring', current.file], { stdin: 'x', now: new Date(thursday + days * day) });
    for (const days of [3, 4, 6.9]) expect((await after(days)).err).toContain('(MAILBOX_FULL)');
    expect((await after(7)).code).toBe(EXIT.ok);
  });
});

describe('at a terminal', () => {
  test('the text is typed, shown back with the room left, and confirmed', async () => {
    const answers = ['Мы\u001b[2J рядом', 'y'];
    const { code, err, asked } = await run(['reply', letter], { terminal: { answers } });
    expect([code, asked]).toEqual([EXIT.ok, ['text', 'Send? [y/N] ']]);
    expect(err).toContain('    Мы‹U+001B›[2J рядом\n');
    expect(err).toMatch(/room left: \d+ bytes/);
    expect((await opened()).reply).toBe(answers[0]);
  });

  test('a text that does not fit is still above, and nothing is asked', async () => {
    const { code, err, asked } = await run(['reply', letter], { terminal: { answers: ['x'.repeat(replyRoom('') + 1)] } });
    expect([code, asked]).toEqual([EXIT.input, ['text']]);
    expect(err).toMatch(/It does not fit\. The text is still above: .*\n.*1 bytes too long.*\(REPLY_TOO_LONG\)/);
    await nothingWritten();
  });

  test('words for the team are asked for, and may be left out', async () => {
    for (const words of [' Сегодня \u001b[2J', '']) expect((await run(['claim', letter], { terminal: { answers: [words, 'y'] } })).code).toBe(EXIT.ok);
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
    const clara = await createSignerFile({ file: dir.path('clara.key'), passphrase });
    const other = await openOffice((...parts) => dir.path('clara', ...parts), { signers: [clara.signer] });
    const content = { version: 1 as const, kind: 'request' as const, serial: 1, keyring: other.keyring.digest, language: 'ru', message: 'x' };
    const file = await writeTo(dir.path('for-clara.age'), sealLetter({ ...content, thread: signAddress(content, thread) }, [other.recipient]));
    const argv = ['reply', '--identity', other.identity, '--signer', clara.file, '--alias', 'Клара', '--keyring', other.keyring.file, '--root-key', other.rootPublicKey, '--out', out, file];
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
    const { code, output } = await atTerminal(quoted, [['Ctrl-D', `${'long '.repeat(1_000)}\rend\r\u0004`], ['Send? [y/N]', 'y']]);
    expect(code, output).toBe(EXIT.ok);
    expect((await opened()).reply).toBe(`${'long '.repeat(1_000)}\nend`);
  });
});
