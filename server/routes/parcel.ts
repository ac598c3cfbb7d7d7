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

/** The answer at a closed door. What passes soon is told apart, so that a client comes again soon. */
const REFUSED_FOR: Readonly<Record<Exclude<DoorReason, 'pool'>, Result>> = { keyring: 'closed', worker: 'closed', redis: 'away' };

export type ParcelParts = { shelf: KeyringShelf; door: Door; pool: Pool };

/** POST /parcel: takes a parcel in, or says why not. */
export function postParcel(parts: ParcelParts): RequestHandler {
  return exchange(async (bytes) => {
    const result = await judge(bytes, parts);
    const difficulty = asked(bytes, parts.door);
    return { result, body: encodeAnswer({ result, difficulty, retryAfterSeconds: RETRY_AFTER_SECONDS[result] ?? 0 }) };
  });
}

/** From the cheapest check to the dearest; Redis is not touched by what could be refused without it. */
export async function judge(bytes: Uint8Array, { shelf, door, pool }: ParcelParts): Promise<Result> {
  const parcel = parsed(bytes);
  if (typeof parcel === 'string') return parcel;
  if (!shelf.live().some(({ serial }) => serial === parcel.serial)) return 'serial';
  if (stampBits(parcel) < door.difficultyFor(parcel.serial)) return 'stamp';
  const { reason } = door.state;
  // A full pool is asked all the same: a parcel that is in it already is accepted.
  return reason === null || reason === 'pool' ? pool.put(parcel) : REFUSED_FOR[reason];
}

/** What a body of a parcel's length, whose stamp nobody looked at yet, is refused for. */
const REFUSED_AS: Partial<Record<ErrorCode, Result>> = { PARCEL_VERSION: 'version', PARCEL_SEALED: 'sealed', PARCEL_CHECK: 'damaged' };

/** What is asked of this parcel, or of one that is sealed anew under the current keyring, whichever is more. */
function asked(bytes: Uint8Array, door: Door): number {
  const serial = new DataView(bytes.buffer, bytes.byteOffset + VERSION_BYTES, SERIAL_BYTES).getUint32(0);
  return Math.max(door.state.difficulty, door.difficultyFor(serial));
}

function parsed(bytes: Uint8Array): Parcel | Result {
  try {
    return parseParcel(bytes);
  } catch (error) {
    const refused = error instanceof CodedError ? REFUSED_AS[error.code] : undefined;
    if (refused === undefined) throw error;
    return refused;
  }
}
