import type { RequestHandler } from 'express';
import type { Door } from '../door.ts';
import { jsonBody, sendJson } from '../json.ts';

/** The public fields of the door's state. */
export function doorFields({ state: { reason, difficulty, roundSeconds } }: Door): object {
  return { open: reason === null, reason, difficulty, roundSeconds };
}

/** GET /door.json: fetched before anybody types. */
export function getDoor(door: Door): RequestHandler {
  return (_request, response) => sendJson(response, 200, jsonBody(doorFields(door)));
}
