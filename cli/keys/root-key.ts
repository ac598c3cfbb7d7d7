import { join } from 'node:path';
import {
  encodePublicKey,
  encodeSecretKey,
  generateKeyPair,
  needsPassphrase,
  parsePublicKey,
  parseSecretKey,
} from '../../crypto/minisign.ts';
import type { PublicKey, SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { readInputText, writeNewFiles } from '../files.ts';
import { CodedError } from '../../crypto/errors.ts';
import { CliError } from '../errors.ts';
import type { OnProgress } from '../../volunteer/keys/key-files.ts';
import type { ProgressIo } from '../terminal/progress.ts';
import { readKeyFile } from './signer.ts';

export type NewRootKey = { keyFile: string; publicKeyFile: string };

export type RootKeyProtection = { passphrase?: string; logN?: number | undefined; onProgress?: OnProgress };

/** A new root key, and the text of its `root.key` in minisign's format, encrypted when there is a passphrase. */
export async function makeRootKey({ passphrase, logN, onProgress }: RootKeyProtection): Promise<{ key: SigningKey; text: string }> {
  await ready;
  const key = generateKeyPair();
  return { key, text: await encodeSecretKey(key, passphrase, 'minisign', logN, onProgress) };
}

/** Writes a new root key pair: `root.key` (mode 0600) and `root.pub`. Existing files are never overwritten. */
export async function createRootKey({ directory, ...protection }: RootKeyProtection & { directory: string }): Promise<NewRootKey> {
  const { key, text } = await makeRootKey(protection);
  const keyFile = join(directory, 'root.key');
  const publicKeyFile = join(directory, 'root.pub');
  await writeNewFiles([
    { path: keyFile, content: text, secret: true },
    { path: publicKeyFile, content: encodePublicKey(key), secret: false },
  ]);
  return { keyFile, publicKeyFile };
}

/**
 * Reads the secret root key. @param askPassphrase called only when the file is encrypted @param io shows the
 * progress of decrypting it
 */
export function readRootKey(file: string, askPassphrase: () => Promise<string>, io?: ProgressIo): Promise<SigningKey> {
  return readKeyFile(file, 'the root key', parseSecretKey, askPassphrase, io);
}

/** Reads the root key's public half. Throws INPUT_FORMAT when the file is anything else. */
export const readRootPublicKey = (file: string): Promise<PublicKey> =>
  readPublicKey(file, 'the root public key', 'give the public half, root.pub, that the administrator gave you');

/** The public half of the key that signs releases. Throws as `readRootPublicKey`. */
export const readReleaseKey = (file: string): Promise<PublicKey> =>
  readPublicKey(file, 'the public release key', 'give the public half, release.pub, as the project publishes it');

async function readPublicKey(file: string, expected: string, advice: string): Promise<PublicKey> {
  await ready;
  const text = await readInputText(file, expected);
  try {
    return parsePublicKey(text);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const what = isSecretKey(text) ? 'it is the secret half, which stays offline' : error.message;
    throw new CliError('INPUT_FORMAT', `${file} is not ${expected}: ${what}`, advice);
  }
}

function isSecretKey(text: string): boolean {
  try {
    needsPassphrase(text);
    return true;
  } catch {
    return false;
  }
}
