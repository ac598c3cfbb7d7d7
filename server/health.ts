import type { Express } from 'express';
import type { KeyringShelf } from '../runtime/keyrings.ts';
import { addFallbacks, bareApp } from './app.ts';
import type { Door } from './door.ts';
import { jsonBody, sendJson } from './json.ts';
import { methodNotAllowed } from './refusals.ts';

/** The operator's app, on its own listener: coarse states only, never a number that could count people. */
export function createHealthApp(door: Door, shelf: KeyringShelf): Express {
  const app = bareApp();
  const onlyGet = methodNotAllowed('GET, HEAD');
  app
    .route('/livez')
    .get((_request, response) => sendJson(response, 200, jsonBody({ live: true })))
    .all(onlyGet);
  app
    .route('/readyz')
    .get((_request, response) => {
      const { reason, redis, pool, worker } = door.state;
      const ready = reason === null;
      sendJson(response, ready ? 200 : 503, jsonBody({ ready, reason, redis, pool, worker, keyring: shelf.condition() }));
    })
    .all(onlyGet);
  addFallbacks(app);
  return app;
}
