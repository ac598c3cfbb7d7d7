import { existsSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { commandsOf, type OperatorCommands } from '../../runtime/installation.ts';
import { redisDamaged } from '../../operator/attention/redis.ts';
import { isFileDamaged } from '../../redis/damage.ts';
import { required } from '../command.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { readPassphraseFile } from '../terminal/passphrase.ts';

const READY_TIMEOUT_MS = 2_500;

export type RedisOptions = { socketPath: string; user: string; passwordFile: string; commands: OperatorCommands };

/** Runs `use` with a connection to Redis. Throws REDIS_AWAY when Redis refuses the user or does not answer, REDIS_DAMAGED. */
export async function withRedis<T>(options: RedisOptions, use: (redis: Redis) => Promise<T>): Promise<T> {
  const { socketPath, user, passwordFile, commands } = options;
  const password = await readPassphraseFile(passwordFile);
  // Loaded only here: most commands do not need Redis, and its client takes longer to load than they take to run.
  const { connect, whenReady } = await import('../../redis/connection.ts');
  const redis = connect({ socketPath, username: user, password }, 'operator');
  let last: unknown;
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await whenReady(redis, READY_TIMEOUT_MS);
    await refuseNewer(redis);
    return await use(redis);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw (await isFileDamaged(socketPath)) ? damagedFile(commands) : away(last ?? error, options);
  } finally {
    redis.disconnect();
  }
}

function damagedFile(commands: OperatorCommands): CliError {
  const { what, advice } = redisDamaged(commands);
  return new CliError('REDIS_DAMAGED', what, `${advice} (docs/operations.md, Redis does not start)`);
}

/** Throws DATA_NEWER when what is in Redis is of a version that this program does not know. */
async function refuseNewer(redis: Redis): Promise<void> {
  const { dataVersion, isNewerData, newerProblem } = await import('../../redis/version.ts');
  const found = await dataVersion(redis);
  if (!isNewerData(found)) return;
  const { code, what, advice } = newerProblem(found);
  throw new CliError(code, what, advice);
}

function away(error: unknown, { socketPath, commands }: RedisOptions): CliError {
  const refusal = error instanceof Error ? /^(?:WRONGPASS|NOAUTH|NOPERM|EXECABORT)\b/.exec(error.message)?.[0] : undefined;
  if (refusal !== undefined) {
    return new CliError('REDIS_AWAY', `Redis refuses this user (${refusal})`, 'check --user and --password-file against users.acl');
  }
  if (existsSync(socketPath)) {
    const advice = `see what Redis says: ${commands.log('redis')}; and that you may use its socket`;
    return new CliError('REDIS_AWAY', `Redis does not answer on ${socketPath}`, advice);
  }
  const advice = `if Redis should be there: ${commands.start}; otherwise give its path with --redis-socket`;
  return new CliError('REDIS_AWAY', `there is no socket ${socketPath}, or not for you to see`, advice);
}

/** @param known the inboxes that a worker has named */
export function unknownInbox(inbox: string, known: readonly string[]): CliError {
  const advice = known.length === 0 ? 'start the worker first' : `there are: ${known.join(', ')}`;
  return new CliError('INBOX_UNKNOWN', `there is no inbox "${inbox}"`, advice);
}

/** The options of every command that talks to Redis, and what --help says about them. */
export const REDIS_OPTIONS = {
  'redis-socket': { type: 'string' },
  user: { type: 'string', default: 'operator' },
  'password-file': { type: 'string' },
} as const;

export type RedisValues = { 'redis-socket'?: string | undefined; user: string; 'password-file'?: string | undefined };

/** Throws USAGE when neither `--redis-socket` nor the machine says where Redis is. */
export function redisOptionsFrom(values: RedisValues, { places }: Io, command: string): RedisOptions {
  const socketPath = required(values['redis-socket'] ?? places.OPERATOR_REDIS_SOCKET, 'redis-socket', command);
  const passwordFile = values['password-file'] ?? places.OPERATOR_REDIS_PASSWORD_FILE ?? 'operator.password';
  return { socketPath, user: values.user, passwordFile, commands: commandsOf(places.OPERATOR_INSTALLATION) };
}

export const REDIS_HELP = `  --redis-socket PATH   Redis' unix socket; what OPERATOR_REDIS_SOCKET says if left out
  --user NAME           the user at Redis; operator if left out
  --password-file FILE  the user's password; what OPERATOR_REDIS_PASSWORD_FILE says if left out, or operator.password here`;
