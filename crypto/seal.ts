// Sealing a request from start to end, the same in a browser and on a command line.
import { RECIPIENT_CHARACTERS } from './age/identity.ts';
import { utf8, wellFormed } from './bytes.ts';
import { CodedError } from './errors.ts';
import { teamFor, type Keyring, type Team, type VerifiedKeyring } from './keyring.ts';
import { LETTER_RECIPIENTS, letterRoom, sealLetterSteps, type Throwaways, type WrittenContent } from './letter.ts';
import { LONGEST_ORDER } from './order.ts';
import { sealParcel } from './parcel.ts';
import { hexZeros } from './schema.ts';
import { SIGNATURE_BYTES, SIGNING_KEY_BYTES } from './sign.ts';
import { finish, type Steps } from './steps.ts';
import { MAILBOX_LOCK_BYTES, signAddress, type Thread } from './thread.ts';
import { KEYRING_DIGEST_BYTES } from './wire.ts';

/** People only have to write a message; those who do not know their topic need not choose one. */
export type Request = { readonly topic?: string; readonly language: string; readonly message: string; readonly contact?: string };

/** One step per encapsulation: eight for the letter, one for the parcel. */
export const SEALING_STEPS = LETTER_RECIPIENTS + 1;

export type RequestOptions = {
  /** Where an answer goes, if one is wanted. */
  readonly thread?: Thread | undefined;
  /**
   * For further words in an existing conversation. `team`: the one that answered (16 hex digits), if any did; `number`: one more
   * than the highest that the writer saw; `read`: short ids of the latest answers that had been read.
   */
  readonly followUp?: { readonly team?: string | undefined; readonly number?: number; readonly read?: readonly string[] } | undefined;
  readonly throwaways?: Throwaways | undefined;
};

function contentOf(
  { topic, language, message, contact }: Request,
  serial: number,
  keyring: string,
  { thread, followUp }: RequestOptions,
): WrittenContent {
  const said = {
    version: 1 as const,
    serial,
    keyring,
    ...(topic === undefined ? {} : { topic }),
    language,
    message: wellFormed(message),
    ...(contact ? { contact: wellFormed(contact) } : {}),
  };
  if (followUp === undefined) {
    const request = { kind: 'request' as const, ...said };
    return thread === undefined ? request : { ...request, thread: signAddress(request, thread) };
  }
  if (thread === undefined) throw new CodedError('LETTER_THREAD', 'a follow-up needs its thread');
  const further = { kind: 'follow-up' as const, ...said, number: followUp.number ?? 1, read: [...(followUp.read ?? [])] };
  return { ...further, thread: signAddress(further, thread) };
}

/** The most bytes that a follow-up's order takes, with names and commas, and its longer kind. */
const FOLLOW_UP_ROOM =
  'follow-up'.length -
  'request'.length +
  `,"number":${String(LONGEST_ORDER.number)},"read":${JSON.stringify(LONGEST_ORDER.earlier)}`.length;
/** Bytes that a thread takes in a letter, with its name and a comma. */
const THREAD_ROOM = utf8(
  `,"thread":${JSON.stringify({
    key: hexZeros(SIGNING_KEY_BYTES),
    lock: hexZeros(MAILBOX_LOCK_BYTES),
    recipient: '0'.repeat(RECIPIENT_CHARACTERS),
    signature: hexZeros(SIGNATURE_BYTES),
  })}`,
).length;

/**
 * Bytes of the letter that are still free; negative when the request is too long. Keeps room for any keyring's serial and for a
 * thread with an order, so that the same words fit as a request and as a follow-up.
 */
export function requestRoom(request: Request): number {
  return letterRoom(contentOf(request, 0xffff_ffff, hexZeros(KEYRING_DIGEST_BYTES), {})) - THREAD_ROOM - FOLLOW_UP_ROOM;
}

/** A follow-up goes to the team that answered, while the keyring has it; before an answer, to the team that got the request. */
function teamOf(keyring: Keyring, { topic }: Request, { followUp, thread }: RequestOptions): Team {
  return keyring.teams.find(({ id }) => id === followUp?.team) ?? teamFor(keyring, topic, thread?.teamKey);
}

/**
 * Seals a request to a team that takes its topic, or without one to the team that `teamFor` picks: a parcel of 24,576 bytes, not
 * yet stamped, in SEALING_STEPS steps. Throws LETTER_TOO_LONG when `requestRoom` is negative, KEYRING_TOPIC when no team takes
 * the topic, LETTER_THREAD when a follow-up has no thread, LETTER_FORMAT when a field is wrong, RECIPIENT_FORMAT when X-Wing
 * refuses a key of the keyring. docs/protocol.md, § Letter, § Parcel, § Team.
 */
export function* sealRequestSteps(request: Request, { keyring, digest }: VerifiedKeyring, options: RequestOptions = {}): Steps<Uint8Array> {
  // Even if the letter itself has room: what a person is told does not fit must not be accepted.
  const room = requestRoom(request);
  if (room < 0) throw new CodedError('LETTER_TOO_LONG', `the request is ${String(-room)} bytes too long`);
  const team = teamOf(keyring, request, options);
  const letter = yield* sealLetterSteps(contentOf(request, keyring.serial, digest, options), team.recipients, options.throwaways);
  const parcel = sealParcel({ kind: 'letter', team: team.id, letter }, { serial: keyring.serial, worker: keyring.worker });
  yield SEALING_STEPS;
  return parcel;
}

/** `sealRequestSteps` without pauses. */
export function sealRequest(request: Request, verified: VerifiedKeyring, options: RequestOptions = {}): Uint8Array {
  return finish(sealRequestSteps(request, verified, options));
}
