// The letter: what a volunteer opens. docs/protocol.md, § Letter.
import * as z from 'zod/mini';
import { decrypt, encryptSteps, fileLength } from './age/age.ts';
import { HYBRID, hasHybridStanzas } from './age/hybrid.ts';
import { decodeRecipient } from './age/identity.ts';
import { fromUtf8, randomBytes, shuffled, utf8 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { parse } from './schema.ts';
import { sodium } from './sodium.ts';
import { finish, type Steps } from './steps.ts';

export const LETTER_RECIPIENTS = 8;
export const LETTER_PLAINTEXT_BYTES = 10_240;
export const LETTER_BYTES = fileLength(LETTER_RECIPIENTS, LETTER_PLAINTEXT_BYTES);

const SPACE = 0x20;

const letterContent = z.object({
  version: z.literal(1),
  kind: z.literal('request'),
  /** Serial and digest (64 hex digits) of the keyring it was sealed under. */
  serial: z.int().check(z.positive()),
  keyring: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** Absent when the person chose none. */
  topic: z.optional(z.string().check(z.regex(/^[a-z0-9-]{1,32}$/))),
  language: z.string().check(z.regex(/^[a-z]{2,3}$/)),
  message: z.string().check(z.minLength(1)),
  contact: z.optional(z.string()),
});

export type LetterContent = z.infer<typeof letterContent>;

/** How many bytes of the 10,240 are still free; negative when the letter is too long. */
export function letterRoom(content: LetterContent): number {
  return LETTER_PLAINTEXT_BYTES - utf8(JSON.stringify(content)).length;
}

function encodeContent(content: LetterContent): Uint8Array {
  const room = letterRoom(content);
  if (room < 0) throw new CodedError('LETTER_TOO_LONG', `the request is ${String(-room)} bytes too long`);
  const padded = new Uint8Array(LETTER_PLAINTEXT_BYTES).fill(SPACE);
  padded.set(utf8(JSON.stringify(content)));
  return padded;
}

function throwawayKey(): Uint8Array {
  return sodium.crypto_kem_xwing_seed_keypair(randomBytes(sodium.crypto_kem_xwing_SEEDBYTES)).publicKey;
}

/** Throwaway keys made ahead, while there is nothing else to do. Each is used in one letter only. */
export class Throwaways {
  readonly #ready: Uint8Array[] = [];

  /** Makes one more; false when there are enough for any letter. */
  prepare(): boolean {
    if (this.#ready.length >= LETTER_RECIPIENTS - 1) return false;
    this.#ready.push(throwawayKey());
    return true;
  }

  take(): Uint8Array {
    return this.#ready.pop() ?? throwawayKey();
  }
}

/**
 * Seals a letter of 22,798 bytes to 1 to 8 recipients `age1pq1…`, one a step. The rest of the eight are throwaway keys,
 * and the order is random, so that the number of volunteers does not show.
 * Errors: LETTER_RECIPIENTS, LETTER_FORMAT, LETTER_TOO_LONG, RECIPIENT_FORMAT.
 */
export function* sealLetterSteps(content: LetterContent, recipients: readonly string[], throwaways = new Throwaways()): Steps<Uint8Array> {
  if (recipients.length < 1 || recipients.length > LETTER_RECIPIENTS) {
    throw new CodedError('LETTER_RECIPIENTS', `${String(recipients.length)} recipients, expected 1 to ${String(LETTER_RECIPIENTS)}`);
  }
  const plaintext = encodeContent(parse(letterContent, content, 'LETTER_FORMAT', 'a letter'));
  const real = recipients.map(decodeRecipient);
  const rest = Array.from({ length: LETTER_RECIPIENTS - real.length }, () => throwaways.take());
  return yield* encryptSteps(plaintext, shuffled([...real, ...rest]));
}

/** As `sealLetterSteps`, at once. */
export function sealLetter(content: LetterContent, recipients: readonly string[]): Uint8Array {
  return finish(sealLetterSteps(content, recipients));
}

/** Opens a letter with identities `AGE-SECRET-KEY-PQ-1…`. Errors: LETTER_STRUCTURE, AGE_*, IDENTITY_FORMAT, LETTER_FORMAT. */
export function openLetter(letter: Uint8Array, identities: readonly string[]): LetterContent {
  checkLetter(letter);
  const plaintext = decrypt(letter, identities);
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(plaintext));
  } catch {
    throw new CodedError('LETTER_FORMAT', 'the letter holds no JSON');
  }
  return parse(letterContent, value, 'LETTER_FORMAT', 'a letter');
}

/** Whether bytes have the exact structure of a letter, as far as can be seen without a key. Errors: LETTER_STRUCTURE. */
export function checkLetter(bytes: Uint8Array): void {
  if (bytes.length !== LETTER_BYTES) {
    throw new CodedError('LETTER_STRUCTURE', `${String(bytes.length)} bytes, a letter has ${String(LETTER_BYTES)}`);
  }
  if (!hasHybridStanzas(bytes, LETTER_RECIPIENTS)) {
    throw new CodedError('LETTER_STRUCTURE', `not an age file with ${String(LETTER_RECIPIENTS)} ${HYBRID} stanzas`);
  }
}
