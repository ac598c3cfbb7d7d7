// The operator closes the door for planned maintenance, and waits until nothing is on its way any more. The flag outlives restarts.
import type { Redis } from 'ioredis';
import { randomBytes, toHex } from '../crypto/bytes.ts';
import { keys } from './keys.ts';

/** The door is to close: a relay may still take a parcel. */
const CLOSING = 'closing';
/** Every relay has closed it. Followed by a name of this drain, so that what a worker found in an earlier one does not count. */
const CLOSED = 'closed-';
const NAME_BYTES = 8;
/** Nothing longer: the worker repeats it in each round. */
const CLOSED_FORMAT = /^closed-[0-9a-f]{1,16}$/;

export type DrainFlag = string;

/** Null: the door is not closed for maintenance. */
export const readDrain = (redis: Redis): Promise<DrainFlag | null> => redis.get(keys.drain);

/** True when no relay takes anything any more, so that what the worker finds empty stays so. */
export const isClosed = (flag: DrainFlag | null): flag is DrainFlag => flag !== null && CLOSED_FORMAT.test(flag);

/** Begins a drain, or goes on with one. Returns its flag. */
export async function beginDrain(redis: Redis): Promise<DrainFlag> {
  await redis.set(keys.drain, CLOSING, 'NX');
  return (await readDrain(redis)) ?? CLOSING;
}

/** To be called once every relay says that its door is closed for maintenance. Returns the flag. */
export async function noteClosed(redis: Redis): Promise<DrainFlag> {
  const flag = CLOSED + toHex(randomBytes(NAME_BYTES));
  await redis.set(keys.drain, flag, 'XX');
  return flag;
}

export async function endDrain(redis: Redis): Promise<void> {
  await redis.del(keys.drain);
}
