import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { CodedError } from '../../crypto/errors.ts';
import { parsePublicKey, secretKindOf } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { textOf } from '../../crypto/text-file.ts';
import { identityFile, isWrongPassphrase, openIdentityFile } from '../../volunteer/keys/key-files.ts';
import { readInput } from '../files.ts';
import { named } from './named.ts';
import type { Io } from '../terminal/io.ts';
import { existingPassphrase, wrongPassphrase } from '../terminal/passphrase.ts';
import { OPENING, withProgress } from '../terminal/progress.ts';

const IDENTITY = {
  what: 'no identity file',
  advice: 'give the key that keygen --out made, such as week-12.age; a signer goes with --signer',
};

/**
 * Reads identity files, protected ones too. Files of several weeks mostly have the same passphrase: it is asked
 * once, and again, by name, only for a file that it does not open. Throws PASSPHRASE_WRONG, or INPUT_FORMAT when a
 * file is no identity file.
 */
export async function readIdentities(paths: readonly string[], io: Io, passphraseFile?: string): Promise<string[]> {
  await ready;
  const identities: string[] = [];
  let passphrase: string | undefined;
  for (const path of paths) {
    const given = await readInput(path, 'the identity file');
    const { bytes, needsPassphrase } = named(path, IDENTITY, () => identityFile(given));
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
    if (opened === null) throw wrongPassphrase(path);
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
  return named(path, IDENTITY, () => {
    let text: string;
    try {
      text = textOf(bytes);
    } catch {
      throw new CodedError('IDENTITY_FORMAT', 'it is not a text file');
    }
    const another = minisignKind(text);
    if (another !== null) throw new CodedError('IDENTITY_FORMAT', `it is ${another}`);
    if (/^age1/m.test(text) && !/^AGE-SECRET-KEY/im.test(text)) {
      throw new CodedError('IDENTITY_FORMAT', 'it is the public half, a recipient');
    }
    return parseIdentityFile(text);
  });
}

/** What a file is instead of an age identity, if it is in minisign's format; null otherwise. */
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
