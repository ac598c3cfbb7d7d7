import { generateKeyPairSync } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { onionAddressOf } from '../crypto/onion-address.ts';
import { textOf } from '../crypto/text-file.ts';
import { readRegularFile } from '../runtime/files.ts';
import { newCircuit, socksConnect, SocksError, type SocksAddress, type SocksFailure } from '../runtime/socks.ts';

export const ONION_STATES = [
  'reachable',
  'unreachable',
  /** It is announced, and lets in only those who have a key; we have none. */
  'locked',
  /** The SOCKS port does not answer. */
  'no-tor',
  /** tor answers, and finds nothing at all. */
  'no-network',
  /** The file that holds the address is missing, or holds none. */
  'no-address',
] as const;
export type OnionState = (typeof ONION_STATES)[number];

export const ONION_WORDS: Readonly<Record<OnionState, string>> = {
  reachable: 'the form was reached under it',
  unreachable: 'leads nowhere',
  locked: 'is announced, for those who have a key',
  'no-tor': 'tor does not answer',
  'no-network': 'tor has found no way into its network',
  'no-address': 'not known here',
};

export const isOnionThere = (state: OnionState): boolean => state === 'reachable' || state === 'locked';

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
const MAX_ADDRESS_BYTES = 1_024;
const STATES: Partial<Record<SocksFailure, OnionState | 'silent'>> = {
  'tor-away': 'no-tor',
  'tor-unlike': 'no-tor',
  'tor-locked': 'locked',
  'tor-slow': 'silent',
};
const ONION = /^(?:http:\/\/)?([a-z2-7]{56}\.onion)\/?$/;

/** Visits our own form as anybody would, over circuits of their own: only that shows that people can reach it. */
export async function readOnion({ socks, addressFile }: OnionCheck, tryMs = TRY_MS): Promise<OnionState> {
  const host = await readAddress(addressFile);
  if (host === null) return 'no-address';
  const first = await visit(socks, host, tryMs);
  if (first !== 'unreachable' && first !== 'silent') return first;
  const [second, isConnected] = await Promise.all([visit(socks, host, tryMs), first === 'silent' ? findsNobody(socks, tryMs) : true]);
  return second === 'silent' ? (isConnected ? 'unreachable' : 'no-network') : second;
}

async function readAddress(file: string): Promise<string | null> {
  try {
    const text = textOf(await readRegularFile(file, MAX_ADDRESS_BYTES)).trim();
    return ONION.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** `silent`: tor said nothing in time, neither that it got there nor that it did not. */
async function visit(socks: SocksAddress, host: string, tryMs: number): Promise<OnionState | 'silent'> {
  try {
    const signal = AbortSignal.timeout(tryMs);
    const socket = await socksConnect(socks, { host, port: PORT, circuit: newCircuit() }, tryMs);
    return (await statusOverSocket(socket, host, signal)) === 200 ? 'reachable' : 'unreachable';
  } catch (error) {
    return error instanceof SocksError ? (STATES[error.code] ?? 'unreachable') : 'unreachable';
  }
}

/**
 * Asks for an onion service that nobody has. Where tor has a network it soon says that there is none. Without a network it waits for
 * one, in silence, as with every address: so this tells a service that cannot be reached from a tor that can reach nothing.
 */
async function findsNobody(socks: SocksAddress, tryMs: number): Promise<boolean> {
  try {
    const socket = await socksConnect(socks, { host: addressOfNobody(), port: PORT, circuit: newCircuit() }, tryMs);
    socket.destroy();
    return true;
  } catch (error) {
    return !(error instanceof SocksError && error.code === 'tor-slow');
  }
}

/** Of a key that is thrown away. */
function addressOfNobody(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return onionAddressOf(Buffer.from(x, 'base64url'));
}

function statusOverSocket(socket: Socket, host: string, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ createConnection: () => socket, host, path: PATH, signal, headers: { connection: 'close' } });
    // One that wants to go over to another protocol ends without a response, and without an error.
    asked.on('upgrade', () => (socket.destroy(), reject(new Error('not a relay'))));
    asked.on('error', reject).on('response', (response) => {
      response.on('error', reject).on('end', () => resolve(response.statusCode));
      response.resume();
    });
    asked.end();
  });
}
