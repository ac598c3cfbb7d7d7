// zod at the boundary, with this folder's errors. zod/mini, because it travels to browsers.
import * as z from 'zod/mini';
import { fromUtf8, utf8, wellFormed } from './bytes.ts';
import { CodedError, type ErrorCode } from './errors.ts';
import { KEYRING_DIGEST_BYTES, TEAM_ID_BYTES } from './wire.ts';

// zod would otherwise try `new Function`, which the form's content security policy forbids and reports.
z.config({ jitless: true });

/** What `bytes` bytes are as hex digits in lower case. */
export const hexPattern = (bytes: number): RegExp => new RegExp(`^[0-9a-f]{${String(bytes * 2)}}$`);
/** The schema of `bytes` bytes as hex digits. */
export const hex = (bytes: number) => z.string().check(z.regex(hexPattern(bytes)));
/** As much text as `bytes` bytes are in hex, to measure with. */
export const hexZeros = (bytes: number): string => '00'.repeat(bytes);

export const TOPIC_ID = /^[a-z0-9-]{1,32}$/;
export const LANGUAGE = /^[a-z]{2,3}$/;
export const teamId = hex(TEAM_ID_BYTES);
/** The serial of a keyring, and its digest. */
export const serialNumber = z.int().check(z.positive(), z.maximum(0xffff_ffff));
export const digest = hex(KEYRING_DIGEST_BYTES);
export const topicId = z.string().check(z.regex(TOPIC_ID));
/** The code of a language, 2 or 3 letters. */
export const language = z.string().check(z.regex(LANGUAGE));

/** Somebody's words. JSON can hold half a surrogate pair and UTF-8 cannot: two such texts would have one signature. */
export const words = z.string().check(z.refine((text) => wellFormed(text) === text));

/**
 * The value, typed. Throws `code` when it does not fit the schema, with a message that names `what` and the fields, never their content.
 */
export function parse<S extends z.ZodMiniType>(schema: S, value: unknown, code: ErrorCode, what: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = new Set(result.error.issues.map(({ path }) => path.map(String).join('.') || 'the whole'));
  throw new CodedError(code, `not ${what}: wrong or missing: ${[...fields].join(', ')}`);
}

/** JSON can write half a surrogate pair (`\ud83d` alone), of which parsers make an error, U+FFFD or the half, each as it likes. */
function holdsHalfPair(json: string): boolean {
  const halves = json.replaceAll('\\\\', ' ').replace(/\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/gi, '');
  return /\\ud[89a-f]/i.test(halves);
}

/** The JSON in an opened or signed file, UTF-8 and of whole characters, also where nobody looks. Throws `code` when it is not that. */
export function parseJson(bytes: Uint8Array, code: ErrorCode, what: string): unknown {
  try {
    const text = fromUtf8(bytes);
    if (!holdsHalfPair(text)) return JSON.parse(text);
  } catch {
    // Said below.
  }
  throw new CodedError(code, `${what} is not valid JSON`);
}

/** How many of `length` bytes a value leaves free; negative when it is too long. */
export function roomFor(value: unknown, length: number): number {
  return length - utf8(JSON.stringify(value)).length;
}

const SPACE = 0x20;

/** The value as JSON, with spaces at the end up to exactly `length` bytes. Throws `code` when it is longer. */
export function padJson(value: unknown, length: number, code: ErrorCode, what: string): Uint8Array {
  const room = roomFor(value, length);
  if (room < 0) throw new CodedError(code, `${what} is ${String(-room)} bytes too long`);
  const padded = new Uint8Array(length).fill(SPACE);
  padded.set(utf8(JSON.stringify(value)));
  return padded;
}
