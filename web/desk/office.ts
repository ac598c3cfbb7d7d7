// What a volunteer works with: keyrings, identities that open letters, and the signer that answers. In memory only.
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { currentKeyring, keyringThatCounts, verifyKeyring, type Team, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { parsePublicKey, parseSigner } from '../../crypto/minisign.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { textOf } from '../../crypto/text-file.ts';
import { identityFile, isWrongPassphrase, openIdentityFile, openKeyFile, type OnProgress } from '../../volunteer/keys/opening.ts';
import { teamOf } from '../../volunteer/keys/team.ts';

/** What to say when a key does not open. */
export type KeyProblem = 'unreadable' | 'passphrase-missing' | 'passphrase-wrong' | 'no-identity' | 'no-signer';

export class KeyError extends Error {
  readonly problem: KeyProblem;
  constructor(problem: KeyProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** Identities of a file as keygen or `age -p` makes it. Throws KeyError when it holds none, or the passphrase does not open it. */
async function readIdentities(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<string[]> {
  return orProblem('no-identity', async () => {
    const { bytes, needsPassphrase } = identityFile(file);
    return parseIdentityFile(textOf(needsPassphrase ? await openIdentityFile(bytes, given(passphrase), onProgress) : bytes));
  });
}

/** A signer as keygen makes it. Throws KeyError when it is none, or the passphrase does not open it. */
async function readSigner(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<SigningKeyPair> {
  return orProblem('no-signer', () => openKeyFile(textOf(file), parseSigner, () => given(passphrase), onProgress));
}

function given(passphrase: string): string {
  if (passphrase === '') throw new KeyError('passphrase-missing');
  return passphrase;
}

async function orProblem<Key>(otherwise: KeyProblem, read: () => Promise<Key>): Promise<Key> {
  try {
    return await read();
  } catch (error) {
    // What is no text is no key either; a range error is memory that the browser does not give.
    if (error instanceof KeyError || error instanceof RangeError) throw error;
    throw new KeyError(isWrongPassphrase(error) ? 'passphrase-wrong' : otherwise);
  }
}

export class Office {
  readonly #root = parsePublicKey(ROOT_PUBLIC_KEY);
  #keyrings: VerifiedKeyring[] = [];
  #identities: readonly string[] = [];
  signer: SigningKeyPair | null = null;

  get identities(): readonly string[] {
    return this.#identities;
  }

  /** Throws MINISIGN_* when the signature is not by the root key, KEYRING_FORMAT when a field is wrong. */
  addKeyring(json: Uint8Array, signature: string): VerifiedKeyring {
    const verified = verifyKeyring(json, signature, this.#root);
    const others = this.#keyrings.filter(({ digest }) => digest !== verified.digest);
    this.#keyrings = [...others, verified].sort((a, b) => a.keyring.serial - b.keyring.serial);
    return verified;
  }

  addBuiltIn(): void {
    for (const { json, signature } of OFFLINE_KEYRINGS) this.addKeyring(utf8(json), signature);
  }

  /** Throws KeyError when it holds no identity, or the passphrase does not open it. */
  async addIdentities(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<void> {
    const found = await readIdentities(file, passphrase, onProgress);
    this.#identities = [...new Set([...this.#identities, ...found])];
  }

  /** Throws KeyError when it is no signer, or the passphrase does not open it. */
  async setSigner(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<void> {
    this.signer = await readSigner(file, passphrase, onProgress);
  }

  get keyrings(): readonly VerifiedKeyring[] {
    return this.#keyrings;
  }

  /** The keyring that counts, usable or not. */
  newest(now: Date): VerifiedKeyring {
    const counting = keyringThatCounts(this.#keyrings, now);
    if (counting === null) throw new Error('the page carries no keyring');
    return counting;
  }

  /** What is answered under. Throws KEYRING_NOT_YET_VALID when no keyring has begun, KEYRING_EXPIRED when the newest has ended. */
  current(now: Date): VerifiedKeyring {
    return currentKeyring(this.#keyrings, now);
  }

  /** The team that answers; null: none knows the signer. */
  team({ keyring }: VerifiedKeyring, topic: string | undefined): Team | null {
    return this.signer === null ? null : teamOf(keyring, this.signer, this.#identities, topic);
  }
}
