// `keygen`: identities and signers, with and without a passphrase.
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSigner } from '../../cli/keys/signer.ts';
import { EXIT } from '../../cli/errors.ts';
import { readIdentities } from '../../cli/keys/identities.ts';
import { newPassphrase } from '../../cli/terminal/passphrase.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { processIo } from '../../cli/terminal/process-io.ts';
import type { Io } from '../../cli/terminal/io.ts';
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { toHex, utf8 } from '../../crypto/bytes.ts';
import { encodeSecretKey, generateKeyPair, sign } from '../../crypto/minisign.ts';
import { cli, identitiesOf, openOffice, temporaryDirectory, writeTo } from '../support/cli.ts';
import { atTerminal } from '../support/terminal.ts';

const runFile = promisify(execFile);
const PASSPHRASE = 'correct horse ёжик';
/** A cheap work factor, since it is not the point here; cli-root-key.test.ts has the real one. */
const SOON = { logN: 12 };
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let passphraseFile: string;

beforeAll(async () => {
  dir = await temporaryDirectory();
  passphraseFile = await writeTo(dir.path('passphrase'), `${PASSPHRASE}\n`);
});
afterAll(() => dir.remove());

/** A terminal at which somebody gives these answers, one after the other. */
function terminal(answers: string[]): { io: Io; asked: string[] } {
  const asked: string[] = [];
  const askSecret = (prompt: string): Promise<string> => {
    asked.push(prompt);
    return Promise.resolve(answers.shift() ?? '');
  };
  return { io: { ...processIo(), stdinIsTerminal: true, askSecret }, asked };
}

const mode = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

