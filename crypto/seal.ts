// The whole way of a request, the same in a browser and on a command line.
import { teamFor, type VerifiedKeyring } from './keyring.ts';
import { LETTER_RECIPIENTS, letterRoom, sealLetterSteps, type LetterContent, type Throwaways } from './letter.ts';
import { sealParcel } from './parcel.ts';
import { finish, type Steps } from './steps.ts';

/** Nothing but the message is asked for; whoever does not know their topic need not choose one. */
export type Request = { readonly topic?: string; readonly language: string; readonly message: string; readonly contact?: string };

/** One step an encapsulation: eight for the letter, one for the parcel. */
export const SEALING_STEPS = LETTER_RECIPIENTS + 1;

function letterContent({ topic, language, message, contact }: Request, serial: number, digest: string): LetterContent {
  return { version: 1, kind: 'request', serial, keyring: digest, ...(topic === undefined ? {} : { topic }), language, message, ...(contact ? { contact } : {}) };
}

/** How many bytes of the letter are still free; negative when the request is too long. Any keyring's serial fits into the count. */
export function requestRoom(request: Request): number {
  return letterRoom(letterContent(request, 0xffff_ffff, '0'.repeat(64)));
}

/**
 * Seals a request to a team that takes its topic, or without one to whom `teamFor` gives it: a parcel of 24,576 bytes, not
 * yet stamped, in SEALING_STEPS steps. Errors: KEYRING_TOPIC, LETTER_FORMAT, LETTER_TOO_LONG.
 */
export function* sealRequestSteps(request: Request, { keyring, digest }: VerifiedKeyring, throwaways?: Throwaways): Steps<Uint8Array> {
  const team = teamFor(keyring, request.topic);
  const letter = yield* sealLetterSteps(letterContent(request, keyring.serial, digest), team.recipients, throwaways);
  const parcel = sealParcel({ kind: 'letter', team: team.id, letter }, { serial: keyring.serial, worker: keyring.worker });
  yield SEALING_STEPS;
  return parcel;
}

/** As `sealRequestSteps`, at once. */
export function sealRequest(request: Request, verified: VerifiedKeyring): Uint8Array {
  return finish(sealRequestSteps(request, verified));
}
