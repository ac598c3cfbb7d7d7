// The whole way of a request, the same in a browser and on a command line.
import { teamForTopic, type VerifiedKeyring } from './keyring.ts';
import { LETTER_RECIPIENTS, letterRoom, sealLetter, type LetterContent } from './letter.ts';
import { sealParcel } from './parcel.ts';

export type Request = { readonly topic: string; readonly language: string; readonly message: string; readonly contact?: string };

/** One step an encapsulation: eight for the letter, one for the parcel. */
export const SEALING_STEPS = LETTER_RECIPIENTS + 1;

function letterContent({ topic, language, message, contact }: Request, serial: number, digest: string): LetterContent {
  return { version: 1, kind: 'request', serial, keyring: digest, topic, language, message, ...(contact ? { contact } : {}) };
}

/** How many bytes of the letter are still free; negative when the request is too long. Any keyring's serial fits into the count. */
export function requestRoom(request: Request): number {
  return letterRoom(letterContent(request, 0xffff_ffff, '0'.repeat(64)));
}

/**
 * Seals a request to a team that takes its topic: a parcel of 24,576 bytes, not yet stamped.
 * Errors: KEYRING_TOPIC, LETTER_FORMAT, LETTER_TOO_LONG.
 */
export function sealRequest(
  request: Request, { keyring, digest }: VerifiedKeyring, onProgress: (done: number, of: number) => void = () => undefined,
): Uint8Array {
  const team = teamForTopic(keyring, request.topic);
  const letter = sealLetter(letterContent(request, keyring.serial, digest), team.recipients, (done) => {
    onProgress(done, SEALING_STEPS);
  });
  const parcel = sealParcel({ kind: 'letter', team: team.id, letter }, { serial: keyring.serial, worker: keyring.worker });
  onProgress(SEALING_STEPS, SEALING_STEPS);
  return parcel;
}
