import type { RequestHandler, Response } from 'express';
import type { KeyringShelf, Shelved } from '../../runtime/keyrings.ts';
import { endInPieces } from '../pieces.ts';
import { JSON_TYPE } from '../json.ts';
import { refuse } from '../refusals.ts';

/** GET /keyring.json: the signed bytes, unchanged. */
export function getKeyring(shelf: KeyringShelf): RequestHandler {
  return publish(shelf, JSON_TYPE, ({ json }) => Buffer.from(json));
}

/** GET /keyring.json.minisig */
export function getKeyringSignature(shelf: KeyringShelf): RequestHandler {
  return publish(shelf, 'text/plain; charset=utf-8', ({ signature }) => Buffer.from(signature));
}

function publish(shelf: KeyringShelf, type: string, bytesOf: (shelved: Shelved) => Buffer): RequestHandler {
  return (request, response) => {
    const current = shelf.current();
    if (current === null) refuse(request, response, 'NO_KEYRING');
    else send(response, type, bytesOf(current));
  };
}

function send(response: Response, type: string, body: Buffer): void {
  response.statusCode = 200;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', body.length);
  endInPieces(response, body);
}
