import { NOWHERE_PAGE } from '../runtime/served.ts';
import { discardRest, refuse, type Refuse, REFUSALS } from './refusals.ts';
import { sendFile, type StaticFile, type Statics } from './statics.ts';

/** The one error page, in all languages of the form; undefined if the build has none. */
export function nowherePage(statics: Statics): StaticFile | undefined {
  const page = statics.get(`/${NOWHERE_PAGE}`);
  // Uncompressed, so that it does not depend on anything a client sends.
  return page === undefined || typeof page === 'string' ? undefined : { ...page, encoded: new Map() };
}

/**
 * Like `refuse`, but sends the page where a person may see it: to a GET, or the HEAD of one. The page is the same to the
 * byte whatever was asked for.
 */
export function refuseWithPage(page: StaticFile | undefined): Refuse {
  return (request, response, refusal) => {
    if (page === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      refuse(request, response, refusal);
      return;
    }
    sendFile(request, response, page, REFUSALS[refusal].status);
    discardRest(request);
  };
}
