import type { RequestHandler } from 'express';
import type { Door } from '../door.ts';
import { JSON_TYPE } from '../refusals.ts';

/** What the door says to everyone. */
export function doorFields({ state: { reason, difficulty, roundSeconds } }: Door): object {
  return { open: reason === null, reason, difficulty, roundSeconds };
}

/** GET /door.json: asked before anybody types. */
export function getDoor(door: Door): RequestHandler {
  return (_request, response) => {
    const body = Buffer.from(`${JSON.stringify(doorFields(door))}\n`);
    response.statusCode = 200;
    response.setHeader('Content-Type', JSON_TYPE);
    response.setHeader('Content-Length', body.length);
    response.end(body);
  };
}
