import { toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, needsPassphrase, parseSecretKey } from '../../crypto/minisign.ts';
import type { SigningKey } from '../../crypto/minisign.ts';
import { openWithForms } from '../../crypto/passphrase-forms.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { CliError } from '../errors.ts';
import { readInputText, writeNewFiles } from '../files.ts';
import type { Io } from '../io.ts';
import { existingPassphrase } from '../passphrase.ts';

/** `signer`: the public key as it stands in a keyring, 64 hex digits. */
export type NewSigner = { file: string; publicKeyFile: string; signer: string };

/** Makes a volunteer's signer, in minisign's formats: `file` (mode 0600, never over another one) and `file.pub`. */
export async function createSignerFile(options: { file: string; passphrase?: string }): Promise<NewSigner> {
  await ready;
  const key = generateKeyPair();
  const publicKeyFile = `${options.file}.pub`;
  await writeNewFiles([
    { path: options.file, content: await encodeSecretKey(key, options.passphrase), secret: true },
    { path: publicKeyFile, content: encodePublicKey(key), secret: false },
  ]);
  return { file: options.file, publicKeyFile, signer: toHex(key.key) };
}

/** Reads a signer; its passphrase is asked, or read from `passphraseFile`, only when it has one. */
export async function readSigner(file: string, io: Io, passphraseFile?: string): Promise<SigningKeyPair> {
  const { key, secret } = await readMinisignKey(file, 'the signer', () => existingPassphrase(io, file, passphraseFile));
  return { key, secret };
}

/** A secret key in minisign's format; `askPassphrase` is called only when the file is encrypted. */
export async function readMinisignKey(file: string, what: string, askPassphrase: () => Promise<string>): Promise<SigningKey> {
  await ready;
  const text = await readInputText(file, what);
  try {
    if (!needsPassphrase(text)) return await parseSecretKey(text);
    const isWrong = (error: unknown): boolean => error instanceof CodedError && error.code === 'MINISIGN_PASSPHRASE';
    return await openWithForms(await askPassphrase(), (form) => parseSecretKey(text, form), isWrong);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    if (error.code === 'MINISIGN_PASSPHRASE') throw new CliError('PASSPHRASE_WRONG', `the passphrase does not open ${file}`, 'try again; capital letters and the keyboard language matter');
    throw new CliError('INPUT_FORMAT', `${file} is not ${what}: ${error.message}`, 'give the secret key that support-relay made, not its public half or another key');
  }
}
