import type { Express, Response } from 'express';
import type { KeyringShelf } from '../runtime/keyrings.ts';
import { bareApp, closeApp } from './app.ts';
import type { Door } from './door.ts';
import { JSON_TYPE, methodNotAllowed } from './refusals.ts';

/** The operator's side, on a listener of its own: states in coarse steps, never a number that counts people. */
export function createHealthApp(door: Door, shelf: KeyringShelf): Express {
  const app = bareApp();
  const onlyGet = methodNotAllowed('GET, HEAD');
  app
    .route('/livez')
    .get((_request, response) => send(response, 200, { live: true }))
    .all(onlyGet);
  app
    .route('/readyz')
    .get((_request, response) => {
      const { reason, redis, pool, worker } = door.state;
      const ready = reason === null;
      send(response, ready ? 200 : 503, { ready, reason, redis, pool, worker, keyring: shelf.condition() });
    })
    .all(onlyGet);
  closeApp(app);
  return app;
}

function send(response: Response, status: number, value: object): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.statusCode = status;
  response.setHeader('Content-Type', JSON_TYPE);
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