describe('keygen', () => {
  test('writes an age identity file with no time but the day', async () => {
    const file = dir.path('plain.txt');
    const { code, text, err } = await cli(['keygen', '--out', file], { now: new Date('2026-03-02T13:37:11Z') });
    const content = await readFile(file, 'utf8');
    const recipient = text.trim();
    expect(code).toBe(EXIT.ok);
    expect(content).toMatch(/^# created: 2026-03-02\n# public key: (age1pq1[a-z0-9]{1952})\nAGE-SECRET-KEY-PQ-1[A-Z0-9]+\n$/);
    expect(content).toContain(`# public key: ${recipient}\n`);
    expect((await identitiesOf(file)).map(identityToRecipient)).toEqual([recipient]);
    expect(err).not.toContain('AGE-SECRET-KEY');
    expect(await mode(file)).toBe(0o600);
  });

  test('never overwrites', async () => {
    const file = await writeTo(dir.path('precious'), 'mine');
    const { code, err } = await cli(['keygen', '--out', file]);
    expect(code).toBe(EXIT.output);
    expect(err).toContain('(OUTPUT_EXISTS)');
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  test('asks for a passphrase twice and refuses two that differ', async () => {
    const file = dir.path('differs.age');
    const result = await cli(['keygen', '--passphrase', '--out', file], {
      terminal: { answers: ['one of several words', 'two of several words'] },
    });
    expect(result.asked).toHaveLength(2);
    expect(result.code).toBe(EXIT.passphrase);
    expect(result.err).toContain('(PASSPHRASE_DIFFERS)');
    await expect(stat(file)).rejects.toThrow();
  });

  test.each(['1', 'elevenchars', '            ', 'aaaaaaaaaaaaaaaaaaaa', 'ёжик'])(
    '"%s" is too weak a passphrase, typed or in a file',
    async (weak) => {
      const file = dir.path('weak.age');
      const typed = await cli(['keygen', '--passphrase', '--signer', file], { terminal: { answers: [weak] } });
      expect([typed.code, typed.err]).toEqual([EXIT.passphrase, expect.stringContaining('(PASSPHRASE_WEAK)')]);
      const given = await cli(['keygen', '--out', file, '--passphrase-file', await writeTo(dir.path('weak'), weak)]);
      expect(given.code).toBe(EXIT.passphrase);
      await expect(stat(file)).rejects.toThrow();
    },
  );

  test.each([
    ['ru', /^[а-я]{4,}$/],
    ['en', /^[a-z]{3,}$/],
  ])('makes six words in %s for whoever types nothing, and has them typed once', async (language, word) => {
    const file = dir.path(`words-${language}.age`);
    let shown = '';
    const { io } = terminal([]);
    const answers = [() => '', () => shown];
    const made = newPassphrase(
      {
        ...io,
        language,
        err: (text) => (shown ||= /^\n {4}(.*)\n/.exec(text)?.[1] ?? ''),
        askSecret: () => Promise.resolve(answers.shift()?.() ?? ''),
      },
      file,
      undefined,
    );
    const words = (await made).split(' ');
    expect(words).toHaveLength(6);
    for (const each of words) expect(each).toMatch(word);
    await expect(
      newPassphrase({ ...io, language, err: () => undefined, askSecret: () => Promise.resolve('') }, file, undefined),
    ).rejects.toMatchObject({ code: 'PASSPHRASE_DIFFERS' });
  });

  test('an existing file is reported before anything is asked', async () => {
    const file = await writeTo(dir.path('there'), 'mine');
    for (const argv of [
      ['--out', file],
      ['--signer', file],
    ]) {
      const { code, asked } = await cli(['keygen', '--passphrase', ...argv], { terminal: { answers: [] } });
      expect([code, asked]).toEqual([EXIT.output, []]);
    }
  });

  test('the progress of protecting a key shows at a terminal, and nowhere else', async () => {
    const at = await cli(['keygen', '--passphrase', '--out', dir.path('progress.age')], {
      ...SOON,
      terminal: { answers: [PASSPHRASE, PASSPHRASE] },
    });
    expect(at.err).toMatch(/\rProtecting the key with its passphrase … \d+ %/);
  });

  test('the progress of opening a key shows at a terminal, in a line that goes away, and nowhere else', async () => {
    const identity = await writeTo(dir.path('light.age'), await encryptWithPassphrase(utf8('AGE-SECRET-KEY-'), PASSPHRASE, 10));
    const signer = await writeTo(dir.path('light.key'), await encodeSecretKey(generateKeyPair(), PASSPHRASE, 'signer', SOON.logN));
    const opening = async (isTerminal: boolean, open: (io: Io) => Promise<unknown>): Promise<string> => {
      let shown = '';
      await open({ ...terminal([PASSPHRASE]).io, stderrIsTerminal: isTerminal, err: (text) => void (shown += text) }).catch(
        () => undefined,
      );
      return shown;
    };
    for (const open of [(io: Io) => readIdentities([identity], io), (io: Io) => readSigner(signer, io)]) {
      expect(await opening(true, open)).toMatch(/^\rOpening the key with its passphrase … \d+ %[^]*\r +\r$/);
      expect(await opening(false, open)).toBe('');
    }
  });

  test('without a terminal or a file a passphrase cannot be had', async () => {
    const { code, err } = await cli(['keygen', '--passphrase', '--out', dir.path('none.age')]);
    expect(code).toBe(EXIT.passphrase);
    expect(err).toContain('standard input is not a terminal; run it at a terminal or give --passphrase-file FILE (PASSPHRASE_UNASKABLE)');
  });

  test("Debian's age opens our protected file, and so does age-encryption", async () => {
    const file = dir.path('ours.age');
    const { code, text } = await cli(['keygen', '--out', file, '--passphrase-file', passphraseFile, '--json'], SOON);
    const made = JSON.parse(text) as { recipient: string; protected: boolean };
    expect(code).toBe(EXIT.ok);
    expect(made.protected).toBe(true);
    expect(await mode(file)).toBe(0o600);

    const opened = dir.path('opened.txt');
    await atTerminal(`age -d -o ${opened} ${file}`, [['Enter passphrase', PASSPHRASE]]);
    expect((await identitiesOf(opened)).map(identityToRecipient)).toEqual([made.recipient]);

    const decrypter = new Decrypter();
    decrypter.addPassphrase(PASSPHRASE);
    expect(await decrypter.decrypt(await readFile(file), 'text')).toBe(await readFile(opened, 'utf8'));
  });

  test("open takes an identity file that Debian's age protected, binary and armored", async () => {
    const office = await openOffice((...parts) => dir.path('debian', ...parts));
    const letter = await writeTo(dir.path('letter.age'), office.letter({ message: 'Слышно?' }));
    for (const options of ['-p', '-p -a']) {
      const file = dir.path(`debian${String(options.length)}.age`);
      const made = await atTerminal(`age ${options} -o ${file} ${office.identity}`, [
        ['Enter passphrase', PASSPHRASE],
        ['Confirm passphrase', PASSPHRASE],
      ]);
      expect(made.code, made.output).toBe(0);
      const { code, text, err } = await cli(['open', '--identity', file, '--passphrase-file', passphraseFile, letter]);
      expect(err).not.toContain('NOT OPENED');
      expect(code).toBe(EXIT.ok);
      expect(text).toContain('Слышно?');
    }
  });
});

describe('keygen --signer', () => {
  test('makes a signer that minisign does not sign with, and prints what the keyring lists', async () => {
    const file = dir.path('signer.key');
    const { code, text, err } = await cli(['keygen', '--signer', file]);
    expect(code, err).toBe(EXIT.ok);
    expect(text).toMatch(/^[0-9a-f]{64}\n$/);
    expect(err).toContain(fingerprint(text.trim()));
    expect(err).toContain('whoever gets the file can answer in your name');
    expect(await mode(file)).toBe(0o600);
    const message = await writeTo(dir.path('signed'), 'text');
    for (const legacy of [['-l'], []]) {
      await expect(runFile('minisign', ['-S', '-W', ...legacy, '-s', file, '-m', message])).rejects.toMatchObject({
        stderr: expect.stringMatching(/algorithm/i) as string,
      });
    }
    const { io } = terminal([]);
    const signer = await readSigner(file, io);
    expect(toHex(signer.key)).toBe(text.trim());
    await writeTo(`${message}.minisig`, sign(await readFile(message), signer, 'by a volunteer'));
    await runFile('minisign', ['-V', '-p', `${file}.pub`, '-m', message]);
    expect((await cli(['keygen', '--signer', file])).code).toBe(EXIT.output);
    expect(await cli(['keygen', '--signer', file, '--out', file])).toMatchObject({ code: EXIT.usage });
  });

  test('with a passphrase, opens with that alone', async () => {
    const file = dir.path('protected-signer.key');
    const made = await cli(['keygen', '--passphrase', '--json', '--signer', file], {
      ...SOON,
      terminal: { answers: [PASSPHRASE, PASSPHRASE] },
    });
    const { signer, protected: isProtected } = JSON.parse(made.text) as { signer: string; protected: boolean };
    expect(isProtected).toBe(true);
    const { io, asked } = terminal([PASSPHRASE, 'wrong']);
    expect(toHex((await readSigner(file, io)).key)).toBe(signer);
    await expect(readSigner(file, io)).rejects.toMatchObject({ code: 'PASSPHRASE_WRONG', exitCode: EXIT.passphrase });
    expect(asked).toHaveLength(2);
    expect(toHex((await readSigner(file, io, passphraseFile)).key)).toBe(signer);
  });
});
