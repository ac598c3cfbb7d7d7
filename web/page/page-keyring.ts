// The keyring that a page has verified, and what it then takes in its place: a relay may be seized while the page is open.
import { checkChain, checkValidity, verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import type { PublicKey } from '../../crypto/minisign.ts';

export class PageKeyring {
  readonly #root: PublicKey;
  /** No serial below that which the form was built with, or that of a keyring that was verified. */
  #floor: number;
  #held: VerifiedKeyring | null = null;

  constructor(root: PublicKey, floor: number) {
    this.#root = root;
    this.#floor = floor;
  }

  /**
   * Verifies the bytes of a keyring.json and holds it. Throws as `verifyKeyring`, `checkValidity` and `checkChain`; then the one before
   * is held on to.
   */
  take(json: Uint8Array, signature: string, now: Date): VerifiedKeyring {
    const candidate = verifyKeyring(json, signature, this.#root);
    checkValidity(candidate.keyring, now, this.#floor);
    if (this.#held !== null) checkChain(this.#held, candidate);
    this.#held = candidate;
    this.#floor = candidate.keyring.serial;
    return candidate;
  }

  /** The keyring, checked again: a page may have been open for days. Throws as `checkValidity`. */
  current(now: Date): VerifiedKeyring {
    if (this.#held === null) throw new Error('no keyring has been verified yet');
    checkValidity(this.#held.keyring, now);
    return this.#held;
  }
}
