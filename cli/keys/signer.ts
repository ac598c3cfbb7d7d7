import { equal, toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, parseSigner } from '../../crypto/minisign.ts';
import type { PublicKey, SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { isWrongPassphrase, openKeyFile, type OnProgress } from '../../volunteer/keys/opening.ts';
import { CliError } from '../errors.ts';
import { readInputText, writeNewFiles } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { OPENING, withProgress, type ProgressIo } from '../terminal/progress.ts';
import { existingPassphrase } from '../terminal/passphrase.ts';

/** `signer`: the public key as it stands in a keyring, 64 hex digits. */
export type NewSigner = { file: string; publicKeyFile: string; signer: string };

/**
 * Makes a volunteer's signer, which minisign itself does not sign with (crypto/minisign.ts): `file` (mode 0600, never over another one) and
 * `file.pub`.
 */
export async function createSignerFile(options: {
  file: string;
  passphrase?: string;
  logN?: number | undefined;
  onProgress?: OnProgress;
}): Promise<NewSigner> {
  await ready;
  const key = generateKeyPair();
  const publicKeyFile = `${options.file}.pub`;
  await writeNewFiles([
    {
      path: options.file,
      content: await encodeSecretKey(key, options.passphrase, 'signer', options.logN, options.onProgress),
      secret: true,
    },
    { path: publicKeyFile, content: encodePublicKey(key), secret: false },
  ]);
  return { file: options.file, publicKeyFile, signer: toHex(key.key) };
}

/** Reads a signer; its passphrase is asked, or read from `passphraseFile`, only when it has one. */
export function readSigner(file: string, io: Io, passphraseFile?: string): Promise<SigningKey> {
  return readKeyFile(file, 'the signer', parseSigner, () => existingPassphrase(io, file, passphraseFile), io);
}

/** Signers made at first look like the root key: only the key itself tells. Throws INPUT_FORMAT when it is the root key. */
export function refuseRootKey(file: string, { key }: SigningKey, roots: readonly PublicKey[]): void {
  if (!roots.some((root) => equal(root.key, key))) return;
  throw new CliError(
    'INPUT_FORMAT',
    `${file} is not the signer: it is the secret root key`,
    'keep it offline, and give what support-relay keygen --signer made; nothing was sent',
  );
}

/**
 * A secret key file (crypto/minisign.ts); `askPassphrase` is called only when it is encrypted, and with `io` the work then shows.
 * Throws INPUT_FORMAT when the file is no such key, PASSPHRASE_WRONG when the passphrase does not open it.
 */
export async function readKeyFile(
  file: string,
  what: string,
  parse: (text: string, passphrase?: string, onProgress?: OnProgress) => Promise<SigningKey>,
  askPassphrase: () => Promise<string>,
  io?: ProgressIo,
): Promise<SigningKey> {
  await ready;
  const text = await readInputText(file, what);
  try {
    const open = (onProgress?: OnProgress): Promise<SigningKey> => openKeyFile(text, parse, askPassphrase, onProgress);
    return await (io === undefined ? open() : withProgress(io, OPENING, open));
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    if (isWrongPassphrase(error))
      throw new CliError(
        'PASSPHRASE_WRONG',
        `the passphrase does not open ${file}`,
        'try again; capital letters and the keyboard language matter',
      );
    throw new CliError(
      'INPUT_FORMAT',
      `${file} is not ${what}: ${error.message}`,
      'give the secret key that support-relay made, not its public half or another key',
    );
  }
}
