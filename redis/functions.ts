/*
 * What the relay has Redis do in one step. These are functions that the worker gives to Redis, so that the relay's user can only
 * call them, and send no code of its own (docs/decisions/007-functions.md). Whoever has the relay's password chooses all arguments:
 * the work of a call must not grow with any of them.
 */
import { createHash } from 'node:crypto';
import type { ChainableCommander, Redis } from 'ioredis';
import { REPLIES_A_PAGE } from '../crypto/mailbox.ts';
import { BLANK_FIELD, SET_ANCHOR, SHORT_ID_BYTES } from './keys.ts';
import { MOST_REPLY_WEEKS, REPLIES_A_WEEK } from './mailboxes.ts';

/*
 * put: `accepted` when the parcel is there, now or from an earlier time, whatever the state of the pool. Room: remembered and
 * added in one step. The anchor (redis/keys.ts) is in each set of ids that is there, and counts for none.
 *
 * read: in one step, so that nothing is removed between looking and reading; and whatever is in a mailbox, the same number of
 * looks and of reads.
 */
const CODE = `
local function put(keys, args)
  local pool, seen, arrived = keys[1], keys[2], keys[3]
  local id, sealed, poolLimit, seenLimit = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  local short = id:sub(1, ${String(SHORT_ID_BYTES)})
  if redis.call('SISMEMBER', arrived, short) == 1 or redis.call('SISMEMBER', seen, short) == 1 then return 1 end
  local function idsIn(set) return math.max(redis.call('SCARD', set) - 1, 0) end
  if redis.call('HLEN', pool) >= poolLimit or idsIn(seen) + idsIn(arrived) >= seenLimit then return 0 end
  redis.call('SADD', arrived, '${SET_ANCHOR}', short)
  redis.call('HSETNX', pool, id, sealed)
  return 1
end

local function read(keys, args)
  local weeks = #keys - 1
  if weeks < 1 or weeks > ${String(MOST_REPLY_WEEKS + 1)} or #args ~= 1 + weeks * ${String(REPLIES_A_WEEK)} then
    return redis.error_reply('ERR not the places of a mailbox')
  end
  local function weekOf(place) return keys[2 + math.floor((place - 2) / ${String(REPLIES_A_WEEK)})] end
  local first, filled, total = tonumber(args[1]), {}, 0
  for place = 2, #args do
    filled[total + 1] = place
    total = total + redis.call('HEXISTS', weekOf(place), args[place])
  end
  local answer = {total}
  -- Not from first + 1 on: counting from 2^53 comes no further.
  for n = 1, ${String(REPLIES_A_PAGE)} do
    local key, field = keys[1], '${BLANK_FIELD}'
    local place = first + n <= total and filled[first + n]
    if place then key, field = weekOf(place), args[place] end
    answer[n + 1] = redis.call('HGET', key, field)
  end
  return answer
end

local function ping() return 1 end
`;

type Name = 'put' | 'read' | 'ping';
type Argument = string | number | Buffer;

const COMMANDS = { put: 'FCALL', read: 'FCALL_RO', ping: 'FCALL_RO' } as const satisfies Record<Name, string>;

function library(version: string): string {
  const registrations = Object.entries(COMMANDS).map(([name, command]) => {
    // What only reads works when the memory is full, too; some versions take that from no-writes alone.
    const flags = command === 'FCALL_RO' ? "'no-writes', 'allow-oom'" : '';
    return `redis.register_function{function_name = '${name}_${version}', callback = ${name}, flags = {${flags}}}`;
  });
  return ['#!lua name=relay', CODE, ...registrations].join('\n');
}

/** In the functions' names: a relay calls those that it knows, and never others of the same name. */
const VERSION = createHash('sha256').update(library('')).digest('hex').slice(0, 16);

export const functionName = (name: Name): string => `${name}_${VERSION}`;

/** Strings in the reply arrive as Buffers, since what we keep in Redis is mostly bytes. */
export async function callFunction(redis: Redis, name: Name, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
  return redis.callBuffer(COMMANDS[name], functionName(name), keys.length, ...keys, ...args);
}

/** Asks, in a batch of commands, whether the functions are there: an error of `areMissing` says that they are not. */
export function askForFunctions(batch: ChainableCommander): ChainableCommander {
  return batch.call(COMMANDS.ping, functionName('ping'), 0);
}

export function areMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('ERR Function not found');
}

/** For the worker: gives Redis the functions, in place of another version's, unless they are there. Throws what Redis refuses. */
export async function provideFunctions(redis: Redis): Promise<void> {
  try {
    await callFunction(redis, 'ping', [], []);
  } catch (error) {
    if (!areMissing(error)) throw error;
    await redis.call('FUNCTION', 'LOAD', 'REPLACE', library(VERSION));
  }
}
