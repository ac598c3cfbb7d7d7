import type { RequestHandler } from 'express';
import type { Door } from '../door.ts';
import { JSON_TYPE } from '../refusals.ts';

/** GET /door.json: asked before anybody types. */
export function getDoor(door: Door, difficulty: number): RequestHandler {
  return (_request, response) => {
    const { reason, roundSeconds } = door.state;
    const body = Buffer.from(`${JSON.stringify({ open: reason === null, reason, difficulty, roundSeconds })}\n`);
    response.statusCode = 200;
    response.setHeader('Content-Type', JSON_TYPE);
    response.setHeader('Content-Length', body.length);
    response.end(body);
  };
}
