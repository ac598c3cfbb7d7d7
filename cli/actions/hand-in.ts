// Handing parcels to a relay, as the form in Tor Browser does it.
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ANSWER_BYTES, parseAnswer, type Answer } from '../../crypto/answer.ts';
import { HIGHEST_DIFFICULTY, stampParcel } from '../../crypto/stamp.ts';
import { CliError } from '../errors.ts';
import { reason } from '../files.ts';
import { socksConnect, type SocksAddress } from './socks.ts';

/** Without a byte; and for an exchange in all: who sends a byte now and then could otherwise hold somebody for hours. */
const TIMEOUT_MS = 120_000;
const DEADLINE_MS = 300_000;
/** More than a relay ever says. */
const BODY_BYTES_MAX = 65_536;

/** On this machine, or `url` with the proxy that leads there; `socks`: null goes there directly. */
export type RelayAddress = { readonly socketPath: string } | { readonly port: number } | { readonly url: URL; readonly socks: SocksAddress | null };

/** How long an exchange may take, and what ends it before that. */
export type Patience = { readonly deadlineMs?: number; readonly stop?: AbortSignal };

/**
 * What the page's fetch sends along with a parcel in Tor Browser (Firefox ESR), name by name and in its order. To a relay
 * on this machine Host and Origin would be the onion's name, which whoever ingests need not tell; the version is of one
 * Tor Browser.
 */
export function pageHeaders(length: number, origin = 'http://localhost'): string[] {
  return [
    ...beforeContent(origin),
    ...['content-type', 'application/octet-stream'],
    ...['Content-Length', String(length)],
    ...['Origin', origin],
    ...AFTER_CONTENT,
  ];
}

function beforeContent(origin: string): string[] {
  return [
    ...['Host', new URL(origin).host],
    ...['User-Agent', 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0'],
    ...['Accept', '*/*'],
    ...['Accept-Language', 'en-US,en;q=0.5'],
    ...['Accept-Encoding', 'gzip, deflate'],
  ];
}

const AFTER_CONTENT = [
  ...['Sec-GPC', '1'],
  ...['Connection', 'keep-alive'],
  ...['Sec-Fetch-Dest', 'empty'],
  ...['Sec-Fetch-Mode', 'cors'],
  ...['Sec-Fetch-Site', 'same-origin'],
  ...['Priority', 'u=4'],
  ...['Pragma', 'no-cache'],
  ...['Cache-Control', 'no-cache'],
];

/** `unix:/path` or `http://127.0.0.1:PORT`; null for anything else: parcels leave this machine through Tor only. */
export function parseAddress(text: string): RelayAddress | null {
  const path = /^unix:(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { socketPath: path };
  const port = Number(/^http:\/\/127\.0\.0\.1:(\d{1,5})\/?$/.exec(text)?.[1] ?? 0);
  return port > 0 && port < 65_536 ? { port } : null;
}

/** No answer of the relay. `mayHaveArrived`: a parcel was being sent, so the relay may have it all the same. */
export class RelayAway extends CliError {
  readonly mayHaveArrived: boolean;

  constructor(what: string, advice: string, mayHaveArrived: boolean) {
    super('RELAY_AWAY', what, advice);
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** One exchange over a connection of its own. Errors: RelayAway, ANSWER_FORMAT; sending the same parcel again is always safe. */
export async function handIn(parcel: Uint8Array, address: RelayAddress, patience: Patience = {}): Promise<Answer> {
  const body = await exchange(address, { method: 'POST', path: '/parcel?', headers: pageHeaders(parcel.length, originOf(address)), body: parcel }, patience);
  if (body.length !== ANSWER_BYTES) throw noRelay(true);
  return parseAnswer(body);
}

/** As `handIn`; a stamp that the relay finds too cheap is made dearer once: the nonce is no part of the parcel's id. */
export async function handInStamped(parcel: Uint8Array, address: RelayAddress, patience: Patience = {}): Promise<Answer> {
  const answer = await handIn(parcel, address, patience);
  if (answer.result !== 'stamp' || answer.difficulty > HIGHEST_DIFFICULTY) return answer;
  return handIn(stampParcel(parcel, answer.difficulty), address, patience);
}

/** What /door.json asks of a stamp now, over a connection of its own. Errors: RelayAway. */
export async function askDifficulty(address: RelayAddress, patience: Patience = {}): Promise<number> {
  const body = await exchange(address, { method: 'GET', path: '/door.json', headers: [...beforeContent(originOf(address)), ...AFTER_CONTENT] }, patience);
  let difficulty: unknown;
  try {
    ({ difficulty } = JSON.parse(new TextDecoder().decode(body)) as { difficulty?: unknown });
  } catch {
    throw noRelay(false);
  }
  if (!Number.isInteger(difficulty)) throw noRelay(false);
  return Math.min(Math.max(Number(difficulty), 0), HIGHEST_DIFFICULTY);
}

const noRelay = (mayHaveArrived: boolean): RelayAway => new RelayAway('what answers is no relay', 'check its address', mayHaveArrived);
const originOf = (address: RelayAddress): string => ('url' in address ? address.url.origin : 'http://localhost');

type Exchange = { method: string; path: string; headers: string[]; body?: Uint8Array };

async function exchange(address: RelayAddress, outgoing: Exchange, { deadlineMs = DEADLINE_MS, stop }: Patience): Promise<Uint8Array> {
  const deadline = AbortSignal.timeout(deadlineMs);
  let mayHaveArrived = false;
  try {
    const socket = await dial(address, stop === undefined ? deadline : AbortSignal.any([deadline, stop]));
    mayHaveArrived = outgoing.body !== undefined;
    return await over(socket, outgoing);
  } catch (error) {
    const why = stop?.aborted === true ? 'stopped' : deadline.aborted ? 'it takes too long' : reason(error);
    throw new RelayAway(`the relay does not answer: ${why}`, 'see that it runs, and run this again: nothing arrives twice', mayHaveArrived);
  }
}

/** @param signal destroys the connection, also after it was made */
async function dial(address: RelayAddress, signal: AbortSignal): Promise<Socket> {
  if ('socketPath' in address) return connected(connect({ path: address.socketPath, signal }));
  if ('port' in address) return connected(connect({ port: address.port, host: '127.0.0.1', signal }));
  const { url, socks } = address;
  const isTls = url.protocol === 'https:';
  const port = Number(url.port || (isTls ? 443 : 80));
  const plain = socks === null ? await connected(connect({ port, host: url.hostname, signal })) : await socksConnect(socks, url.hostname, port, TIMEOUT_MS, signal);
  return isTls ? connected(connectTls({ socket: plain, servername: isIP(url.hostname) === 0 ? url.hostname : '' }), 'secureConnect') : plain;
}

async function connected<S extends Socket>(socket: S, event = 'connect'): Promise<S> {
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
  await once(socket, event);
  return socket;
}

function over(socket: Socket, { method, path, headers, body }: Exchange): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ createConnection: () => socket, method, path, headers });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > BODY_BYTES_MAX) incoming.destroy(new Error('too long'));
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        outgoing.destroy();
        resolve(new Uint8Array(Buffer.concat(chunks)));
      });
    });
    outgoing.end(body);
  });
}
