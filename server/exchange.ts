import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestHandler, Response } from 'express';
import type { Result } from '../crypto/answer.ts';
import { PARCEL_BYTES } from '../crypto/parcel.ts';
import { readExactly } from './body.ts';
import { type Refusal, refuse } from './refusals.ts';

export const STATUS: Readonly<Record<Result, number>> = {
  accepted: 202,
  version: 400,
  sealed: 400,
  damaged: 400,
  serial: 400,
  stamp: 422,
  full: 503,
  away: 503,
  closed: 503,
};

/** A full pool drains round by round; a restarted Redis is back sooner. */
export const RETRY_AFTER_SECONDS: Partial<Record<Result, number>> = { full: 300, away: 30, closed: 300 };

/**
 * Minimum response time, counted from the last byte of the body. It is longer than reading any mailbox, and than most disks need
 * for a parcel, so the time reveals neither what was asked nor the result. Over Tor nobody notices.
 */
export const EXCHANGE_MS = 20;

/** `body`: 24,576 bytes, whatever the result. */
export type ExchangeResponse = { readonly result: Result; readonly body: Uint8Array };

/** Handles an exchange: a request body of 24,576 bytes always gets a response of the same size. */
export function exchange(handle: (bytes: Uint8Array) => Promise<ExchangeResponse>): RequestHandler {
  return async (request, response) => {
    const refusal = checkHeaders(request.headers);
    if (refusal !== null) {
      refuse(request, response, refusal);
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
      case 'exact': {
        const [outcome] = await Promise.all([handle(body.bytes), sleep(EXCHANGE_MS)]);
        send(response, outcome);
      }
    }
  };
}

/** Checks the headers that an exchange must, or must not, have. Null: they are fine. */
function checkHeaders(headers: IncomingHttpHeaders): Refusal | null {
  if (headers['content-type'] !== 'application/octet-stream') return 'CONTENT_TYPE';
  if (headers['content-encoding'] !== undefined) return 'CONTENT_ENCODING';
  return null;
}

function send(response: Response, { result, body }: ExchangeResponse): void {
  const retryAfterSeconds = RETRY_AFTER_SECONDS[result] ?? 0;
  response.statusCode = STATUS[result];
  if (retryAfterSeconds > 0) response.setHeader('Retry-After', retryAfterSeconds);
  // One exchange per connection: responses to pipelined requests would pile up for a client that does not read them.
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
