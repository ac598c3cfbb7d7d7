import { readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKeyring } from '../../cli/keys/keyring.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import type { NewSigner } from '../../cli/keys/signer.ts';
import { EXIT } from '../../cli/errors.ts';
import { armor } from '../../crypto/age/armor.ts';
import { sealLetter, type NoteContent } from '../../crypto/letter.ts';
import { weekOf } from '../../crypto/mailbox.ts';
import type { NoteText } from '../../crypto/note.ts';
import { armorIn, fileIn } from '../support/armor-forms.ts';
import { openAnswering } from '../support/answering.ts';
import { cli, openOffice, writeTo, type CliInput, type CliResult } from '../support/cli.ts';
import { compound } from '../support/compound-file.ts';
import { bytesOf, mailOf, multipart, part, tnef, tnefAttachment, utf16, zip } from '../support/containers.ts';
import { newThread } from '../support/letters.ts';
import { closedPort } from '../support/smtp.ts';

const { dir, office, anna, boris, stranger, thread, letter, letterOf, nextOut, options, run, contentBy, noteBy, nothingWritten } =
  await openAnswering();
let out: string;

afterAll(() => dir.remove());
beforeEach(() => {
  out = nextOut();
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

  test('what was handed over to a volunteer, they may answer; a note by a stranger blocks nobody, and is reported', async () => {
    const notes = [
      await noteBy(boris, { action: 'claim' }),
      await noteBy(boris, { action: 'handover', to: 'Анна' }),
      await noteBy(stranger, { alias: 'Вера' }),
    ];
    const files = await Promise.all(notes.map((note, index) => writeTo(dir.path(`n${String(index)}.age`), note)));
    const { code, err } = await run(['reply', letter, ...files], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.ok, expect.stringMatching(/NOT TRUSTED: .*n2\.age.*\(SIGNER_UNKNOWN\)/)]);
  });
});

