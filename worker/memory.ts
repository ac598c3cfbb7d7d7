import type { RelayLimits } from '../redis/state.ts';
import type { Limits } from './obstacles.ts';

/** A parcel (24,560 bytes) or a letter (22,798 bytes) in a Redis hash, including its field name and allocator rounding. */
const ENTRY_BYTES = 25_000;
/** A sealed reply (9,851 bytes), likewise. */
const REPLY_ENTRY_BYTES = 10_500;
/** One `rememberedId` in a set of a million. */
const ID_BYTES = 65;
/** `seen` and `opened`, for two full weeks each. */
const SETS_OF_IDS = 4;
/** The rest is for ticks and buffers. */
const FRACTION_FOR_ENTRIES = 0.9;
const MEBIBYTE = 2 ** 20;

/**
 * Checks that Redis has room for everything the limits allow: a full Redis accepts nothing more and can tell operators little,
 * so the limits must take effect first.
 * @param maxBytes Redis' `maxmemory`; 0: unlimited
 * @param relay the limits of the relay
 * @returns what an operator must change, or null when a full pool, full mailboxes and full inboxes fit
 */
export function memoryProblem(maxBytes: number, inboxes: number, { outbox, dead, replies }: Limits, relay: RelayLimits): string | null {
  const entryBytes = (relay.pool + inboxes * (outbox + dead)) * ENTRY_BYTES + replies * REPLY_ENTRY_BYTES;
  const neededBytes = (entryBytes + SETS_OF_IDS * relay.seen * ID_BYTES) / FRACTION_FOR_ENTRIES;
  if (maxBytes === 0 || neededBytes <= maxBytes) return null;
  const [needed, allowed] = [neededBytes, maxBytes].map((bytes) => `${String(Math.ceil(bytes / MEBIBYTE))}mb`);
  const what = `a full pool, full mailboxes and ${String(inboxes)} full inboxes need ${String(needed)}`;
  const limits = 'RELAY_POOL_LIMIT, RELAY_SEEN_LIMIT, WORKER_OUTBOX_LIMIT, WORKER_DEAD_LIMIT or WORKER_REPLY_LIMIT';
  return `Redis may use ${String(allowed)}, but ${what}: raise maxmemory in redis.conf, or lower ${limits}`;
}

/** Reads `maxmemory`, in bytes, from the reply to `INFO memory`; 0: unlimited. */
export function maxMemoryOf(info: string): number {
  return Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
}

/** Operators are warned from this fraction of `maxmemory` on. */
const FILLING = 0.8;

/** True when Redis has used most of its `maxmemory`, according to its reply to `INFO memory`. */
export function isFilling(info: string): boolean {
  const maxBytes = maxMemoryOf(info);
  const usedBytes = Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0);
  return maxBytes > 0 && usedBytes >= FILLING * maxBytes;
}
