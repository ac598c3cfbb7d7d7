// What the page asks of the relay: whether the door is open, which keyring there is, and whether it takes a parcel.
import type { Answer } from '../../crypto/answer.ts';
import { DOOR_REASONS, HIGHEST_DIFFICULTY, type DoorReason } from '../../crypto/wire.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';

export type RelayDoor = { open: true; difficulty: number } | { open: false; reason: DoorReason };
export type FetchedKeyring = { json: Uint8Array; signature: string };
export type Start = { door: RelayDoor; keyring: FetchedKeyring | null };

/** A first connection to an onion service may take most of a minute. */
const READ_TIMEOUT_MS = 60_000;
/** As long as the relay itself waits for a slow upload. */
const SEND_TIMEOUT_MS = 120_000;
/** From here on a stamp takes a browser without WebAssembly most of a minute on average, often longer: said before anybody types. */
export const SLOW_DIFFICULTY = 18;

export class UnreachableError extends Error {
  readonly why: 'offline' | 'timeout';
  constructor(why: 'offline' | 'timeout') {
    super(why);
    this.why = why;
  }
}

/** Throws UnreachableError when the response did not come in time, or not whole. */
async function exchange(
  path: string,
  timeoutMs: number,
  init: RequestInit = {},
): Promise<{ status: number; body: Uint8Array<ArrayBuffer> }> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  try {
    const response = await fetch(path, {
      ...init,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: controller.signal,
    });
    return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
  } catch {
    throw new UnreachableError(controller.signal.aborted ? 'timeout' : 'offline');
  } finally {
    clearTimeout(timer);
  }
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { status, body } = await exchange(path, READ_TIMEOUT_MS);
  if (status !== 200) throw new UnreachableError('offline');
  return body;
}

function parseDoor(door: { open?: unknown; reason?: unknown; difficulty?: unknown }): RelayDoor {
  if (door.open === true && Number.isInteger(door.difficulty)) {
    return { open: true, difficulty: Math.min(Math.max(Number(door.difficulty), 0), HIGHEST_DIFFICULTY) };
  }
  return { open: false, reason: DOOR_REASONS.find((reason) => reason === door.reason) ?? 'worker' };
}

function parseStart(body: Uint8Array): Start {
  const { door, keyring, signature } = JSON.parse(new TextDecoder().decode(body)) as { door: object; keyring: unknown; signature: unknown };
  const told = parseDoor(door);
  if (typeof keyring !== 'string' || typeof signature !== 'string') {
    return { door: told.open ? { open: false, reason: 'keyring' } : told, keyring: null };
  }
  return { door: told, keyring: { json: new TextEncoder().encode(keyring), signature } };
}

/** The keyring is not believed until the sealing worker has verified it. Throws UnreachableError when no valid response came. */
export async function readStart(): Promise<Start> {
  const body = await read('/start.json');
  try {
    return parseStart(body);
  } catch {
    throw new UnreachableError('offline');
  }
}

/** With an empty query, so that the path is as long as /mailbox and the headers are of the same length. */
const PARCEL_PATH = '/parcel?';

/** libsodium's WebAssembly. Throws UnreachableError when it did not come. */
export async function readWasm(): Promise<ArrayBuffer> {
  return (await read('/sodium.wasm')).buffer;
}

/** The word list of a language's access codes. Throws UnreachableError when it did not come, or is not such a list. */
export async function fetchWords(path: string): Promise<readonly string[]> {
  const words = new TextDecoder()
    .decode(await read(path))
    .trim()
    .split('\n');
  if (words.length !== WORD_LIST_LENGTH) throw new UnreachableError('offline');
  return words;
}

/**
 * Hands in a parcel; `readAnswer` parses the relay's answer. Null when what came back is not a relay's answer. Throws UnreachableError when
 * nothing came; the parcel may have been accepted all the same. Sending the same bytes again is safe.
 */
export async function sendParcel(parcel: Uint8Array, readAnswer: (bytes: Uint8Array) => Promise<Answer>): Promise<Answer | null> {
  return readAnswer(await post(PARCEL_PATH, parcel)).catch(() => null);
}

/** Sends a question about a mailbox; the sealing worker reads what comes back. Throws UnreachableError when nothing came. */
export function askMailbox(question: Uint8Array): Promise<Uint8Array> {
  return post('/mailbox', question);
}

async function post(path: string, bytes: Uint8Array): Promise<Uint8Array> {
  const { body } = await exchange(path, SEND_TIMEOUT_MS, {
    method: 'POST',
    // A copy in a buffer of its own: the parcel is kept, to be sent again.
    body: bytes.slice().buffer,
    headers: { 'content-type': 'application/octet-stream' },
  });
  return body;
}