describe('what could not be read', () => {
  const foreign = (note: NoteContent): NoteContent => ({ ...note, keyring: 'ab'.repeat(32) });

  test('what a colleague is known to have needs more than --incomplete', async () => {
    const claim = await writeTo(dir.path('claim.age'), await noteBy(boris, {}));
    expect((await run(['reply', letter, claim, dir.path('gone.age'), '--incomplete'], { stdin: 'x' })).err).toContain(
      '(CONVERSATION_TAKEN)',
    );
  });

  test.each<readonly [string, () => Promise<string>, string]>([
    ['a file that is not there', () => Promise.resolve(dir.path('gone.age')), 'INPUT_MISSING'],
    ['a mail server that is away', async () => `imaps://anna@127.0.0.1:${String(await closedPort())}/`, 'IMAP_AWAY'],
    [
      'a damaged note',
      async () =>
        writeTo(
          dir.path('damaged.age'),
          (await noteBy(boris, {})).map((byte, at, { length }) => (at === length - 1 ? byte ^ 1 : byte)),
        ),
      'AGE_PAYLOAD',
    ],
    [
      'a note under a keyring that was not given',
      async () => writeTo(dir.path('foreign.age'), sealLetter(foreign(await contentBy(boris, {})), [office.recipient])),
      'NOTE_FOREIGN',
    ],
  ])('%s may hide a colleague’s note: the volunteer has to insist', async (_what, path, why) => {
    const argv = ['reply', letter, await path(), '--imap-password-file', await writeTo(dir.path('password'), 'x')];
    const { code, err } = await run(argv, { stdin: 'x' });
    expect([code, err]).toEqual([
      EXIT.input,
      expect.stringMatching(/not everything could be read; get what is missing .*nothing was sent \(READING_INCOMPLETE\)\n$/),
    ]);
    expect(err).toContain(`(${why})`);
    const declined = await run(argv, { terminal: { answers: ['n'] } });
    expect([declined.code, declined.asked]).toEqual([EXIT.input, ['Go on all the same? [y/N] ']]);
    await nothingWritten();
    expect((await run([...argv, '--anyway'], { stdin: 'x' })).err).toContain('(READING_INCOMPLETE)');
    expect((await run([...argv, '--incomplete'], { stdin: 'x' })).code).toBe(EXIT.ok);
    expect((await run(argv, { terminal: { answers: ['y', 'typed', 'y'] } })).code).toBe(EXIT.ok);
  });

  // In each of these forms a colleague's answer was once missed, and a second one written.
  const forms: Readonly<Record<string, (note: Uint8Array) => Uint8Array>> = {
    'UTF-16': (note) => utf16(armor(note)),
    'smart dashes': (note) => bytesOf(armorIn('em and en dash', note)),
    're-wrapped below an attached request': (note) =>
      mailOf(
        multipart('mixed', [
          part({ type: 'text/plain', encoding: '7bit', body: armorIn('60 columns', note) }),
          part({ type: 'application/octet-stream', name: 'letter.age', body: letterOf(newThread(), 'x') }),
        ]),
      ),
    'a mail attached as a file': (note) =>
      mailOf(
        multipart('mixed', [
          part({
            type: 'application/octet-stream',
            name: 'Message.eml',
            body: mailOf(part({ type: 'application/octet-stream', name: 'letter.age', body: note })),
          }),
        ]),
      ),
    'a zip': (note) => zip([{ name: 'letter.age', content: note }]),
    gzip: (note) => new Uint8Array(gzipSync(note)),
    'winmail.dat': (note) => tnef(tnefAttachment('letter.age', note)),
    '.msg': (note) => compound([{ name: '__substg1.0_37010102', content: note }]),
    'HTML alone': (note) => mailOf(part({ type: 'text/html', body: armorIn('HTML, a <div> a line', note) })),
    'a line feed behind': (note) => fileIn('a line feed behind', note),
    'the second message of an .mbox': (note) =>
      Buffer.concat([
        bytesOf('From a Sat Nov 28 00:00:00 2026\nSubject: x\n\nhello\n\nFrom b Sat Nov 28 00:00:00 2026\n'),
        mailOf(part({ type: 'application/octet-stream', name: 'letter.age', body: note })),
      ]),
    'a zip with a password': (note) => zip([{ name: 'letter.age', content: note, flags: 1 }]),
    'half of it': (note) => note.subarray(0, 11_000),
    hexadecimal: (note) => bytesOf(Buffer.from(note).toString('hex')),
    'an archive that is not opened': (note) =>
      new Uint8Array(Buffer.concat([Buffer.from('Rar!\x1a\x07\x01\x00', 'latin1'), Buffer.from(note).map((byte) => byte ^ 0x55)])),
  };
  test.each(Object.keys(forms))('a colleague’s answer as %s keeps a second one from being written', async (form) => {
    const note = await writeTo(
      dir.path('form'),
      (forms[form] as (note: Uint8Array) => Uint8Array)(await noteBy(boris, { action: 'answer', text: 'x' })),
    );
    const { code, err } = await run(['reply', letter, note, '--conversation', thread.address.key.slice(0, 8)], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.input, expect.stringMatching(/\((?:CONVERSATION_TAKEN|READING_INCOMPLETE)\)\n$/)]);
    await nothingWritten();
  });

  test('a note that was sealed twice is shown once', async () => {
    const content = await contentBy(boris, { action: 'claim', text: 'Беру' });
    const notes = await Promise.all(
      [1, 2].map((index) => writeTo(dir.path(`twice-${String(index)}.age`), sealLetter(content, [office.recipient]))),
    );
    const { code, text } = await cli(['open', '--identity', office.identity, ...notes]);
    expect([code, text.match(/Беру/g)]).toEqual([EXIT.ok, ['Беру']]);
  });

  test('eight letters that no key opens are reported in one line', async () => {
    const elsewhere = await openOffice((...parts) => dir.path('far', ...parts));
    const letters = await Promise.all(
      Array.from({ length: 8 }, (_, index) => writeTo(dir.path(`far-${String(index)}.age`), elsewhere.letter())),
    );
    const { err } = await cli(['open', '--identity', office.identity, ...letters]);
    expect(err.match(/AGE_NO_MATCH/g)).toHaveLength(1);
    expect(err).toContain('NOT OPENED: 8 times: none of the identities opens this file');
    expect(err).toContain('and 5 more');
  });

  test('a letter for somebody else, a request under any keyring, and ordinary mail block nobody', async () => {
    const elsewhere = await openOffice((...parts) => dir.path('elsewhere', ...parts));
    const request = { version: 1 as const, kind: 'request' as const, serial: 1, keyring: 'ab'.repeat(32), language: 'ru', message: 'x' };
    const others = [
      await writeTo(dir.path('request.age'), sealLetter(request, [office.recipient])),
      await writeTo(dir.path('others.age'), elsewhere.letter()),
      await writeTo(dir.path('ordinary.eml'), 'Subject: x\n\nordinary\n'),
    ];
    const { code, err } = await run(['reply', letter, ...others], { stdin: 'x' });
    expect([code, err.match(/KEYRING_FOREIGN|AGE_NO_MATCH|LETTER_MISSING/g)]).toEqual([
      EXIT.ok,
      ['KEYRING_FOREIGN', 'AGE_NO_MATCH', 'LETTER_MISSING'],
    ]);
  });
});

