// A volunteer's answer or note, from the text to sealed parcels.
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

/** The team that the volunteer answers for (volunteer/keys/team.ts). Throws SIGNER_UNKNOWN when the signer is in no team. */
export function ownTeam(keyring: Keyring, signer: SigningKeyPair, identities: readonly string[], topic?: string): Team {
  const team = teamOf(keyring, signer, identities, topic);
  if (team !== null) return team;
  const advice = 'give the newest keyring; if your signer is not in that, ask the administrator; nothing was sent';
  throw new CliError(
    'SIGNER_UNKNOWN',
    `your signer is not in keyring ${String(keyring.serial)}: nobody would believe what you write`,
    advice,
  );
}

/** Bytes that still fit; negative when the text is too long. */
export function roomOf({ conversation, means, said }: Draft): number {
  return roomIn(said, conversation, means);
}

/** The draft's parcels, not yet stamped: first the reply, if there is one. Throws REPLY_TOO_LONG or LETTER_TOO_LONG. */
export function parcelsOf(draft: Draft): Uint8Array[] {
  const room = roomOf(draft);
  const code = draft.said.action === 'answer' ? 'REPLY_TOO_LONG' : 'LETTER_TOO_LONG';
  if (room < 0) throw new CodedError(code, `the text is ${String(-room)} bytes too long`);
  const { reply, noteParcel } = finish(composeSteps(draft.said, draft.conversation, draft.means));
  return reply === null ? [noteParcel] : [reply, noteParcel];
}
