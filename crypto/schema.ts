// zod at the boundary, with this folder's errors. zod/mini, because browsers download it.
import * as z from 'zod/mini';
import { fromUtf8, utf8, wellFormed } from './bytes.ts';
import { CodedError, type ErrorCode } from './errors.ts';
import { KEYRING_DIGEST_BYTES, TEAM_ID_BYTES } from './wire.ts';

// zod would otherwise try `new Function`, which the form's content security policy forbids and reports.
z.config({ jitless: true });

/** Matches `bytes` bytes in lower-case hex digits. */
export const hexPattern = (bytes: number): RegExp => new RegExp(`^[0-9a-f]{${String(bytes * 2)}}$`);
/** The schema for `bytes` bytes in lower-case hex digits. */
export const hex = (bytes: number) => z.string().check(z.regex(hexPattern(bytes)));
/** As much text as `bytes` bytes take in hex, for measuring. */
export const hexZeros = (bytes: number): string => '00'.repeat(bytes);

export const TOPIC_ID = /^[a-z0-9-]{1,32}$/;
export const LANGUAGE = /^[a-z]{2,3}$/;
export const teamId = hex(TEAM_ID_BYTES);
/** The serial of a keyring, and its digest. */
export const serialNumber = z.int().check(z.positive(), z.maximum(0xffff_ffff));
export const digest = hex(KEYRING_DIGEST_BYTES);
export const topicId = z.string().check(z.regex(TOPIC_ID));
/** A language code of 2 or 3 letters. */
export const language = z.string().check(z.regex(LANGUAGE));

/** True when the second exists: `Date.parse` reads 30 February as 2 March, and 24:00 as midnight of the next day. */
function isInstant(text: string): boolean {
  const timeMs = Date.parse(text);
  return !Number.isNaN(timeMs) && new Date(timeMs).toISOString().slice(0, text.length - 1) === text.slice(0, -1);
}
/** A moment in UTC, to the second. */
export const instant = z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/), z.refine(isInstant));

/** Somebody's words. JSON can hold a lone surrogate and UTF-8 cannot, so two different texts would share one signature. */
export const freeText = z.string().check(z.refine((text) => wellFormed(text) === text));

/** Returns the value, typed. Throws `code` when it does not match the schema; the message names `what` and the fields only. */
export function parse<S extends z.ZodMiniType>(schema: S, value: unknown, code: ErrorCode, what: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = new Set(result.error.issues.map(({ path }) => path.map(String).join('.') || 'the whole'));
  throw new CodedError(code, `not ${what}: wrong or missing: ${[...fields].join(', ')}`);
}

/** JSON can hold a lone surrogate (`\ud83d` alone), which parsers refuse, replace by U+FFFD or keep, each as it likes. */
function hasLoneSurrogate(json: string): boolean {
  const unpaired = json.replaceAll('\\\\', ' ').replace(/\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/gi, '');
  return /\\ud[89a-f]/i.test(unpaired);
}

/**
 * Parses the JSON of an opened or signed file. Throws `code` unless it is UTF-8 without lone surrogates, in ignored fields too.
 */
export function parseJson(bytes: Uint8Array, code: ErrorCode, what: string): unknown {
  try {
    const text = fromUtf8(bytes);
    if (!hasLoneSurrogate(text)) return JSON.parse(text);
  } catch {
    // Thrown below.
  }
  throw new CodedError(code, `${what} is not valid JSON`);
}

/** How many of `length` bytes a value leaves free; negative when it is too long. */
export function roomFor(value: unknown, length: number): number {
  return length - utf8(JSON.stringify(value)).length;
}

const SPACE = 0x20;

/** The value as JSON, padded with spaces to exactly `length` bytes. Throws `code` when it is longer. */
export function padJson(value: unknown, length: number, code: ErrorCode, what: string): Uint8Array {
  const room = roomFor(value, length);
  if (room < 0) throw new CodedError(code, `${what} is ${String(-room)} bytes too long`);
  const padded = new Uint8Array(length).fill(SPACE);
  padded.set(utf8(JSON.stringify(value)));
  return padded;
}
