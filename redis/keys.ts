import { PARCEL_ID_BYTES } from '../crypto/parcel.ts';

/** What an operator can ask for: a test letter, and that dead letters are tried again. */
export type Asked = 'tests' | 'retries';

/** Every name in Redis, and what it holds. Ids and ciphertext are raw bytes, never text. `keyId`: runtime/key-id.ts. */
export const keys = {
  /** hash: parcel id (32 bytes) -> sealed part. The relay only adds, the worker only removes. */
  pool: 'pool',
  /** set: `rememberedId` of every parcel accepted for this key of the worker before this round. Deleted with the key. */
  seen: (keyId: string) => `seen:${keyId}`,
  /** set: the same for those accepted in this round. The worker moves them into `seen` in random order (worker/arrivals.ts). */
  arrived: (keyId: string) => `arrived:${keyId}`,
  /** set: `rememberedId` of every parcel the worker opened with this key. */
  opened: (keyId: string) => `opened:${keyId}`,
  /** hash like the pool: the batch that one worker has taken and not finished (worker/batch-lease.ts). */
  claim: (instance: string) => `claim:${instance}`,
  /** set: instances that may have a batch. */
  claims: 'claims',
  /** string with a time to live, the lease: while it is there, this instance is alive and owns its batch. */
  lease: (instance: string) => `lease:${instance}`,
  /** hash: letter id (16 bytes) -> letter, waiting for one inbox. */
  outbox: (inbox: string) => `outbox:${inbox}`,
  /** hash like the outbox: letters that this inbox refused for good. Kept until an operator retries or drops them. */
  dead: (inbox: string) => `dead:${inbox}`,
  /** hash: letter id -> why it is dead, one of the worker's reasons. */
  deadReasons: (inbox: string) => `dead:${inbox}:reasons`,
  /** hash: place (16 bytes, redis/mailboxes.ts) -> sealed reply, for one week. */
  replies: (week: number) => `replies:${String(week)}`,
  /** hash: BLANK_FIELD -> as many zeros as a reply has bytes, read where there is no reply. */
  repliesBlank: 'replies:blank',
  /** set: ids of the configured inboxes, so that an operator's tool can count without reading the worker's files. */
  inboxes: 'inboxes',
  /** hash: drop reason -> number of parcels the worker dropped for it. */
  dropped: 'dropped',
  /** string: length of a round in seconds; expires ALIVE_SECONDS after each round. */
  alive: 'worker:alive',
  /** hash: what the worker tells operators, written once a round (redis/state.ts). */
  state: 'state',
  /** string: the operator has closed the door for maintenance (redis/drain.ts). */
  drain: 'drain',
  /** string: for which inboxes the operator asks the worker for something (redis/asking.ts). */
  asked: (kind: Asked) => `asked:${kind}`,
  /** hash: inbox -> question, and what became of the test letter that it asked for (redis/test-letters.ts). The worker writes it. */
  tests: 'tests',
  /** hash: inbox -> question for which the worker has put dead letters back into the outbox. */
  retries: 'retries',
  /** string: the version of all this (redis/version.ts). The worker writes it. */
  version: 'version',
} as const;

/** Prefix of everything BullMQ keeps: content-free ticks. */
export const TICKS_PREFIX = 'ticks';

export const BLANK_FIELD = 'blank';
export const REMEMBERED_ID_BYTES = 16;
export const ALIVE_SECONDS = 3600;
/** A worker that missed this many rounds is late. */
export const LATE_ROUNDS = 3;

/**
 * First member of every set of ids. Redis 7.2 and later keep a small set in insertion order, but only while each member is at
 * most 64 bytes; one longer member turns it into a hash table for good, so that no order is left.
 */
export const SET_ANCHOR = '-'.repeat(65);

/** What the sets `seen`, `arrived` and `opened` store of a parcel id: 128 bits never collide by chance. */
export function rememberedId(id: Uint8Array): Buffer {
  if (id.length !== PARCEL_ID_BYTES) throw new RangeError(`a parcel id has ${String(PARCEL_ID_BYTES)} bytes, not ${String(id.length)}`);
  return Buffer.from(id.subarray(0, REMEMBERED_ID_BYTES));
}

export type WorkerState = 'working' | 'late' | 'gone';

/**
 * @param leftMs PTTL of `worker:alive`, negative when there is none. More than its maximum means that the clock was set back
 * since, so nobody knows when that round was
 * @param roundSeconds its value
 */
export function workerState(leftMs: number, roundSeconds: number): WorkerState {
  if (leftMs <= 0 || leftMs > ALIVE_SECONDS * 1000 || !(roundSeconds > 0)) return 'gone';
  const lateBelowMs = (ALIVE_SECONDS - LATE_ROUNDS * roundSeconds) * 1000;
  return leftMs > lateBelowMs ? 'working' : 'late';
}
