// `admin init`: minisign reads our root keys, and we read minisign's.
import { execFile } from 'node:child_process';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRootKey } from '../../cli/keys/root-key.ts';
import { EXIT } from '../../cli/errors.ts';
import { encodeSecretKey, generateKeyPair, parsePublicKey, sign } from '../../crypto/minisign.ts';
import { cli, temporaryDirectory, writeTo } from '../support/cli.ts';
import { atTerminal } from '../support/terminal.ts';
import { isThorough } from '../support/thorough.ts';

const runFile = promisify(execFile);
/** minisign's key derivation takes seconds and 1 GiB in each program; a busy machine needs patience. */
const PATIENCE_MS = 240_000;
const PASSPHRASE = 'correct horse ёжик';
/** A cheap work factor where it is not the point; `admin init` and minisign have the real one. */
const LOG_N = 12;
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  dir = await temporaryDirectory();
});
afterAll(() => dir.remove());

describe('admin init', () => {
  test("Debian's minisign verifies with our public key and signs with our secret key", async () => {
    const { code, text } = await cli(['admin', 'init', '--no-passphrase', '--folder', dir.path('bare'), '--json']);
    const { publicKey } = JSON.parse(text) as { publicKey: string };
    const made = { keyFile: dir.path('bare', 'root.key'), publicKeyFile: dir.path('bare', 'root.pub'), publicKey };
    expect(code).toBe(EXIT.ok);
    expect((await stat(made.keyFile)).mode & 0o777).toBe(0o600);
    const message = await writeTo(dir.path('message'), 'text');
    await runFile('minisign', ['-S', '-W', '-s', made.keyFile, '-m', message]);
    await runFile('minisign', ['-V', '-p', made.publicKeyFile, '-m', message]);
    await runFile('minisign', ['-V', '-P', made.publicKey, '-m', message]);
    const key = await readRootKey(made.keyFile, () => Promise.reject(new Error('not protected')));
    await writeTo(`${message}.minisig`, sign(new TextEncoder().encode('text'), key, 'ours'));
    await runFile('minisign', ['-V', '-p', made.publicKeyFile, '-m', message]);
  });

  test(
    'is protected unless told otherwise, and minisign opens it with the passphrase',
    async () => {
      const directory = dir.path('protected');
      const result = await cli(['admin', 'init', '--folder', directory], { terminal: { answers: [PASSPHRASE, PASSPHRASE] } });
      expect(result.code, result.err).toBe(EXIT.ok);
      const message = await writeTo(dir.path('message2'), 'text');
      const signed = await atTerminal(`minisign -S -s ${directory}/root.key -m ${message}`, [['Password', PASSPHRASE]]);
      expect(signed.code, signed.output).toBe(0);
      await runFile('minisign', ['-V', '-p', `${directory}/root.pub`, '-m', message]);
    },
    PATIENCE_MS,
  );

  test('opens with its passphrase alone: a wrong one is exit 4', async () => {
    const light = await writeTo(dir.path('light-root.key'), await encodeSecretKey(generateKeyPair(), PASSPHRASE, 'minisign', LOG_N));
    await readRootKey(light, () => Promise.resolve(PASSPHRASE));
    await expect(readRootKey(light, () => Promise.resolve('wrong'))).rejects.toMatchObject({
      code: 'PASSPHRASE_WRONG',
      exitCode: EXIT.passphrase,
    });
  });

  // Of two keys at minisign's own cost the sample has the one above.
  if (isThorough())
    test(
      'reads a secret key that minisign made and protected',
      async () => {
        const [secret, pub] = [dir.path('theirs.key'), dir.path('theirs.pub')];
        const made = await atTerminal(`minisign -G -s ${secret} -p ${pub}`, [
          ['Password', PASSPHRASE],
          ['Password (one more time)', PASSPHRASE],
        ]);
        expect(made.code, made.output).toBe(0);
        const message = await writeTo(dir.path('message3'), 'text');
        const key = await readRootKey(secret, () => Promise.resolve(PASSPHRASE));
        await writeTo(`${message}.minisig`, sign(new TextEncoder().encode('text'), key, 'ours'));
        await runFile('minisign', ['-V', '-p', pub, '-m', message]);
      },
      PATIENCE_MS,
    );

  test('is safe to run twice: the key stays, and nothing is asked', async () => {
    const directory = dir.path('twice');
    await cli(['admin', 'init', '--no-passphrase', '--folder', directory]);
    const before = await readFile(`${directory}/root.key`, 'utf8');
    const again = await cli(['admin', 'init', '--folder', directory, '--json']);
    expect(again).toMatchObject({ code: EXIT.ok, asked: [] });
    expect(JSON.parse(again.text)).toMatchObject({ made: false });
    expect(await readFile(`${directory}/root.key`, 'utf8')).toBe(before);
  });

  test('takes a root.key that lies there already, and asks for its passphrase', async () => {
    const directory = dir.path('theirs');
    await mkdir(directory);
    const key = generateKeyPair();
    await writeTo(`${directory}/root.key`, await encodeSecretKey(key, PASSPHRASE, 'minisign', LOG_N));
    const wrong = await cli(['admin', 'init', '--folder', directory], { terminal: { answers: ['another passphrase'] } });
    expect([wrong.code, wrong.err]).toEqual([EXIT.passphrase, expect.stringContaining('(PASSPHRASE_WRONG)')]);
    const { code, text } = await cli(['admin', 'init', '--folder', directory], { terminal: { answers: [PASSPHRASE] } });
    expect(code).toBe(EXIT.ok);
    expect(parsePublicKey(text).key).toEqual(key.key);
  });
});
