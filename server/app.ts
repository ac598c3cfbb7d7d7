import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { fixedHeaders } from './headers.ts';
import type { MailboxReader } from './mailboxes.ts';
import { nowherePage, refuseWithPage } from './nowhere.ts';
import { methodNotAllowed, refuse, type Refuse } from './refusals.ts';
import { getDoor } from './routes/door.ts';
import { getKeyring, getKeyringSignature } from './routes/keyring.ts';
import { postMailbox } from './routes/mailbox.ts';
import { type ParcelParts, postParcel } from './routes/parcel.ts';
import { pastePagesOf, postPaste } from './routes/paste.ts';
import { getStart } from './routes/start.ts';
import { redirect, serveStatics, type Statics } from './statics.ts';

export type AppParts = ParcelParts & { readonly mailboxes: MailboxReader };

/** The public listener's app. It reads no client attributes and logs nothing. */
export function createApp(parts: AppParts, statics: Statics, offlineForm: { readonly hasEnded: boolean }): Express {
  const app = bareApp();
  const { shelf, door } = parts;
  // People open pages in a browser, so they get a page. What programs fetch is always refused in JSON.
  const refusePerson = refuseWithPage(nowherePage(statics));
  const onlyPost = methodNotAllowed('POST', refusePerson);
  app.route('/parcel').post(postParcel(parts)).all(onlyPost);
  app.route('/mailbox').post(postMailbox(parts.mailboxes)).all(onlyPost);
  const documents: Readonly<Record<string, RequestHandler>> = {
    '/start.json': getStart(door, shelf),
    '/door.json': getDoor(door),
    '/keyring.json': getKeyring(shelf),
    '/keyring.json.minisig': getKeyringSignature(shelf),
  };
  for (const [path, get] of Object.entries(documents)) app.route(path).get(get).all(methodNotAllowed('GET, HEAD'));
  for (const [folder, pages] of pastePagesOf(statics)) {
    const path = `${folder}paste`;
    // Opening this address directly, or returning to it, leads to the page with the text field.
    app
      .route(path)
      .post(postPaste(parts, pages))
      .get((_request, response) => redirect(response, folder))
      .all(methodNotAllowed('GET, HEAD, POST'));
  }
  app.use(serveStatics(statics, offlineForm, refusePerson));
  addFallbacks(app, (request, ...rest) => (Object.hasOwn(documents, request.path) ? refuse : refusePerson)(request, ...rest));
  return app;
}

/** Express without its defaults: no query parsing, no entity tags, no trusted proxies. */
export function bareApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.disable('trust proxy');
  app.set('query parser', false);
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(fixedHeaders());
  return app;
}

export function addFallbacks(app: Express, onRefusal: Refuse = refuse): void {
  app.use((request, response) => onRefusal(request, response, 'NOT_FOUND'));
  app.use(handleError(onRefusal));
}

/** Replaces Express's own error handler, which would send the error's text and print it. */
function handleError(onRefusal: Refuse): ErrorRequestHandler {
  return (_error, request, response, next) => {
    if (response.headersSent) request.socket.destroy();
    else onRefusal(request, response, 'INTERNAL');
    void next;
  };
}
