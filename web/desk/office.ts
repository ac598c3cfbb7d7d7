// What a volunteer works with: keyrings, identities that open letters, and the signer that answers. In memory only.
import { utf8 } from '../../crypto/bytes.ts';
import {
  chained,
  currentKeyring,
  keyringThatCounts,
  verifyKeyring,
  type Team,
  type Unfit,
  type VerifiedKeyring,
} from '../../crypto/keyring.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import type { OnProgress } from '../../volunteer/keys/key-files.ts';
import { teamOf } from '../../volunteer/keys/team.ts';
import type { KeyFolder } from './key-folder.ts';
import { identitiesIn, signerIn } from './keys.ts';

export class Office {
  readonly root = parsePublicKey(ROOT_PUBLIC_KEY);
  #added: readonly VerifiedKeyring[] = [];
  #keyrings: readonly VerifiedKeyring[] = [];
  #unfit: readonly Unfit<VerifiedKeyring>[] = [];
  #identities: readonly string[] = [];
  signer: SigningKeyPair | null = null;

  get identities(): readonly string[] {
    return this.#identities;
  }

  /**
   * Which of several that do not fit together is refused depends on no order: `unfit` says it, when all are added. Throws MINISIGN_* when
   * the signature is not by the root key, KEYRING_FORMAT, KEYRING_CROWDED, KEYRING_RECIPIENTS or KEYRING_SIGNERS when a field is
   * wrong.
   */
  addKeyring(json: Uint8Array, signature: string): VerifiedKeyring {
    const verified = verifyKeyring(json, signature, this.root);
    const others = this.#added.filter(({ digest }) => digest !== verified.digest);
    this.#added = [...others, verified];
    const { fit, refused } = chained(this.#added);
    this.#keyrings = fit;
    this.#unfit = refused;
    return verified;
  }

  /** Keyrings that are signed, but do not fit to the others: KEYRING_CHAIN, KEYRING_TWICE. Nothing is read or answered under them. */
  get unfit(): readonly Unfit<VerifiedKeyring>[] {
    return this.#unfit;
  }

  addBuiltIn(): void {
    for (const { json, signature } of OFFLINE_KEYRINGS) this.addKeyring(utf8(json), signature);
  }

  /** Throws KeyError when the file has no identity, or the passphrase does not open it. */
  async addIdentities(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<void> {
    this.#add(await identitiesIn(file, passphrase, onProgress));
  }

  /** A folder without a signer leaves the one that is open. */
  addFolder({ identities, signer }: KeyFolder): void {
    this.#add(identities);
    this.signer = signer ?? this.signer;
  }

  #add(identities: readonly string[]): void {
    this.#identities = [...new Set([...this.#identities, ...identities])];
  }

  /** Throws KeyError when the file is not a signer, or the passphrase does not open it. */
  async setSigner(file: Uint8Array, passphrase: string, onProgress: OnProgress): Promise<void> {
    this.signer = await signerIn(file, passphrase, onProgress);
  }

  get keyrings(): readonly VerifiedKeyring[] {
    return this.#keyrings;
  }

  /** The keyring that counts, whether it is valid now or not. */
  newest(now: Date): VerifiedKeyring {
    const counting = keyringThatCounts(this.#keyrings, now);
    if (counting === null) throw new Error('the page carries no keyring');
    return counting;
  }

  /** The keyring to answer under. Throws KEYRING_NOT_YET_VALID when none has begun, KEYRING_EXPIRED when the newest has ended. */
  current(now: Date): VerifiedKeyring {
    return currentKeyring(this.#keyrings, now);
  }

  /** The team for which the volunteer answers; null when no team lists the signer. */
  team({ keyring }: VerifiedKeyring, topic: string | undefined): Team | null {
    return this.signer === null ? null : teamOf(keyring, this.signer, this.#identities, topic);
  }
}
