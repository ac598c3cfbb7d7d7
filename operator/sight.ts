import type { Redis } from 'ioredis';
import { isFileDamaged } from '../redis/damage.ts';
import { errorCode } from '../runtime/log.ts';
import type { Attention } from './attention/attention.ts';
import type { Ahead } from './attention/ahead.ts';
import { ofDisk, ofOnion } from './attention/surroundings.ts';
import { readDisk, type DiskState } from './disk.ts';
import { readOnion, type OnionCheck } from './onion.ts';
import { readStatus, type Status, type Surroundings } from './status.ts';

/** What one look found. */
export type Sight = {
  /** The beginning of the round in which we looked. */
  readonly at: Date;
  /** Null: Redis does not answer. */
  readonly status: Status | null;
  readonly surroundings: Surroundings;
  readonly attention: readonly Attention[];
  readonly notices: readonly Ahead[];
  readonly roundMs: number;
};

export type Places = { readonly onion: OnionCheck | null; readonly disk: string | null };

/** The worker's default, used until a worker has written the length of its rounds. */
const ROUND_MS = 300_000;

/** Looks at everything. @param roundMs as the look before found it */
export async function look(redis: Redis, places: Places, now: Date, roundMs = ROUND_MS): Promise<Sight> {
  const surroundings = await lookAround(places);
  try {
    const status = await readStatus(redis, now, 'all', surroundings);
    const length = status.roundSeconds === null ? roundMs : status.roundSeconds * 1000;
    return { at: roundOf(now, length), status, surroundings, attention: status.attention, notices: status.notices, roundMs: length };
  } catch (error) {
    return {
      at: roundOf(now, roundMs),
      status: null,
      surroundings,
      attention: [
        (await isFileDamaged(redis.options.path ?? '')) ? REDIS_DAMAGED : redisAway(errorCode(error)),
        ...ofDisk(surroundings.disk),
        ...ofOnion(surroundings.onion),
      ],
      notices: [],
      roundMs,
    };
  }
}

export async function lookAround({ onion, disk }: Places): Promise<Surroundings> {
  const [free, state] = await Promise.all([
    // A file system that cannot be asked is one that nothing is known of.
    disk === null ? null : readDisk(disk).catch((): DiskState | null => null),
    onion === null ? null : readOnion(onion),
  ]);
  return { disk: free, onion: state };
}

const roundOf = (now: Date, roundMs: number): Date => new Date(Math.floor(now.getTime() / roundMs) * roundMs);

const REDIS_DAMAGED: Attention = {
  code: 'REDIS_DAMAGED',
  what: 'Redis does not load its append-only file, whose end is damaged: the form is closed',
  advice: 'stop Redis and run support-relay operator repair. Never delete the file: what was accepted is in it',
};

function redisAway(code: string): Attention {
  return {
    code: 'REDIS_AWAY',
    what: `Redis does not answer as it should (${code})`,
    advice: 'start Redis; its log says why it stopped. The form is closed until then. What was accepted is in its file',
  };
}
