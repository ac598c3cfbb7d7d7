// The letter: what a volunteer opens. docs/protocol.md, § Letter.
import * as z from 'zod/mini';
import { decrypt, encryptSteps, fileLength } from './age/age.ts';
import { HYBRID, hasHybridStanzas } from './age/hybrid.ts';
import { decodeRecipient } from './age/identity.ts';
import { blake2b, randomBytes, shuffled, utf8 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { noteContent } from './note.ts';
import { orderNumber, shortIds } from './order-fields.ts';
import { digest, freeText, language, padJson, parse, parseJson, roomFor, serialNumber, topicId } from './schema.ts';
import { sodium } from './sodium.ts';
import { finish, type Steps } from './steps.ts';
import { checkAddress, signedAddress, type Signable, type SignedAddress } from './thread.ts';

export const LETTER_RECIPIENTS = 8;
export const LETTER_PLAINTEXT_BYTES = 10_240;
export const LETTER_BYTES = fileLength(LETTER_RECIPIENTS, LETTER_PLAINTEXT_BYTES);

export const LETTER_ID_BYTES = 16;
const INBOX_KEY_BYTES = 32;

const sealedUnder = {
  version: z.literal(1),
  /** Serial and digest (64 hex digits) of the keyring it was sealed under. */
  serial: serialNumber,
  keyring: digest,
  language,
};

const written = {
  ...sealedUnder,
  /** Absent when the person chose none. */
  topic: z.optional(topicId),
  message: freeText.check(z.minLength(1)),
  contact: z.optional(freeText),
};

/** How the content of one kind is parsed: `parse` before sealing; `parseAndVerify` after opening. */
type Kind<Content> = { readonly parse: (value: unknown) => Content; readonly parseAndVerify: (value: unknown) => Content };

/** `schema`: the fields. `verify`: throws the code of whatever can be found wrong without a keyring. */
function defineKind<S extends z.ZodMiniType>(schema: S, verify: (content: z.infer<S>) => void = () => undefined): Kind<z.infer<S>> {
  const parseContent = (value: unknown): z.infer<S> => parse(schema, value, 'LETTER_FORMAT', 'a letter');
  return {
    parse: parseContent,
    parseAndVerify: (value) => {
      const content = parseContent(value);
      verify(content);
      return content;
    },
  };
}

/** A letter that names a thread must be signed by it. Throws LETTER_THREAD when it is not. */
function verifyThread(content: Signable & { readonly thread?: SignedAddress | undefined }): void {
  if (content.thread !== undefined) checkAddress(content, content.thread);
}

const KINDS = {
  /** `thread`: where an answer goes; absent when none is wanted. */
  request: defineKind(z.object({ kind: z.literal('request'), ...written, thread: z.optional(signedAddress) }), verifyThread),
  /** `number`: its place in the conversation; `read`: the latest answers that had been read. Both or neither, as in a note. */
  'follow-up': defineKind(
    z
      .object({
        kind: z.literal('follow-up'),
        ...written,
        number: z.optional(orderNumber),
        read: z.optional(shortIds),
        thread: signedAddress,
      })
      .check(z.refine(({ number, read }) => (number === undefined) === (read === undefined))),
    verifyThread,
  ),
  /** From one volunteer of the team to all of it. The signer is checked later, by `checkNote`. */
  note: defineKind(z.object({ kind: z.literal('note'), ...sealedUnder, note: noteContent })),
  /** Says nothing. Readers skip it. */
  cover: defineKind(z.object({ kind: z.literal('cover'), ...sealedUnder })),
};

export type LetterKind = keyof typeof KINDS;
export const LETTER_KINDS = /* @__PURE__ */ Object.keys(KINDS) as LetterKind[];
export type LetterContent = ReturnType<(typeof KINDS)[LetterKind]['parse']>;
/** The content of a letter of this kind. */
export type LetterOf<K extends LetterKind> = { [Each in K]: Extract<LetterContent, { kind: Each }> }[K];
/** What a requester writes. */
export type WrittenContent = LetterOf<'request' | 'follow-up'>;
export type NoteContent = LetterOf<'note'>;

const anyKind = z.object({ kind: z.enum(Object.keys(KINDS) as LetterKind[]) });

function kindOf(value: unknown): Kind<LetterContent> {
  return KINDS[parse(anyKind, value, 'LETTER_FORMAT', 'a letter').kind];
}

/** Bytes of the 10,240 that are still free; negative when the letter is too long. */
export function letterRoom(content: LetterContent): number {
  return roomFor(content, LETTER_PLAINTEXT_BYTES);
}

/** A fresh public key of 1,216 bytes, whose secret half nobody has. */
function throwawayKey(): Uint8Array {
  return sodium.crypto_kem_xwing_seed_keypair(randomBytes(sodium.crypto_kem_xwing_SEEDBYTES)).publicKey;
}

/** Throwaway keys, made ahead while there is nothing else to do. Each is used in one letter only. */
export class Throwaways {
  readonly #ready: Uint8Array[] = [];

  /** Makes one more key. Returns false when there are enough for any letter. */
  prepare(): boolean {
    if (this.#ready.length >= LETTER_RECIPIENTS - 1) return false;
    this.#ready.push(throwawayKey());
    return true;
  }

  /** A key of 1,216 bytes that has not been handed out before. */
  take(): Uint8Array {
    return this.#ready.pop() ?? throwawayKey();
  }
}

/**
 * Seals a letter of 22,798 bytes to 1 to 8 recipients `age1pq1…`, one per step. Throwaway keys fill up the eight, in random
 * order, so that the letter does not show the number of volunteers.
 * Throws LETTER_RECIPIENTS for any other number of recipients, LETTER_FORMAT when a field is wrong, LETTER_TOO_LONG when the
 * content takes more than 10,240 bytes, RECIPIENT_FORMAT when a recipient is malformed or X-Wing refuses its key.
 */
export function* sealLetterSteps(content: LetterContent, recipients: readonly string[], throwaways = new Throwaways()): Steps<Uint8Array> {
  if (recipients.length < 1 || recipients.length > LETTER_RECIPIENTS) {
    throw new CodedError('LETTER_RECIPIENTS', `${String(recipients.length)} recipients, expected 1 to ${String(LETTER_RECIPIENTS)}`);
  }
  const plaintext = padJson(kindOf(content).parse(content), LETTER_PLAINTEXT_BYTES, 'LETTER_TOO_LONG', 'the letter');
  const real = recipients.map(decodeRecipient);
  const rest = Array.from({ length: LETTER_RECIPIENTS - real.length }, () => throwaways.take());
  return yield* encryptSteps(plaintext, shuffled([...real, ...rest]));
}

/** `sealLetterSteps` without pauses. */
export function sealLetter(content: LetterContent, recipients: readonly string[]): Uint8Array {
  return finish(sealLetterSteps(content, recipients));
}

/**
 * Opens a letter of 22,798 bytes with identities `AGE-SECRET-KEY-PQ-1…` and verifies the signature of the thread it names, if
 * any; `checkNote` checks a note's signer. Throws LETTER_STRUCTURE as `checkLetter` does, AGE_* and IDENTITY_FORMAT as `decrypt`
 * does, LETTER_FORMAT when it is not JSON of a known kind, LETTER_THREAD when the thread did not sign it.
 */
export function openLetter(letter: Uint8Array, identities: readonly string[]): LetterContent {
  checkLetter(letter);
  const value = parseJson(decrypt(letter, identities), 'LETTER_FORMAT', 'the letter');
  return kindOf(value).parseAndVerify(value);
}

/** Throws LETTER_STRUCTURE unless there are 22,798 bytes with a letter's header: all that can be checked without a key. */
export function checkLetter(bytes: Uint8Array): void {
  if (bytes.length !== LETTER_BYTES) {
    throw new CodedError('LETTER_STRUCTURE', `${String(bytes.length)} bytes, expected ${String(LETTER_BYTES)}`);
  }
  if (!hasHybridStanzas(bytes, LETTER_RECIPIENTS)) {
    throw new CodedError('LETTER_STRUCTURE', `not an age file with ${String(LETTER_RECIPIENTS)} ${HYBRID} stanzas`);
  }
}

/**
 * Id of a letter in one inbox, 16 bytes. Repeating the work gives the same id. Comparing ids tells neither two inboxes nor anyone
 * without the worker's identity (`secret`, 32 bytes) that they have the same letter. docs/protocol.md, § What an inbox gets.
 */
export function letterId(letter: Uint8Array, inbox: string, secret: Uint8Array): Uint8Array {
  return blake2b(LETTER_ID_BYTES, letter, blake2b(INBOX_KEY_BYTES, utf8(inbox), secret));
}