describe('one name for one signer', () => {
  let ownNote: string;
  beforeAll(async () => {
    ownNote = await writeTo(dir.path('own-note.age'), await noteBy(anna, {}));
  });
  const claimAs = (alias: string, input: CliInput, ...more: string[]): Promise<CliResult> =>
    cli(['claim', letter, ownNote, ...more, ...options().map((word) => (word === 'Анна' ? alias : word)), '--out', nextOut()], input);

  test('a different alias is refused where nobody can be asked, unless the volunteer insists', async () => {
    const { code, err } = await claimAs('Anja', {});
    expect([code, err]).toEqual([
      EXIT.input,
      expect.stringContaining(
        "you have signed as Анна so far, not as Anja; take --alias 'Анна', or give --anyway; nothing was sent (ALIAS_DIFFERS)",
      ),
    ]);
    expect((await claimAs('Anja', {}, '--anyway')).code).toBe(EXIT.ok);
  });

  test('at a terminal the former alias is offered', async () => {
    const { code, asked, err } = await claimAs('Anja', { terminal: { answers: ['', '', 'y'] } });
    expect([code, asked.slice(0, 1)]).toEqual([EXIT.ok, ['Use Анна? [Y/n] ']]);
    expect(err).toContain('Анна: claim');
    const other = await claimAs('Anja', { terminal: { answers: ['n', 'y', '', 'y'] } });
    expect([other.code, other.err]).toEqual([EXIT.ok, expect.stringContaining('Anja: claim')]);
    expect((await claimAs('Anja', { terminal: { answers: ['n', 'n'] } })).code).toBe(EXIT.interrupted);
  });

  test('the same alias in other letters counts as the same', async () => {
    expect((await claimAs('анна', {})).code).toBe(EXIT.ok);
  });
});

describe('the answers of a week', () => {
  const answers = (count: number, by: NewSigner, name: string): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, i) =>
        writeTo(dir.path(`${name}-${String(i)}.age`), await noteBy(by, { action: 'answer', text: 'x' })),
      ),
    );

  test('after twelve by one signer only a colleague can go on, unless the volunteer insists', async () => {
    const twelve = await answers(12, anna, 'twelve');
    expect((await run(['reply', letter, ...twelve.slice(1)], { stdin: 'the twelfth' })).code).toBe(EXIT.ok);
    const { code, err, asked } = await run(['reply', letter, ...twelve], { terminal: { answers: [] } });
    expect([code, asked]).toEqual([EXIT.input, []]);
    expect(err).toMatch(
      new RegExp(
        '12 answers of yours .*would accept one more and drop it; let a colleague answer, .* next week; ' +
          '.*give --anyway; nothing was sent \\(MAILBOX_FULL\\)',
      ),
    );
    expect(await readdir(out)).toHaveLength(2);
    expect((await run(['claim', letter, ...twelve])).code).toBe(EXIT.ok);
    expect((await run(['reply', letter, ...twelve, '--anyway'], { stdin: 'x' })).err).toContain('12 answers of yours');
    expect((await cli(['reply', letter, ...twelve, ...options(boris), '--out', out, '--anyway'], { stdin: 'x' })).err).not.toContain(
      'of yours',
    );
    expect(await readdir(out)).toHaveLength(7);
  });

  test('after sixteen by the team nobody can', async () => {
    const sixteen = [...(await answers(8, anna, 'a')), ...(await answers(8, boris, 'b'))];
    expect((await run(['reply', letter, '--anyway', ...sixteen.slice(1)], { stdin: 'the sixteenth' })).err).not.toContain('drop it');
    expect((await run(['reply', letter, ...sixteen, '--file', '/dev/null'])).err).toContain('(CONVERSATION_TAKEN)');
    const { code, err } = await run(['reply', letter, ...sixteen.slice(8), ...sixteen.slice(0, 8), '--anyway'], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.ok, expect.stringContaining('16 answers of the team may have gone to this person this week')]);
  });

  test('those under last week’s keyring count too, until the week of the mailboxes is over', async () => {
    const day = 86_400_000;
    const thursday = (weekOf(new Date()) + 3) * 7 * day;
    const { worker, teams } = office.keyring.keyring;
    const root = await readRootKey(office.rootKey, () => Promise.reject(new Error('not protected')));
    const from = (serial: number, days: number, previous?: VerifiedKeyring) =>
      createKeyring(
        { ...(previous === undefined ? {} : { previous }), serial, from: new Date(thursday + days * day), days: 7, worker, teams },
        root,
        dir.path('keyrings'),
      );
    const last = await from(4, -3);
    const current = await from(5, 4, last);
    const twelve = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const note = { ...(await contentBy(anna, { action: 'answer', text: 'x' })), serial: 4, keyring: last.digest };
        return writeTo(dir.path(`last-${String(i)}.age`), sealLetter(note, [office.recipient]));
      }),
    );
    const after = (days: number): Promise<CliResult> =>
      run(['reply', letter, ...twelve, '--keyring', last.file, '--keyring', current.file], {
        stdin: 'x',
        now: new Date(thursday + days * day),
      });
    for (const days of [3, 4, 6.9]) expect((await after(days)).err).toContain('(MAILBOX_FULL)');
    expect((await after(7)).code).toBe(EXIT.ok);
  });
});
