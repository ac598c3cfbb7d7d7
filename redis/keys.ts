import { PARCEL_ID_BYTES } from '../crypto/parcel.ts';

/** Every name in Redis, and what it holds. Ids and ciphertext are raw bytes, never text. */
export const keys = {
  /** hash: parcel id (32 bytes) -> sealed part. The relay only adds, the worker only takes. */
  pool: 'pool',
  /** set: `rememberedId` of every parcel the relay accepted under this keyring serial before this round. Dropped with the worker's key. */
  seen: (serial: number) => `seen:${serial}`,
  /** set: `rememberedId` of those accepted in this round. The worker moves them into `seen` in random order (worker/arrivals.ts). */
  arrived: (serial: number) => `arrived:${serial}`,
  /** set: `rememberedId` of every parcel the worker opened with its key of this serial. */
  opened: (serial: number) => `opened:${serial}`,
  /** hash like the pool: the batch that one worker took and has not finished (worker/batch-lease.ts). */
  claim: (instance: string) => `claim:${instance}`,
  /** set: instances that may have a claim. */
  claims: 'claims',
  /** string with a time to live, the lease: this instance is alive and its claim is its own. */
  lease: (instance: string) => `lease:${instance}`,
  /** hash: letter id (16 bytes) -> letter, waiting for one inbox. */
  outbox: (inbox: string) => `outbox:${inbox}`,
  /** hash like the outbox: letters this inbox refused for good. Kept until an operator drives them again. */
  dead: (inbox: string) => `dead:${inbox}`,
  /** hash: letter id -> why it is dead, in one word of the worker's. */
  deadReasons: (inbox: string) => `dead:${inbox}:reasons`,
  /** hash: place (16 bytes, redis/mailboxes.ts) -> sealed reply, of one week. */
  replies: (week: number) => `replies:${String(week)}`,
  /** hash: BLANK_FIELD -> as many zeros as a reply is long: what is read where there is none. */
  repliesBlank: 'replies:blank',
  /** set: ids of the configured inboxes, so that an operator's tool can count without reading the worker's files. */
  inboxes: 'inboxes',
  /** hash: reason -> number of parcels the worker dropped for it. */
  dropped: 'dropped',
  /** string: length of a round in seconds; lives ALIVE_SECONDS after each round. */
  alive: 'worker:alive',
  /** hash: what the worker tells operators, written once a round (redis/state.ts). */
  state: 'state',
} as const;

/** Prefix of everything BullMQ keeps: content-free ticks. */
export const TICKS_PREFIX = 'ticks';

export const BLANK_FIELD = 'blank';
export const REMEMBERED_ID_BYTES = 16;
export const ALIVE_SECONDS = 3600;
/** A worker that missed this many rounds is late. */
export const LATE_ROUNDS = 3;

/**
 * First member of every set of ids. Redis 7.2 and later keep a small set in the order it was filled, but only
 * while each member is at most 64 bytes; one longer member makes it a hash table for good, so no order is left.
 */
export const SET_ANCHOR = '-'.repeat(65);

/** What the `seen`, `arrived` and `opened` sets remember of a parcel id: 128 bits never collide by chance. */
export function rememberedId(id: Uint8Array): Buffer {
  if (id.length !== PARCEL_ID_BYTES) throw new RangeError(`a parcel id has ${PARCEL_ID_BYTES} bytes, not ${id.length}`);
  return Buffer.from(id.subarray(0, REMEMBERED_ID_BYTES));
}

export type WorkerState = 'working' | 'late' | 'gone';

/**
 * @param leftMs what PTTL says of `worker:alive` (negative when there is none); more than it can be means that the clock
 * was set back since, and nobody knows when that round was
 * @param roundSeconds its value
 */
export function workerState(leftMs: number, roundSeconds: number): WorkerState {
  if (leftMs <= 0 || leftMs > ALIVE_SECONDS * 1000 || !(roundSeconds > 0)) return 'gone';
  const lateBelowMs = (ALIVE_SECONDS - LATE_ROUNDS * roundSeconds) * 1000;
  return leftMs > lateBelowMs ? 'working' : 'late';
}
