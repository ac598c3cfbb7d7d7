import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { FIXED_HEADERS, type ResponseHeader } from '../runtime/served.ts';

const secure = helmet({
  // Allows what the page needs and nothing else (runtime/served.ts).
  contentSecurityPolicy: false,
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
  // A plain-HTTP onion has no use for it, and a clearnet proxy in front adds its own.
  strictTransportSecurity: false,
});

/**
 * Sets what no response lacks. The list is fixed, so it cannot depend on a request. Throws at start when helmet knows of a header that is
 * not in it, or differs.
 */
export function fixedHeaders(list: readonly ResponseHeader[] = FIXED_HEADERS): RequestHandler {
  for (const [name, value] of recorded()) {
    const ours = list.find(([fixed]) => fixed === name)?.[1];
    if (ours !== value) throw new Error(`helmet sets ${name} to "${value}", and runtime/served.ts says "${ours ?? 'nothing'}"`);
  }
  return (_request, response, next) => {
    // Clock skew would tell this machine from others.
    response.sendDate = false;
    for (const [name, value] of list) response.setHeader(name, value);
    next();
  };
}

/** Records the headers that helmet sets. It reads nothing from the request, so an empty one will do. */
function recorded(): ResponseHeader[] {
  const headers: ResponseHeader[] = [];
  const recorder = { setHeader: (name: string, value: string) => headers.push([name, value]), removeHeader: () => undefined };
  secure({} as Parameters<typeof secure>[0], recorder as unknown as Parameters<typeof secure>[1], (error) => {
    if (error instanceof Error) throw error;
  });
  return headers;
}
