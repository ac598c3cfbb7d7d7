import type { RequestHandler } from 'express';
import { encodeAnswer, type Result } from '../../crypto/answer.ts';
import { CodedError, type ErrorCode } from '../../crypto/errors.ts';
import { parseParcel, SERIAL_BYTES, VERSION_BYTES, type Parcel } from '../../crypto/parcel.ts';
import { stampBits } from '../../crypto/stamp.ts';
import type { DoorReason } from '../../crypto/wire.ts';
import type { KeyringShelf } from '../../runtime/keyrings.ts';
import type { Door } from '../door.ts';
import { exchange, RETRY_AFTER_SECONDS } from '../exchange.ts';
import type { Pool } from '../pool.ts';

/** The result at a closed door. A transient cause has its own, so that clients retry sooner. */
const RESULT_AT_CLOSED_DOOR: Readonly<Record<Exclude<DoorReason, 'pool'>, Result>> = {
  keyring: 'closed',
  maintenance: 'closed',
  worker: 'closed',
  redis: 'away',
};

export type ParcelParts = { shelf: KeyringShelf; door: Door; pool: Pool };

/** POST /parcel: accepts a parcel, or says why not. */
export function postParcel(parts: ParcelParts): RequestHandler {
  return exchange(async (bytes) => {
    const result = await judge(bytes, parts);
    const difficulty = requiredDifficulty(bytes, parts.door);
    return { result, body: encodeAnswer({ result, difficulty, retryAfterSeconds: RETRY_AFTER_SECONDS[result] ?? 0 }) };
  });
}

/** Checks from the cheapest to the most expensive; Redis is used only for what passed all the others. */
export async function judge(bytes: Uint8Array, { shelf, door, pool }: ParcelParts): Promise<Result> {
  const parcel = parseOrRefuse(bytes);
  if (typeof parcel === 'string') return parcel;
  const shelved = shelf.live().find(({ serial }) => serial === parcel.serial);
  if (!shelved) return 'serial';
  if (stampBits(parcel) < door.difficultyFor(parcel.serial)) return 'stamp';
  const { reason } = door.state;
  // Tries even a full pool: a parcel that is already in it is accepted.
  return reason === null || reason === 'pool' ? pool.put(parcel, shelved.keyId) : RESULT_AT_CLOSED_DOOR[reason];
}

/** The result for a body of a parcel's length that does not parse; its stamp was not checked yet. */
const RESULT_FOR_ERROR: Partial<Record<ErrorCode, Result>> = {
  PARCEL_VERSION: 'version',
  PARCEL_SEALED: 'sealed',
  PARCEL_CHECK: 'damaged',
};

/** Difficulty for this parcel, or for one resealed under the current keyring, whichever is higher. */
function requiredDifficulty(bytes: Uint8Array, door: Door): number {
  const serial = new DataView(bytes.buffer, bytes.byteOffset + VERSION_BYTES, SERIAL_BYTES).getUint32(0);
  return Math.max(door.state.difficulty, door.difficultyFor(serial));
}

function parseOrRefuse(bytes: Uint8Array): Parcel | Result {
  try {
    return parseParcel(bytes);
  } catch (error) {
    const result = error instanceof CodedError ? RESULT_FOR_ERROR[error.code] : undefined;
    if (result === undefined) throw error;
    return result;
  }
}
