// Finds the team for which a volunteer answers.
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { toHex } from '../../crypto/bytes.ts';
import { OTHER_TOPIC, type Keyring, type Team } from '../../crypto/keyring.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';

/**
 * Of the teams that list the signer: preferably one with a recipient of `identities` (`AGE-SECRET-KEY-PQ-1…`), then one that takes the
 * topic (`other` where none was chosen, as in `teamFor`). The note and the person's further words go to this team. Null when no team
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
  return teams.filter(({ signers }) => signers.includes(toHex(key))).sort((a, b) => rank(b) - rank(a))[0] ?? null;
}
