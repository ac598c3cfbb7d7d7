import type { Redis } from 'ioredis';
import { isFileDamaged } from '../redis/damage.ts';
import { errorCode } from '../runtime/log.ts';
import type { Attention } from './attention/attention.ts';
import type { Ahead } from './attention/ahead.ts';
import { redisAway, redisDamaged } from './attention/redis.ts';
import { ofSurroundings } from './attention/surroundings.ts';
import type { OperatorCommands } from '../runtime/installation.ts';
import { USUAL_ROUND_SECONDS } from './moments.ts';
import { readStatus, withSurroundings, type Status } from './status.ts';
import type { Surroundings } from './surroundings.ts';

/** What one look found. */
export type Sight = {
  /** The beginning of the round in which we looked. */
  readonly at: Date;
  /** Null: Redis does not answer. */
  readonly status: Status | null;
  readonly surroundings: Surroundings;
  /** The onion address is being visited: what is said of it is what the look before found, or nothing yet. */
  readonly isVisiting: boolean;
  readonly attention: readonly Attention[];
  readonly notices: readonly Ahead[];
  readonly roundMs: number;
};

/** What Redis and the parts said, or why they said nothing. */
export type Reading = { readonly now: Date; readonly roundMs: number } & ({ readonly status: Status } | { readonly problem: Attention });

/** @param roundMs as the look before found it */
export async function readParts(
  redis: Redis,
  commands: OperatorCommands,
  now: Date,
  roundMs = USUAL_ROUND_SECONDS * 1000,
): Promise<Reading> {
  try {
    const status = await readStatus(redis, now, commands);
    return { now, status, roundMs: status.roundSeconds === null ? roundMs : status.roundSeconds * 1000 };
  } catch (error) {
    const isDamaged = await isFileDamaged(redis.options.path ?? '');
    return { now, problem: isDamaged ? redisDamaged(commands) : redisAway(errorCode(error), commands), roundMs };
  }
}

export function sightOf(reading: Reading, surroundings: Surroundings, isVisiting: boolean, commands: OperatorCommands): Sight {
  const { now, roundMs } = reading;
  const common = { at: roundOf(now, roundMs), surroundings, isVisiting, roundMs };
  if ('problem' in reading) {
    return { ...common, status: null, attention: [reading.problem, ...ofSurroundings(surroundings, commands)], notices: [] };
  }
  const status = withSurroundings(reading.status, surroundings, commands);
  return { ...common, status, attention: status.attention, notices: status.notices };
}

/** Nothing was left out that a look can see. */
export const isWhole = ({ surroundings: { onion }, isVisiting }: Sight): boolean => !isVisiting || onion !== null;

/** Within so many minutes from any moment, another look comes (operator/rounds.ts). */
export const nextLookMinutes = ({ roundMs }: Pick<Sight, 'roundMs'>): number => Math.ceil((roundMs * 1.1) / 60_000);

const roundOf = (now: Date, roundMs: number): Date => new Date(Math.floor(now.getTime() / roundMs) * roundMs);
