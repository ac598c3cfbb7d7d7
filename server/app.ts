import express, { type ErrorRequestHandler, type Express } from 'express';
import { fixedHeaders } from './headers.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { OfflineForm } from './offline-form.ts';
import { methodNotAllowed, refuse } from './refusals.ts';
import { getDoor } from './routes/door.ts';
import { getKeyring, getKeyringSignature } from './routes/keyring.ts';
import { postMailbox } from './routes/mailbox.ts';
import { type ParcelParts, postParcel } from './routes/parcel.ts';
import { pastePages, postPaste } from './routes/paste.ts';
import { getStart } from './routes/start.ts';
import { moved, serveStatics, type Statics } from './statics.ts';

/** The public side. Nothing in it reads who asks, and nothing in it logs. */
export function createApp(parts: ParcelParts & { mailboxes: Mailboxes }, statics: Statics, offlineForm: OfflineForm): Express {
  const app = bareApp();
  const { shelf, door } = parts;
  const onlyGet = methodNotAllowed('GET, HEAD');
  app.route('/parcel').post(postParcel(parts)).all(methodNotAllowed('POST'));
  app.route('/mailbox').post(postMailbox(parts.mailboxes)).all(methodNotAllowed('POST'));
  app.route('/start.json').get(getStart(door, shelf)).all(onlyGet);
  app.route('/door.json').get(getDoor(door)).all(onlyGet);
  app.route('/keyring.json').get(getKeyring(shelf)).all(onlyGet);
  app.route('/keyring.json.minisig').get(getKeyringSignature(shelf)).all(onlyGet);
  for (const [folder, pages] of pastePages(statics)) {
    const path = `${folder}paste`;
    // Who asks for it by address, or comes back to it, finds the field.
    app.route(path).post(postPaste(parts, pages)).get((_request, response) => moved(response, folder)).all(methodNotAllowed('GET, HEAD, POST'));
  }
  app.use(serveStatics(statics, offlineForm));
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
