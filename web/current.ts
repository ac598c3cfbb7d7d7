// Which of several keyrings is to be used.
import { checkValidity, type VerifiedKeyring } from '../crypto/keyring.ts';

/** The newest that has begun, as the relay has it. None has: the first. `keyrings` by rising serial. */
export function newestOf(keyrings: readonly VerifiedKeyring[], now: Date): VerifiedKeyring {
  const found = [...keyrings].reverse().find(({ keyring }) => Date.parse(keyring.notBefore) <= now.getTime()) ?? keyrings[0];
  if (found === undefined) throw new Error('the page carries no keyring');
  return found;
}

/** The same, if it can be used at that moment. Errors: KEYRING_NOT_YET_VALID, KEYRING_EXPIRED. */
export function keyringAt(keyrings: readonly VerifiedKeyring[], now: Date): VerifiedKeyring {
  const found = newestOf(keyrings, now);
  checkValidity(found.keyring, now);
  return found;
}
