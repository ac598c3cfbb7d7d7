import { request } from 'node:http';
import type { Socket } from 'node:net';
import { textOf } from '../crypto/text-file.ts';
import { readRegularFile } from '../runtime/files.ts';
import { newCircuit, socksConnect, SocksError, type SocksAddress, type SocksFailure } from '../runtime/socks.ts';

export type OnionState =
  | 'reachable'
  | 'unreachable'
  /** It is announced, and lets in only those who have a key; we have none. */
  | 'locked'
  /** The SOCKS port does not answer. */
  | 'no-tor'
  /** The file that holds the address is missing, or holds none. */
  | 'no-address';

export type OnionCheck = {
  readonly socks: SocksAddress;
  /** The file with the onion address. */
  readonly addressFile: string;
};

/** What every page asks for first, and the relay answers without Redis. */
const PATH = '/door.json';
const PORT = 80;
/** The first connection to an onion service makes several circuits. */
const TRY_MS = 30_000;
/** Circuits fail now and then: one that does says nothing. */
const TRIES = 2;
const MAX_ADDRESS_BYTES = 1_024;
const STATES: Partial<Record<SocksFailure, OnionState>> = { 'tor-away': 'no-tor', 'tor-unlike': 'no-tor', 'tor-locked': 'locked' };
const ONION = /^(?:http:\/\/)?([a-z2-7]{56}\.onion)\/?$/;

/** Visits our own form as anybody would, over circuits of their own: only that shows that people can reach it. */
export async function readOnion({ socks, addressFile }: OnionCheck): Promise<OnionState> {
  const host = await readAddress(addressFile);
  if (host === null) return 'no-address';
  let state: OnionState = 'unreachable';
  for (let tries = 0; tries < TRIES; tries += 1) {
    state = await visit(socks, host);
    if (state !== 'unreachable') return state;
  }
  return state;
}

async function readAddress(file: string): Promise<string | null> {
  try {
    const text = textOf(await readRegularFile(file, MAX_ADDRESS_BYTES)).trim();
    return ONION.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

async function visit(socks: SocksAddress, host: string): Promise<OnionState> {
  try {
    const signal = AbortSignal.timeout(TRY_MS);
    const socket = await socksConnect(socks, { host, port: PORT, circuit: newCircuit() }, TRY_MS, signal);
    return (await statusOverSocket(socket, host, signal)) === 200 ? 'reachable' : 'unreachable';
  } catch (error) {
    return error instanceof SocksError ? (STATES[error.code] ?? 'unreachable') : 'unreachable';
  }
}

function statusOverSocket(socket: Socket, host: string, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ createConnection: () => socket, host, path: PATH, signal, headers: { connection: 'close' } });
    asked.on('error', reject).on('response', (response) => {
      response.on('error', reject).on('end', () => resolve(response.statusCode));
      response.resume();
    });
    asked.end();
  });
}
