/*
 * What Redis does for the relay in one step (redis/lua/relay.lua): functions that the worker loads into Redis, so that the
 * relay's user can only call them and send no code of its own (docs/decisions/007-functions.md).
 */
import { createHash } from 'node:crypto';
import type { ChainableCommander, Redis } from 'ioredis';
import { REPLIES_A_PAGE } from '../crypto/mailbox.ts';
import { BLANK_FIELD, REMEMBERED_ID_BYTES, SET_ANCHOR } from './keys.ts';
import relayLua from './lua/relay.lua';
import { MAX_REPLY_WEEKS, REPLIES_A_WEEK } from './mailboxes.ts';
import { STATE_VERSION } from './version.ts';

/** Constants of redis/lua/relay.lua. */
const CONSTANTS = {
  /** A relay of another version finds none of its functions, and takes nothing. */
  STATE_VERSION,
  REMEMBERED_ID_BYTES,
  SET_ANCHOR,
  BLANK_FIELD,
  REPLIES_A_WEEK,
  REPLIES_A_PAGE,
  /** A page reads the current week and the full ones before it. */
  MAX_WEEKS: MAX_REPLY_WEEKS + 1,
};

type Name = 'put' | 'read' | 'ping';
type Argument = string | number | Buffer;

const COMMANDS = { put: 'FCALL', read: 'FCALL_RO', ping: 'FCALL_RO' } as const satisfies Record<Name, string>;

function library(version: string): string {
  const registrations = Object.entries(COMMANDS).map(([name, command]) => {
    // What only reads must work when memory is full, too; some versions of Redis take that from no-writes alone.
    const flags = command === 'FCALL_RO' ? "'no-writes', 'allow-oom'" : '';
    return `redis.register_function{function_name = '${name}_${version}', callback = ${name}, flags = {${flags}}}`;
  });
  const constants = Object.entries(CONSTANTS).map(([name, value]) => `local ${name} = ${literal(value)}`);
  return ['#!lua name=relay', ...constants, relayLua, ...registrations].join('\n');
}

const literal = (value: string | number): string => (typeof value === 'string' ? `'${value}'` : String(value));

/** Part of the functions' names: a relay calls the functions it knows, and never another version's. */
const VERSION = createHash('sha256').update(library('')).digest('hex').slice(0, 16);

export const functionName = (name: Name): string => `${name}_${VERSION}`;

/** Strings in the reply arrive as Buffers, since most of what we keep in Redis is bytes. */
export async function callFunction(redis: Redis, name: Name, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
  return redis.callBuffer(COMMANDS[name], functionName(name), keys.length, ...keys, ...args);
}

/** Checks within a batch of commands that the functions are there. If they are not, its error satisfies `areMissing`. */
export function askForFunctions(batch: ChainableCommander): ChainableCommander {
  return batch.call(COMMANDS.ping, functionName('ping'), 0);
}

export function areMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('ERR Function not found');
}

/** For the worker: loads the functions, replacing another version's, unless they are there. Throws what Redis refuses. */
export async function provideFunctions(redis: Redis): Promise<void> {
  try {
    await callFunction(redis, 'ping', [], []);
  } catch (error) {
    if (!areMissing(error)) throw error;
    await redis.call('FUNCTION', 'LOAD', 'REPLACE', library(VERSION));
  }
}
