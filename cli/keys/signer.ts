import { equal, toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, parseSigner } from '../../crypto/minisign.ts';
import type { PublicKey, SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { isWrongPassphrase, openKeyFile, type OnProgress } from '../../volunteer/keys/key-files.ts';
import { CliError } from '../errors.ts';
import { readInputText, writeNewFiles } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { OPENING, withProgress, type ProgressIo } from '../terminal/progress.ts';
import { existingPassphrase, wrongPassphrase } from '../terminal/passphrase.ts';

/** `signer`: the public key as it stands in a keyring, 64 hex digits. */
export type NewSigner = { file: string; publicKeyFile: string; signer: string };

/**
 * Writes a volunteer's new signer: `file` (mode 0600; an existing one is never overwritten) and `file.pub`. The format is
 * minisign's but for its kind, so that minisign itself does not sign with it (crypto/minisign.ts).
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

/** Reads a signer. Its passphrase, if it has one, is read from `passphraseFile` or asked. */
export function readSigner(file: string, io: Io, passphraseFile?: string): Promise<SigningKey> {
  return readKeyFile(file, 'the signer', parseSigner, () => existingPassphrase(io, file, passphraseFile), io);
}

/** Throws INPUT_FORMAT when the signer is a root key. Early signers have the same format, so the keys themselves are compared. */
export function refuseRootKey(file: string, { key }: SigningKey, roots: readonly PublicKey[]): void {
  if (!roots.some((root) => equal(root.key, key))) return;
  throw new CliError(
    'INPUT_FORMAT',
    `${file} is not the signer: it is the secret root key`,
    'keep it offline, and give what support-relay keygen --signer made; nothing was sent',
  );
}

/**
 * Reads a secret key file (crypto/minisign.ts). Throws INPUT_FORMAT when the file is no such key, PASSPHRASE_WRONG when
 * the passphrase does not open it. @param askPassphrase called only when the file is encrypted @param io shows the
 * progress of decrypting it
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
    if (isWrongPassphrase(error)) throw wrongPassphrase(file);
    throw new CliError(
      'INPUT_FORMAT',
      `${file} is not ${what}: ${error.message}`,
      'give the secret key that support-relay made, not its public half or another key',
    );
  }
}
