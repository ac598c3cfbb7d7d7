// For which team a volunteer answers.
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { toHex } from '../../crypto/bytes.ts';
import { OTHER_TOPIC, type Keyring, type Team } from '../../crypto/keyring.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';

/**
 * One that lists the signer, best one that reads with one of `identities` (`AGE-SECRET-KEY-PQ-1…`) and takes the topic, or where
 * none was chosen the topic `other`, as `teamFor` has it: the note goes to it, and further words of the person. Null: none
 * lists the signer.
 */
export function teamOf(
  { teams }: Keyring,
  { key }: Pick<SigningKeyPair, 'key'>,
  identities: readonly string[],
  topic: string | undefined,
): Team | null {
  const own = new Set(identities.map(identityToRecipient));
  const rank = ({ recipients, topics }: Team): number =>
    (recipients.some((recipient) => own.has(recipient)) ? 2 : 0) + (topics.some(({ id }) => id === (topic ?? OTHER_TOPIC)) ? 1 : 0);
  return teams.filter(({ signers = [] }) => signers.includes(toHex(key))).sort((a, b) => rank(b) - rank(a))[0] ?? null;
}
