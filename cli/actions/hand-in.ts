// Handing parcels to a relay, as the form in Tor Browser does it.
import { request, type IncomingMessage } from 'node:http';
import { ANSWER_BYTES, parseAnswer, type Answer } from '../../crypto/answer.ts';
import { CliError } from '../errors.ts';
import { reason } from '../files.ts';

const TIMEOUT_MS = 120_000;

export type RelayAddress = { readonly socketPath: string } | { readonly port: number };

/**
 * What the page's fetch sends along with a parcel in Tor Browser (Firefox ESR), name by name and in its order. Host and
 * Origin would be the onion's name, which whoever ingests need not tell; the version is of one Tor Browser.
 */
export function pageHeaders(length: number): string[] {
  return [
    ...['Host', 'localhost'],
    ...['User-Agent', 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0'],
    ...['Accept', '*/*'],
    ...['Accept-Language', 'en-US,en;q=0.5'],
    ...['Accept-Encoding', 'gzip, deflate'],
    ...['content-type', 'application/octet-stream'],
    ...['Content-Length', String(length)],
    ...['Origin', 'http://localhost'],
    ...['Sec-GPC', '1'],
    ...['Connection', 'keep-alive'],
    ...['Sec-Fetch-Dest', 'empty'],
    ...['Sec-Fetch-Mode', 'cors'],
    ...['Sec-Fetch-Site', 'same-origin'],
    ...['Priority', 'u=4'],
    ...['Pragma', 'no-cache'],
    ...['Cache-Control', 'no-cache'],
  ];
}

/** `unix:/path` or `http://127.0.0.1:PORT`; null for anything else: parcels leave this machine through Tor only. */
export function parseAddress(text: string): RelayAddress | null {
  const path = /^unix:(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { socketPath: path };
  const port = Number(/^http:\/\/127\.0\.0\.1:(\d{1,5})\/?$/.exec(text)?.[1] ?? 0);
  return port > 0 && port < 65_536 ? { port } : null;
}

/** One exchange over a connection of its own. Errors: CliError RELAY_AWAY; sending the same parcel again is always safe. */
export async function handIn(parcel: Uint8Array, address: RelayAddress): Promise<Answer> {
  let body: Uint8Array;
  try {
    body = await exchange(parcel, address);
  } catch (error) {
    throw new CliError('RELAY_AWAY', `the relay does not answer: ${reason(error)}`, 'see that it runs, and run this again: nothing arrives twice');
  }
  if (body.length !== ANSWER_BYTES) throw new CliError('RELAY_AWAY', 'what answers is no relay', 'check --to');
  return parseAnswer(body);
}

function exchange(parcel: Uint8Array, address: RelayAddress): Promise<Uint8Array> {
  const where = 'port' in address ? { host: '127.0.0.1', port: address.port } : { socketPath: address.socketPath };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...where, method: 'POST', path: '/parcel', headers: pageHeaders(parcel.length), agent: false, timeout: TIMEOUT_MS });
    outgoing.on('timeout', () => outgoing.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    outgoing.on('error', reject);
    outgoing.on('response', (incoming: IncomingMessage) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        outgoing.destroy();
        resolve(new Uint8Array(Buffer.concat(chunks)));
      });
    });
    outgoing.end(parcel);
  });
}
