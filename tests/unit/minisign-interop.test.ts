// Debian's minisign reads what we write, and vice versa.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromHex, utf8 } from '../../crypto/bytes.ts';
import {
  encodePublicKey,
  encodeSecretKey,
  generateKeyPair,
  keyName,
  parsePublicKey,
  parseSecretKey,
  parseSigner,
  secretKindOf,
  sign,
  verify,
} from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';

const run = promisify(execFile);
const message = utf8('a message\n');
let dir: string;
const at = (name: string): string => path.join(dir, name);
const read = (name: string): Promise<string> => readFile(at(name), 'utf8');

beforeAll(async () => {
  await ready;
  dir = await mkdtemp(path.join(tmpdir(), 'minisign-'));
  await writeFile(at('message'), message);
});
afterAll(() => rm(dir, { recursive: true }));

test('minisign verifies our signature and trusted comment', async () => {
  const key = generateKeyPair();
  await writeFile(at('ours.pub'), encodePublicKey(key));
  await writeFile(at('message.minisig'), sign(message, key, 'keyring 1'));
  const { stdout } = await run('minisign', ['-V', '-m', at('message'), '-p', at('ours.pub')]);
  expect(stdout).toContain('Trusted comment: keyring 1');
});

test('minisign signs with a secret key file of ours, and we verify it', async () => {
  const key = generateKeyPair();
  await writeFile(at('ours.key'), await encodeSecretKey(key));
  await run('minisign', ['-S', '-W', '-s', at('ours.key'), '-m', at('message'), '-x', at('theirs.minisig'), '-t', 'from minisign']);
  expect(verify(message, await read('theirs.minisig'), key)).toBe('from minisign');
});

test('a key id is written as minisign writes it, without leading zeros', () => {
  expect(keyName(fromHex('3560446fd7a7fe0c'))).toBe('CFEA7D76F446035');
});

test('we sign with a key that minisign made', async () => {
  await run('minisign', ['-G', '-W', '-f', '-p', at('their.pub'), '-s', at('their.key')]);
  const key = await parseSecretKey(await read('their.key'));
  const publicKey = parsePublicKey(await read('their.pub'));
  expect(key.key).toEqual(publicKey.key);
  await writeFile(at('message.minisig'), sign(message, key, 'x'));
  await run('minisign', ['-V', '-m', at('message'), '-p', at('their.pub')]);
  expect(encodePublicKey(publicKey).split('\n')[0]).toBe((await read('their.pub')).split('\n')[0]);
});

test("minisign refuses to sign with a signer's file in any format, and verifies what we sign with it", async () => {
  const key = generateKeyPair();
  await writeFile(at('signer.key'), await encodeSecretKey(key, undefined, 'signer'));
  await writeFile(at('signer.pub'), encodePublicKey(key));
  for (const kind of [['-l'], []]) {
    await expect(run('minisign', ['-S', '-W', ...kind, '-s', at('signer.key'), '-m', at('message')])).rejects.toMatchObject({
      stderr: expect.stringMatching(/algorithm/i) as string,
    });
  }
  const text = sign(message, await parseSigner(await read('signer.key')), 'a card');
  expect(text.split('\n')[1]?.slice(0, 2)).toBe('RU'); // "ED", in base64.
  await writeFile(at('message.minisig'), text);
  expect((await run('minisign', ['-V', '-m', at('message'), '-p', at('signer.pub')])).stdout).toContain('Trusted comment: a card');
});

test('an older signer, in minisign’s key format, can still be read; a root key does not pass for a newer signer', async () => {
  const old = await readFile(new URL('../cases/signer-of-the-older-kind.key', import.meta.url), 'utf8');
  const key = await parseSigner(old);
  expect(await parseSecretKey(old)).toEqual(key);
  const newer = await encodeSecretKey(key, undefined, 'signer');
  expect(await parseSigner(newer)).toEqual(key);
  expect([old, newer, encodePublicKey(key), ''].map(secretKindOf)).toEqual(['minisign', 'signer', null, null]);
  await expect(parseSecretKey(newer)).rejects.toMatchObject({
    code: 'MINISIGN_FORMAT',
    message: expect.stringContaining("a volunteer's signer") as string,
  });
  await expect(parseSigner(encodePublicKey(key))).rejects.toMatchObject({
    code: 'MINISIGN_FORMAT',
    message: expect.stringContaining('a public key, not the secret half') as string,
  });
  for (const secret of [old, newer]) expect(() => parsePublicKey(secret)).toThrow('a secret key, not the public half');
});

// At a low cost. cli-root-key.test.ts has minisign's own: 1 GiB and seconds each.
test('an encrypted secret key opens only with its passphrase', async () => {
  const key = generateKeyPair();
  const text = await encodeSecretKey(key, 'a passphrase', 'signer', 12);
  expect((await parseSigner(text, 'a passphrase')).secret).toEqual(key.secret);
  await expect(parseSigner(text)).rejects.toMatchObject({ code: 'MINISIGN_PASSPHRASE' });
  await expect(parseSigner(text, 'another')).rejects.toMatchObject({ code: 'MINISIGN_PASSPHRASE' });
});
