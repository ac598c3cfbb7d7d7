// What a volunteer is about to say, and what becomes of it once it is sealed.
import { CodedError } from '../../crypto/errors.ts';
import type { Keyring, Team } from '../../crypto/keyring.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { finish } from '../../crypto/steps.ts';
import { composeSteps, roomIn, type Means, type Said } from '../../volunteer/answers.ts';
import { teamOf } from '../../volunteer/keys/team.ts';
import { CliError } from '../errors.ts';
import type { Answerable } from './conversation.ts';

/** Who says what in which conversation, and what it is sealed with. */
export type Draft = { readonly conversation: Answerable; readonly means: Means; readonly said: Said };

/** The volunteer's team (volunteer/keys/team.ts). Throws SIGNER_UNKNOWN when the signer is in none. */
export function ownTeam(keyring: Keyring, signer: SigningKeyPair, identities: readonly string[], topic?: string): Team {
  const team = teamOf(keyring, signer, identities, topic);
  if (team !== null) return team;
  const advice = 'give the newest keyring; if you are not on that, ask the administrator; nothing was sent';
  throw new CliError('SIGNER_UNKNOWN', `your signer is not on keyring ${String(keyring.serial)}: nobody would believe it`, advice);
}

/** Bytes that still fit; negative when the text is too long. */
export function roomOf({ conversation, means, said }: Draft): number {
  return roomIn(said, conversation, means);
}

/**
 * Its parcels, not yet stamped: the reply first, where there is one. Throws REPLY_TOO_LONG or LETTER_TOO_LONG when the text is too long.
 */
export function parcelsOf(draft: Draft): Uint8Array[] {
  const room = roomOf(draft);
  const code = draft.said.action === 'answer' ? 'REPLY_TOO_LONG' : 'LETTER_TOO_LONG';
  if (room < 0) throw new CodedError(code, `the text is ${String(-room)} bytes too long`);
  const { reply, noteParcel } = finish(composeSteps(draft.said, draft.conversation, draft.means));
  return reply === null ? [noteParcel] : [reply, noteParcel];
}
