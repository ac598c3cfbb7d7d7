// What a volunteer works with: keyrings, identities that open letters, and the signer that answers. In memory only.
import { dearmor, isArmored } from '../../crypto/age/armor.ts';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { decryptWithPassphrase, isPassphraseFile } from '../../crypto/age/passphrase.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { CodedError, type ErrorCode } from '../../crypto/errors.ts';
import { currentKeyring, keyringThatCounts, signersOf, verifyKeyring, type Keyring, type Team, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { needsPassphrase, parsePublicKey, parseSigner } from '../../crypto/minisign.ts';
import { openWithForms } from '../../crypto/passphrase-forms.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { textOf } from '../../crypto/text-file.ts';
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

type OnProgress = (share: number) => void;

const hasCode = (code: ErrorCode) => (error: unknown): boolean => error instanceof CodedError && error.code === code;

/** Identities of a file as keygen or `age -p` makes it. @throws KeyError */
async function readIdentities(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<string[]> {
  try {
    const text = textOf(file, 'lenient');
    const bytes = isArmored(text) ? dearmor(text) : file;
    if (!isPassphraseFile(bytes)) return parseIdentityFile(textOf(bytes));
    if (passphrase === '') throw new KeyError('passphrase-missing');
    const opened = await openWithForms(passphrase, (form) => decryptWithPassphrase(bytes, form, onProgress), hasCode('AGE_NO_MATCH'));
    return parseIdentityFile(textOf(opened));
  } catch (error) {
    // What is no text is no key either; a range error is memory that the browser does not give.
    if (error instanceof KeyError || error instanceof RangeError) throw error;
    throw new KeyError(error instanceof CodedError && error.code === 'AGE_NO_MATCH' ? 'passphrase-wrong' : 'no-identity');
  }
}

/** @throws KeyError */
async function readSigner(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<SigningKeyPair> {
  try {
    const text = textOf(file);
    if (!needsPassphrase(text)) return await parseSigner(text);
    if (passphrase === '') throw new KeyError('passphrase-missing');
    return await openWithForms(passphrase, (form) => parseSigner(text, form, onProgress), hasCode('MINISIGN_PASSPHRASE'));
  } catch (error) {
    if (error instanceof KeyError || error instanceof RangeError) throw error;
    throw new KeyError(error instanceof CodedError && error.code === 'MINISIGN_PASSPHRASE' ? 'passphrase-wrong' : 'no-signer');
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

  /** Errors: MINISIGN_*, KEYRING_FORMAT. */
  addKeyring(json: Uint8Array, signature: string): VerifiedKeyring {
    const verified = verifyKeyring(json, signature, this.#root);
    this.#keyrings = [...this.#keyrings.filter(({ digest }) => digest !== verified.digest), verified].sort((a, b) => a.keyring.serial - b.keyring.serial);
    return verified;
  }

  addBuiltIn(): void {
    for (const { json, signature } of OFFLINE_KEYRINGS) this.addKeyring(utf8(json), signature);
  }

  /** @throws KeyError */
  async addIdentities(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<void> {
    const found = await readIdentities(file, passphrase, onProgress);
    this.#identities = [...new Set([...this.#identities, ...found])];
  }

  /** @throws KeyError */
  async setSigner(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<void> {
    this.signer = await readSigner(file, passphrase, onProgress);
  }

  /** The keyring that a letter says it was sealed under, if it is known here. */
  keyringOf(serial: number, digest: string): Keyring | null {
    return this.#keyrings.find((known) => known.digest === digest && known.keyring.serial === serial)?.keyring ?? null;
  }

  /** Whose notes are believed: those of the keyring that counts now, so that whoever was revoked is not. */
  signers(now: Date): ReadonlySet<string> {
    return signersOf(this.newest(now).keyring);
  }

  /** The keyring that counts, usable or not. */
  newest(now: Date): VerifiedKeyring {
    const counting = keyringThatCounts(this.#keyrings, now);
    if (counting === null) throw new Error('the page carries no keyring');
    return counting;
  }

  /** What is answered under. Errors: KEYRING_NOT_YET_VALID, KEYRING_EXPIRED. */
  current(now: Date): VerifiedKeyring {
    return currentKeyring(this.#keyrings, now);
  }

  /** The team that answers; null: none knows the signer. */
  team({ keyring }: VerifiedKeyring, topic: string | undefined): Team | null {
    return this.signer === null ? null : teamOf(keyring, this.signer, this.#identities, topic);
  }
}
