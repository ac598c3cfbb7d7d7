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

/** A full pool drains by rounds; a Redis that restarts is back sooner. */
export const RETRY_AFTER_SECONDS: Partial<Record<Result, number>> = { full: 300, away: 30, closed: 300 };

/**
 * What an exchange takes at the least from the moment that its body is there: longer than looking into any mailbox, and than
 * most disks need for a parcel, so that its time says neither what it was nor what became of it. Over Tor nobody notices.
 */
export const EXCHANGE_MS = 20;

/** `body`: 24,576 bytes, whatever the result. */
export type ExchangeAnswer = { readonly result: Result; readonly body: Uint8Array };

/** What has the size of an exchange, 24,576 bytes, gets an answer of that size, whatever it was. */
export function exchange(answer: (bytes: Uint8Array) => Promise<ExchangeAnswer>): RequestHandler {
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
      case 'exact': {
        const [answered] = await Promise.all([answer(body.bytes), sleep(EXCHANGE_MS)]);
        send(response, answered);
      }
    }
  };
}

/** What an exchange must not come without, or with. */
function headersUnfit(headers: IncomingHttpHeaders): Refusal | null {
  if (headers['content-type'] !== 'application/octet-stream') return 'CONTENT_TYPE';
  if (headers['content-encoding'] !== undefined) return 'CONTENT_ENCODING';
  return null;
}

function send(response: Response, { result, body }: ExchangeAnswer): void {
  const retryAfterSeconds = RETRY_AFTER_SECONDS[result] ?? 0;
  response.statusCode = STATUS[result];
  if (retryAfterSeconds > 0) response.setHeader('Retry-After', retryAfterSeconds);
  // One exchange a connection: answers to requests sent ahead would pile up for a client that does not read them.
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
