import type { Redis } from 'ioredis';
import type { Status } from '../../operator/status.ts';
import { defineCommand } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import { REDIS_HELP, REDIS_OPTIONS, redisOptionsFrom, withRedis, type RedisOptions } from '../operating/redis.ts';
import type { Io } from '../terminal/io.ts';
import { visibleJson } from '../terminal/terminal.ts';
import { describeStatus } from '../operating/status-view.ts';

const NAME = 'operator status';
/** Used while the worker is away, since only it knows the length of a round. */
const WATCH_SECONDS_DEFAULT = 60;
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

export const operatorStatus = defineCommand({
  name: NAME,
  summary: "Show the state of the relay's queue and what needs attention",
  usage: '[--redis-socket PATH] [--part worker] [--json] [--watch] [options]',
  examples: ['support-relay operator status --redis-socket /run/support-relay/redis.sock'],
  details: `
Shows the pool, the answers that wait, how far the keyrings reach, how many parcels came under each keyring in use, the
relay, the worker, every inbox and what was dropped, in coarse steps only: nobody needs to know more. Every relay at this
Redis is asked for its state. Ends with 0 when all is well, with 5 when something needs attention (and says what to do), with
69 when Redis is away.

${REDIS_HELP}
  --part worker         only whether the worker does its rounds: for its health check, which may connect as user worker
  --json                one line of JSON
  --watch               show it again after every round, until Ctrl-C`,
  options: { ...REDIS_OPTIONS, part: { type: 'string' }, json: { type: 'boolean' }, watch: { type: 'boolean' } },
  run: async (values, _positionals, io) => {
    const target = redisOptionsFrom(values, io, NAME);
    if (values.part !== undefined && values.part !== 'worker') throw new UsageError('--part can only be worker', NAME);
    const part = values.part ?? 'all';
    const read = async (redis: Redis): Promise<Status> => {
      const { readStatus } = await import('../../operator/status.ts');
      return readStatus(redis, io.now(), part);
    };
    const print = (status: Status): void => {
      io.out(values.json === true ? `${visibleJson(status)}\n` : describeStatus(status));
    };
    if (values.watch === true) return watch(target, read, print, io);
    const status = await withRedis(target, read);
    print(status);
    return exitCodeOf(status);
  },
});

/** Shows the state after every round. Goes on while Redis is away, since whoever watches wants to see it come back. */
async function watch(
  target: RedisOptions,
  read: (redis: Redis) => Promise<Status>,
  print: (status: Status) => void,
  io: Io,
): Promise<number> {
  for (;;) {
    let seconds = WATCH_SECONDS_DEFAULT;
    let exitCode: number;
    try {
      const status = await withRedis(target, read);
      if (io.stdoutIsTerminal) io.out(CLEAR_SCREEN);
      print(status);
      seconds = status.roundSeconds ?? WATCH_SECONDS_DEFAULT;
      exitCode = exitCodeOf(status);
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.unavailable) throw error;
      const { line } = describeFailure(error);
      io.err(`support-relay: ${line}\n`);
      exitCode = error.exitCode;
    }
    // Unheard: nobody watches any more.
    if (io.isUnheard() || !(await io.pause(seconds * 1000, 'again'))) return exitCode;
  }
}

function exitCodeOf({ attention }: Status): number {
  return attention.length > 0 ? EXIT.attention : EXIT.ok;
}
