import { discardRest, refuse, type Refuse, REFUSALS } from './refusals.ts';
import { sendFile, type StaticFile, type Statics } from './statics.ts';

const PAGE = '/nowhere.html';

/** One page for everything that does not open, in every language of the form; undefined where the build has none. */
export function nowherePage(statics: Statics): StaticFile | undefined {
  const page = statics.get(PAGE);
  // As it is, so that nothing a client sends decides about it.
  return page === undefined || typeof page === 'string' ? undefined : { ...page, encoded: new Map() };
}

/**
 * Refuses as `refuse` does, but with the page where somebody may look at the answer: a GET, or the HEAD of one. It is the
 * same to the byte whatever was asked for.
 */
export function refuseWith(page: StaticFile | undefined): Refuse {
  return (request, response, refusal) => {
    if (page === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      refuse(request, response, refusal);
      return;
    }
    sendFile(request, response, page, REFUSALS[refusal].status);
    discardRest(request);
  };
}
