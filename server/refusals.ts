import type { Request, Response } from 'express';
import { PARCEL_BYTES } from '../crypto/parcel.ts';
import { jsonBody, sendJson } from './json.ts';

/** Short responses to whatever is not an exchange. They say why, and never repeat anything that was sent. */
export const REFUSALS = {
  REQUEST: { status: 400, message: 'The relay does not understand this request.' },
  PARCEL_SHORT: { status: 400, message: `A parcel has exactly ${String(PARCEL_BYTES)} bytes; this was shorter.` },
  NOT_FOUND: { status: 404, message: 'There is nothing here.' },
  METHOD: { status: 405, message: 'This method is not allowed here.' },
  TIMEOUT: { status: 408, message: 'The request did not arrive in time. None of it was kept; send it again.' },
  PARCEL_LONG: { status: 413, message: `A parcel has exactly ${String(PARCEL_BYTES)} bytes; this was longer.` },
  CONTENT_TYPE: { status: 415, message: 'A parcel must be sent as application/octet-stream.' },
  CONTENT_ENCODING: { status: 415, message: 'A parcel must be sent without content encoding.' },
  HEADERS_LONG: { status: 431, message: 'The headers are too long.' },
  INTERNAL: { status: 500, message: 'Something went wrong here. None of the request was kept.' },
  NO_KEYRING: { status: 503, message: 'There is no valid keyring at the moment.' },
} as const satisfies Record<string, { status: number; message: string }>;

export type Refusal = keyof typeof REFUSALS;
export type Refuse = (request: Request, response: Response, refusal: Refusal) => void;

/** How long a body that was refused unread may keep arriving, so that its sender gets to read the response. */
const LINGER_MS = 5_000;

export function refusalBody(refusal: Refusal): Buffer {
  return jsonBody({ error: refusal, message: REFUSALS[refusal].message });
}

export function refuse(request: Request, response: Response, refusal: Refusal): void {
  sendJson(response, REFUSALS[refusal].status, refusalBody(refusal));
  discardRest(request);
}

export function methodNotAllowed(allowed: string, onRefusal: Refuse = refuse): (request: Request, response: Response) => void {
  return (request, response) => {
    response.setHeader('Allow', allowed);
    onRefusal(request, response, 'METHOD');
  };
}

/**
 * Reads the rest of the body and overwrites it: it may be somebody's own words. Closing with unread bytes would reset the
 * connection, and the response could be lost with it.
 */
export function discardRest(request: Request): void {
  request.on('data', (chunk: Buffer) => chunk.fill(0));
  if (request.complete) return;
  const timer = setTimeout(() => request.socket.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(timer));
}
