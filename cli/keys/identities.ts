import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { CodedError } from '../../crypto/errors.ts';
import { parsePublicKey, secretKindOf } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { textOf } from '../../crypto/text-file.ts';
import { identityFile, isWrongPassphrase, openIdentityFile } from '../../volunteer/keys/opening.ts';
import { CliError } from '../errors.ts';
import { readInput } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { existingPassphrase } from '../terminal/passphrase.ts';
import { OPENING, withProgress } from '../terminal/progress.ts';

/**
 * Reads identity files, protected ones too. The passphrase is asked once; only a file that it does not open is asked
 * for again, by name, since the files of several weeks mostly have the same.
 */
export async function readIdentities(paths: readonly string[], io: Io, passphraseFile?: string): Promise<string[]> {
  await ready;
  const identities: string[] = [];
  let passphrase: string | undefined;
  for (const path of paths) {
    const given = await readInput(path, 'the identity file');
    const { bytes, needsPassphrase } = named(path, () => identityFile(given));
    if (!needsPassphrase) {
      identities.push(...identitiesIn(bytes, path));
      continue;
    }
    const known = passphrase;
    passphrase ??= await existingPassphrase(io, path, passphraseFile);
    let opened = await tryPassphrase(bytes, passphrase, io);
    if (opened === null && known !== undefined && passphraseFile === undefined) {
      passphrase = await existingPassphrase(io, path, undefined);
      opened = await tryPassphrase(bytes, passphrase, io);
    }
    if (opened === null) {
      throw new CliError(
        'PASSPHRASE_WRONG',
        `the passphrase does not open ${path}`,
        'try again; capital letters and the keyboard language matter',
      );
    }
    identities.push(...identitiesIn(opened, path));
  }
  return identities;
}

async function tryPassphrase(file: Uint8Array, passphrase: string, io: Io): Promise<Uint8Array | null> {
  try {
    return await withProgress(io, OPENING, (onProgress) => openIdentityFile(file, passphrase, onProgress));
  } catch (error) {
    if (isWrongPassphrase(error)) return null;
    throw error;
  }
}

function identitiesIn(bytes: Uint8Array, path: string): string[] {
  return named(path, () => {
    let text: string;
    try {
      text = textOf(bytes);
    } catch {
      throw new CodedError('IDENTITY_FORMAT', 'it is not a text file');
    }
    const another = minisignKind(text);
    if (another !== null) throw new CodedError('IDENTITY_FORMAT', `it is ${another}`);
    if (/^age1/m.test(text) && !/^AGE-SECRET-KEY/im.test(text))
      throw new CodedError('IDENTITY_FORMAT', 'it is the public half, a recipient');
    return parseIdentityFile(text);
  });
}

/** What it is, when it is none of age's. */
function minisignKind(text: string): string | null {
  const secret = secretKindOf(text);
  if (secret !== null) return secret === 'signer' ? 'the secret half of a signer' : 'a secret key of minisign, such as the root key';
  try {
    parsePublicKey(text);
    return "the public half of the root key, or of a signer, in minisign's format";
  } catch {
    return text.startsWith('untrusted comment:') ? "something in minisign's format" : null;
  }
}

/** Puts the file's name into the message: several may have been given. Every such fault is one of the input. */
function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new CliError(
      'INPUT_FORMAT',
      `${path} is no identity file: ${error.message}`,
      'give the key that keygen --out made, such as week-12.age; a signer goes with --signer',
    );
  }
}
