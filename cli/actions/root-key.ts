import { join } from 'node:path';
import { CodedError } from '../../crypto/errors.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, needsPassphrase, parsePublicKey, parseSecretKey } from '../../crypto/minisign.ts';
import type { PublicKey, SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { CliError } from '../errors.ts';
import { readInputText, writeNewFiles } from '../files.ts';

export type NewRootKey = { keyFile: string; publicKeyFile: string };

/** Makes the root key pair as minisign does: `root.key` (0600, encrypted when there is a passphrase) and `root.pub`. */
export async function createRootKey(options: { directory: string; passphrase?: string }): Promise<NewRootKey> {
  await ready;
  const key = generateKeyPair();
  const keyFile = join(options.directory, 'root.key');
  const publicKeyFile = join(options.directory, 'root.pub');
  await writeNewFiles([
    { path: keyFile, content: await encodeSecretKey(key, options.passphrase), secret: true },
    { path: publicKeyFile, content: encodePublicKey(key), secret: false },
  ]);
  return { keyFile, publicKeyFile };
}

/** Reads the secret root key; `askPassphrase` is called only when the file is encrypted. */
export async function readRootKey(file: string, askPassphrase: () => Promise<string>): Promise<SigningKey> {
  await ready;
  const text = await readInputText(file, 'the root key');
  if (!needsPassphrase(text)) return parseSecretKey(text);
  const passphrase = await askPassphrase();
  try {
    return await parseSecretKey(text, passphrase);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'MINISIGN_PASSPHRASE') throw error;
    throw new CliError('PASSPHRASE_WRONG', `the passphrase does not open ${file}`, 'try again; capital letters and the keyboard language matter');
  }
}

export async function readRootPublicKey(file: string): Promise<PublicKey> {
  await ready;
  return parsePublicKey(await readInputText(file, 'the root public key'));
}
