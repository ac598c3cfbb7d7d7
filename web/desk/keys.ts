// Opens a volunteer's key files with what was typed, and says what is wrong when one does not open.
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { parseSigner } from '../../crypto/minisign.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { textOf } from '../../crypto/text-file.ts';
import { identityFile, isWrongPassphrase, openIdentityFile, openKeyFile, type OnProgress } from '../../volunteer/keys/key-files.ts';

/** What to say when a key does not open. */
export type KeyProblem = 'unreadable' | 'passphrase-missing' | 'passphrase-wrong' | 'no-identity' | 'no-signer' | 'no-storage';

export class KeyError extends Error {
  readonly problem: KeyProblem;
  constructor(problem: KeyProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** The identities in a file as keygen or `age -p` makes it. Throws KeyError when it has none, or the passphrase does not open it. */
export async function identitiesIn(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<string[]> {
  return orProblem('no-identity', async () => {
    const { bytes, needsPassphrase } = identityFile(file);
    return parseIdentityFile(textOf(needsPassphrase ? await openIdentityFile(bytes, given(passphrase), onProgress) : bytes));
  });
}

/** The signer in a file as keygen makes it. Throws KeyError when it is not one, or the passphrase does not open it. */
export async function signerIn(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<SigningKeyPair> {
  return orProblem('no-signer', () => openKeyFile(textOf(file), parseSigner, () => given(passphrase), onProgress));
}

function given(passphrase: string): string {
  if (passphrase === '') throw new KeyError('passphrase-missing');
  return passphrase;
}

/** Throws KeyError for whatever is wrong with a file: with a wrong passphrase so, and `otherwise` when it is no such key. */
export async function orProblem<Key>(otherwise: KeyProblem, read: () => Promise<Key>): Promise<Key> {
  try {
    return await read();
  } catch (error) {
    // A file that is not text is not a key either. A RangeError means that the browser gave no memory.
    if (error instanceof KeyError || error instanceof RangeError) throw error;
    throw new KeyError(isWrongPassphrase(error) ? 'passphrase-wrong' : otherwise);
  }
}
