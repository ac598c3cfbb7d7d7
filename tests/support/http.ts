import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';

export type HttpAnswer = { status: number; headers: IncomingHttpHeaders; body: Uint8Array };

export type HttpRequest = Readonly<{
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** The client's loopback address, 127.x.y.z. */
  from?: string;
  /** A unix socket instead of the URL's host and port. */
  socketPath?: string;
  timeoutMs?: number;
}>;

/** One request over one connection. Rejects when the server does not answer in time. */
export function http(url: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body, from, socketPath, timeoutMs = 10_000 } = options;
  // As a browser does; the connection is closed below, once the answer is there.
  const settings: RequestOptions = { method, headers: { connection: 'keep-alive', ...headers }, agent: false };
  if (from !== undefined) settings.localAddress = from;
  if (socketPath !== undefined) settings.socketPath = socketPath;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, settings, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        clearTimeout(timer);
        outgoing.destroy();
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: new Uint8Array(Buffer.concat(chunks)) });
      });
    });
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${String(timeoutMs)} ms`)), timeoutMs);
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.end(body);
  });
}

export function postParcel(base: string, parcel: Uint8Array, options: HttpRequest = {}): Promise<HttpAnswer> {
  return http(new URL('parcel', base).href, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: parcel,
    ...options,
  });
}
