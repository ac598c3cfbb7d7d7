import type { RequestHandler, Response } from 'express';
import { encodeAnswer, type Result } from '../../crypto/answer.ts';
import { CodedError } from '../../crypto/errors.ts';
import { PARCEL_BYTES, parseParcel, type Parcel } from '../../crypto/parcel.ts';
import { stampBits } from '../../crypto/stamp.ts';
import type { KeyringShelf } from '../../service/keyrings.ts';
import { readExactly } from '../body.ts';
import type { Door, DoorReason } from '../door.ts';
import type { Pool } from '../pool.ts';
import { type Refusal, refuse } from '../refusals.ts';

export const STATUS: Readonly<Record<Result, number>> = {
  accepted: 202,
  version: 400,
  sealed: 400,
  serial: 400,
  stamp: 422,
  full: 503,
  away: 503,
  closed: 503,
};

/** A full pool drains by rounds; a Redis that restarts is back sooner. */
export const RETRY_AFTER_SECONDS: Partial<Record<Result, number>> = { full: 300, away: 30, closed: 300 };

/** The answer at a closed door. What passes soon is told apart, so that a client comes again soon. */
const REFUSED_FOR: Readonly<Record<Exclude<DoorReason, 'pool'>, Result>> = { keyring: 'closed', worker: 'closed', redis: 'away' };

export type ParcelParts = {
  shelf: KeyringShelf;
  door: Door;
  pool: Pool;
};

/** POST /parcel. What has the size of a parcel gets an answer of that size, whatever it was. */
export function postParcel(parts: ParcelParts): RequestHandler {
  return async (request, response) => {
    const unfit = headersUnfit(request.headers);
    if (unfit !== null) {
      refuse(request, response, unfit);
      return;
    }
    const body = await readExactly(request, PARCEL_BYTES);
    switch (body.kind) {
      case 'gone':
        return;
      case 'short':
        refuse(request, response, 'PARCEL_SHORT');
        return;
      case 'long':
        refuse(request, response, 'PARCEL_LONG');
        return;
      case 'exact':
        answer(response, await judge(body.bytes, parts), parts.door.state.difficulty);
    }
  };
}

/** What an exchange must not come without, or with. */
export function headersUnfit(headers: Readonly<Record<string, string | string[] | undefined>>): Refusal | null {
  if (headers['content-type'] !== 'application/octet-stream') return 'CONTENT_TYPE';
  if (headers['content-encoding'] !== undefined) return 'CONTENT_ENCODING';
  return null;
}

/** From the cheapest check to the dearest; Redis is not touched by what could be refused without it. */
export async function judge(bytes: Uint8Array, { shelf, door, pool }: ParcelParts): Promise<Result> {
  const parcel = parsed(bytes);
  if (typeof parcel === 'string') return parcel;
  if (!shelf.live().some(({ serial }) => serial === parcel.serial)) return 'serial';
  const { reason, difficulty } = door.state;
  if (stampBits(parcel) < difficulty) return 'stamp';
  // A full pool is asked all the same: a parcel that is in it already is accepted.
  return reason === null || reason === 'pool' ? pool.put(parcel) : REFUSED_FOR[reason];
}

function parsed(bytes: Uint8Array): Parcel | 'version' | 'sealed' {
  try {
    return parseParcel(bytes);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return error.code === 'PARCEL_VERSION' ? 'version' : 'sealed';
  }
}

function answer(response: Response, result: Result, difficulty: number): void {
  const retryAfterSeconds = RETRY_AFTER_SECONDS[result] ?? 0;
  sendExchange(response, STATUS[result], retryAfterSeconds, encodeAnswer({ result, difficulty, retryAfterSeconds }));
}

/** The answer to anything of a parcel's size. */
export function sendExchange(response: Response, status: number, retryAfterSeconds: number, body: Uint8Array): void {
  response.statusCode = status;
  if (retryAfterSeconds > 0) response.setHeader('Retry-After', retryAfterSeconds);
  // One exchange a connection: answers to requests sent ahead would pile up for a client that does not read them.
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
