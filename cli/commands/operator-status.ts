import type { Redis } from 'ioredis';
import type { Status } from '../../operator/status.ts';
import { toSeconds } from '../../operator/moments.ts';
import type { ServedSurroundings } from '../../operator/surroundings.ts';
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

type Shown = { readonly status: Status; readonly around: ServedSurroundings | null };

export const operatorStatus = defineCommand({
  name: NAME,
  summary: "Show the state of the relay's queue and what needs attention",
  usage: '[--redis-socket PATH] [--part worker] [--json] [--watch] [options]',
  examples: ['support-relay operator status --redis-socket /run/support-relay/redis.sock'],
  details: `
Shows the pool, the answers that wait, how far the keyrings reach, how many parcels came under each keyring in use, the
relay, the worker, every inbox and what was dropped, in coarse steps only: nobody needs to know more. Every relay at this
Redis is asked for its state, and the operator's service (OPERATOR_LISTEN) for what it last saw of tor, the onion address and
the disk. Ends with 0 when all is well, with 5 when something needs attention (and says what to do), with 69 when Redis is
away.

${REDIS_HELP}
  --part worker         only whether the worker does its rounds: for its health check, which may connect as user worker
  --json                one line of JSON
  --watch               show it again after every round, until Ctrl-C`,
  options: { ...REDIS_OPTIONS, part: { type: 'string' }, json: { type: 'boolean' }, watch: { type: 'boolean' } },
  run: async (values, _positionals, io) => {
    const target = redisOptionsFrom(values, io, NAME);
    if (values.part !== undefined && values.part !== 'worker') throw new UsageError('--part can only be worker', NAME);
    const part = values.part ?? 'all';
    const { commands } = target;
    const read = async (redis: Redis): Promise<Shown> => {
      const { readStatus, withSurroundings } = await import('../../operator/status.ts');
      const status = await readStatus(redis, io.now(), commands, part);
      const around = part === 'all' ? await askAround(io) : null;
      return { status: around === null ? status : withSurroundings(status, around, commands), around };
    };
    const print = ({ status, around }: Shown): void => {
      const json = { ...status, lookedAround: around && toSeconds(around.round) };
      io.out(values.json === true ? `${visibleJson(json)}\n` : describeStatus(status, around, commands));
    };
    if (values.watch === true) return watch(target, read, print, io);
    const shown = await withRedis(target, read);
    print(shown);
    return exitCodeOf(shown);
  },
});

/** What the operator's service saw last; null: nobody says where it is, or it does not answer. */
async function askAround({ places: { OPERATOR_LISTEN } }: Io): Promise<ServedSurroundings | null> {
  if (OPERATOR_LISTEN === undefined) return null;
  const { askService } = await import('../../operator/surroundings.ts');
  return askService(OPERATOR_LISTEN);
}

/** Shows the state after every round. Goes on while Redis is away, since whoever watches wants to see it come back. */
async function watch(target: RedisOptions, read: (redis: Redis) => Promise<Shown>, print: (shown: Shown) => void, io: Io): Promise<number> {
  for (;;) {
    let seconds = WATCH_SECONDS_DEFAULT;
    let exitCode: number;
    try {
      const shown = await withRedis(target, read);
      if (io.stdoutIsTerminal) io.out(CLEAR_SCREEN);
      print(shown);
      seconds = shown.status.roundSeconds ?? WATCH_SECONDS_DEFAULT;
      exitCode = exitCodeOf(shown);
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

function exitCodeOf({ status }: Shown): number {
  return status.attention.length > 0 ? EXIT.attention : EXIT.ok;
}
