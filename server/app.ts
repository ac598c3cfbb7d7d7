import express, { type ErrorRequestHandler, type Express } from 'express';
import { fixedHeaders } from './headers.ts';
import { methodNotAllowed, refuse } from './refusals.ts';
import { getDoor } from './routes/door.ts';
import { getKeyring, getKeyringSignature } from './routes/keyring.ts';
import { type ParcelParts, postParcel } from './routes/parcel.ts';
import { serveStatics, type Statics } from './statics.ts';

/** The public side. Nothing in it reads who asks, and nothing in it logs. */
export function createApp(parts: ParcelParts, statics: Statics): Express {
  const app = bareApp();
  const { shelf, door, difficulty } = parts;
  const onlyGet = methodNotAllowed('GET, HEAD');
  app.route('/parcel').post(postParcel(parts)).all(methodNotAllowed('POST'));
  app.route('/door.json').get(getDoor(door, difficulty)).all(onlyGet);
  app.route('/keyring.json').get(getKeyring(shelf)).all(onlyGet);
  app.route('/keyring.json.minisig').get(getKeyringSignature(shelf)).all(onlyGet);
  app.use(serveStatics(statics));
  closeApp(app);
  return app;
}

/** Express without what it does of its own accord: no parsing of queries, no entity tags, no trust in proxies. */
export function bareApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.disable('trust proxy');
  app.set('query parser', false);
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(fixedHeaders);
  return app;
}

export function closeApp(app: Express): void {
  app.use((request, response) => refuse(request, response, 'NOT_FOUND'));
  app.use(failed);
}

/** Express would answer with the error's text, and print it. */
const failed: ErrorRequestHandler = (_error, request, response, next) => {
  if (response.headersSent) request.socket.destroy();
  else refuse(request, response, 'INTERNAL');
  void next;
};
