// Debian's minisign reads what we write, and the other way round.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromHex, utf8 } from '../../crypto/bytes.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, keyName, parsePublicKey, parseSecretKey, sign, verify } from '../../crypto/minisign.ts';
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

// Each derivation takes 1 GiB and seconds: that is its purpose.
test('an encrypted secret key opens with its passphrase only', { timeout: 300_000 }, async () => {
  const key = generateKeyPair();
  const text = await encodeSecretKey(key, 'a passphrase');
  expect((await parseSecretKey(text, 'a passphrase')).secret).toEqual(key.secret);
  await expect(parseSecretKey(text)).rejects.toMatchObject({ code: 'MINISIGN_PASSPHRASE' });
  await expect(parseSecretKey(text, 'another')).rejects.toMatchObject({ code: 'MINISIGN_PASSPHRASE' });
});
