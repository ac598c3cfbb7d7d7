// The relay's answer to a parcel, as long as the parcel itself. docs/protocol.md, § Exchange.
import { concat, randomBytes, readUint32, uint32 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { PARCEL_BYTES } from './parcel.ts';

export const ANSWER_VERSION = 1;
export const ANSWER_HEADER_BYTES = 4 + 4 + 4 + 4;
export const ANSWER_BYTES = PARCEL_BYTES;

/** Outcomes of an exchange, each with its number in the answer. */
export const RESULTS = { accepted: 0, version: 1, sealed: 2, serial: 3, stamp: 4, full: 5, away: 6, closed: 7, damaged: 8 } as const;

export type Result = keyof typeof RESULTS;

/** `difficulty`: bits that a stamp needs now; `retryAfterSeconds`: 0 where waiting does not help. */
export type Answer = { readonly result: Result; readonly difficulty: number; readonly retryAfterSeconds: number };

/** Encodes an answer of 24,576 bytes: version, result, difficulty, retry-after (4 bytes each, big endian), then random bytes. */
export function encodeAnswer({ result, difficulty, retryAfterSeconds }: Answer): Uint8Array {
  const header = [ANSWER_VERSION, RESULTS[result], difficulty, retryAfterSeconds].map(uint32);
  return concat(...header, randomBytes(ANSWER_BYTES - ANSWER_HEADER_BYTES));
}

/** Parses an answer. Throws ANSWER_FORMAT unless it has 24,576 bytes, version 1 and a known result. */
export function parseAnswer(bytes: Uint8Array): Answer {
  if (bytes.length !== ANSWER_BYTES) {
    throw new CodedError('ANSWER_FORMAT', `${String(bytes.length)} bytes, expected ${String(ANSWER_BYTES)}`);
  }
  const version = readUint32(bytes, 0);
  if (version !== ANSWER_VERSION) throw new CodedError('ANSWER_FORMAT', `version ${String(version)}, expected ${String(ANSWER_VERSION)}`);
  const number = readUint32(bytes, 4);
  const result = (Object.keys(RESULTS) as Result[]).find((name) => RESULTS[name] === number);
  if (result === undefined) throw new CodedError('ANSWER_FORMAT', `unknown result ${String(number)}`);
  return { result, difficulty: readUint32(bytes, 8), retryAfterSeconds: readUint32(bytes, 12) };
}
