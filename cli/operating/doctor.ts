import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { complaintsOf, type Ailment, type Complaint, type Examined, type Unseen } from '../../operator/doctor/complaint.ts';
import type { Ahead } from '../../operator/attention/ahead.ts';
import type { Attention } from '../../operator/attention/attention.ts';
import type { OperatorCommands } from '../../runtime/installation.ts';
import type { Places, Surroundings } from '../../operator/surroundings.ts';
import type { Status } from '../../operator/status.ts';
import { parseSocks } from '../../runtime/socks.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { lookAtAof } from './aof.ts';
import { redisOptionsFrom, unknownInbox, withRedis, type RedisOptions, type RedisValues } from './redis.ts';
import { ailmentOf, sendTestLetters, type Tried } from './test-letter.ts';

export type Diagnosis = {
  /** Worst first. */
  readonly complaints: readonly Complaint[];
  readonly ahead: readonly Ahead[];
  /** What is no fault, and may save one. */
  readonly hints: readonly string[];
  readonly seen: readonly string[];
  readonly unseen: readonly Unseen[];
  readonly tried: readonly Tried[];
};

/** Where everything is: by an option, by the environment of the machine, or in the folder of the state. `state` null: not known. */
export type Whereabouts = { readonly state: string | null; readonly redis: RedisOptions; readonly around: Places };

type WhereValues = RedisValues & { state?: string | undefined };

/** Throws INPUT_MISSING when the folder is not one that the setup made, USAGE when nothing says where Redis is. */
export function whereaboutsOf(values: WhereValues, io: Io, command: string): Whereabouts {
  const { places } = io;
  const given = values.state ?? places.OPERATOR_STATE;
  const state = given === undefined ? undefined : resolve(given);
  if (state !== undefined && !existsSync(join(state, 'redis'))) {
    const advice = 'give the folder of the state, as root or as the user that it belongs to';
    throw new CliError('INPUT_MISSING', `${state} is not a folder that the setup made, or not yours to look at`, advice);
  }
  const within = (path: string): string | undefined => (state === undefined ? undefined : join(state, path));
  const redis = redisOptionsFrom(
    {
      ...values,
      'redis-socket': values['redis-socket'] ?? places.OPERATOR_REDIS_SOCKET ?? within('run/redis/redis.sock'),
      'password-file': values['password-file'] ?? places.OPERATOR_REDIS_PASSWORD_FILE ?? within('redis/operator.password'),
    },
    io,
    command,
  );
  // Without its folder tor is another's, and the environment would say where.
  const folder = within('run/tor-onion') ?? '';
  const socks = parseSocks(places.OPERATOR_TOR_SOCKS ?? (existsSync(folder) ? `unix:${folder}/socks.sock` : ''));
  const addressFile = places.OPERATOR_ONION_FILE ?? within('onion/address');
  const onion = socks === null || addressFile === undefined ? null : { socks, addressFile };
  return { state: state ?? null, redis, around: { onion, disk: state ?? places.OPERATOR_DISK ?? null } };
}

/** @param inboxes to send a test letter to; empty: to all; null: to none */
export async function examine({ state, redis, around }: Whereabouts, inboxes: readonly string[] | null, io: Io): Promise<Diagnosis> {
  const { examineMachine } = await import('../../operator/doctor/machine.ts');
  const { examineState } = await import('../../operator/doctor/state-folder.ts');
  const { status, attention, tried } = await examineParts({ state, redis, around }, inboxes, io);
  tell(io, 'looking at files and the machine …');
  const examined = [
    ofParts(status, around, redis.commands),
    state === null ? noState(redis.commands) : await examineState(state, io.now(), status?.clockAheadDays ?? 0, redis.commands),
    await examineMachine(),
  ];
  const untaken = tried.map(ailmentOf).filter((each): each is Ailment => each !== null);
  const ailments = [...untaken, ...examined.flatMap((part) => part.ailments)];
  return {
    complaints: complaintsOf([...attention, ...ailments]),
    ahead: status?.notices ?? [],
    hints: examined.flatMap(({ hints = [] }) => hints),
    seen: examined.flatMap(({ seen }) => seen),
    unseen: examined.flatMap(({ unseen }) => unseen),
    tried,
  };
}

/** Whoever sits there should see that it works on. Programs need no such words. */
function tell({ stderrIsTerminal, err }: Io, what: string): void {
  if (stderrIsTerminal) err(`${what}\n`);
}

type Parts = { readonly status: Status | null; readonly attention: readonly Attention[]; readonly tried: readonly Tried[] };

async function examineParts({ state, redis, around }: Whereabouts, inboxes: readonly string[] | null, io: Io): Promise<Parts> {
  const { withSurroundings } = await import('../../operator/status.ts');
  const { ofSurroundings } = await import('../../operator/attention/surroundings.ts');
  const { commands } = redis;
  // A visit to the onion address may take a minute: the rest is looked at meanwhile.
  const [{ status, attention, tried }, surroundings] = await Promise.all([
    examineRedis(redis, state, inboxes, io),
    examineSurroundings(around, io),
  ]);
  if (status === null) return { status, attention: [...attention, ...ofSurroundings(surroundings, commands)], tried };
  const whole = withSurroundings(status, surroundings, commands);
  return { status: whole, attention: whole.attention, tried };
}

async function examineSurroundings({ onion, disk }: Places, io: Io): Promise<Surroundings> {
  const { lookAtDisk } = await import('../../operator/surroundings.ts');
  const { readOnion } = await import('../../operator/onion.ts');
  if (onion !== null) tell(io, 'visiting the form under its onion address, which takes up to a minute …');
  const [free, state] = await Promise.all([lookAtDisk(disk), onion && readOnion(onion)]);
  return { disk: free, onion: state };
}

/** A Redis that does not answer is a complaint like others: the rest is looked at all the same. */
async function examineRedis(options: RedisOptions, state: string | null, inboxes: readonly string[] | null, io: Io): Promise<Parts> {
  tell(io, 'asking Redis, the relay and the worker …');
  try {
    return await withRedis(options, async (redis) => {
      const { readStatus } = await import('../../operator/status.ts');
      const known = (await readStatus(redis, io.now(), options.commands)).inboxes.map(({ id }) => id);
      const tried = inboxes === null ? [] : await sendTestLetters(redis, chosen(inboxes, known), io);
      // After the waiting, which takes minutes.
      const status = await readStatus(redis, io.now(), options.commands);
      return { status, attention: status.attention, tried };
    });
  } catch (error) {
    if (!(error instanceof CliError) || error.code === 'INBOX_UNKNOWN') throw error;
    return { status: null, attention: [await whyAway(error, state, options.commands)], tried: [] };
  }
}

/** Redis' file is looked at only while Redis is away: what it writes to seems cut off. */
async function whyAway({ code, message: what, advice }: CliError, state: string | null, commands: OperatorCommands): Promise<Attention> {
  const { redisDamaged } = await import('../../operator/attention/redis.ts');
  if (code === 'REDIS_DAMAGED') return { code, what, advice };
  const found = state === null ? null : await lookAtAof(join(state, 'redis/data')).catch((error: unknown) => error);
  if (found instanceof CliError && found.code === 'AOF_DAMAGED')
    return { code: 'REDIS_DAMAGED', what: found.message, advice: found.advice };
  const isCut = found !== null && typeof found === 'object' && 'good' in found && 'size' in found && found.good !== found.size;
  return isCut ? redisDamaged(commands) : { code: 'REDIS_AWAY', what, advice };
}

function chosen(inboxes: readonly string[], known: readonly string[]): readonly string[] {
  const unknown = inboxes.find((inbox) => !known.includes(inbox));
  if (unknown === undefined) return inboxes.length === 0 ? known : inboxes;
  throw unknownInbox(unknown, known);
}

function noState({ tool }: OperatorCommands): Examined {
  const how = tool((state) => `operator doctor --state ${state}`);
  return { ailments: [], seen: [], unseen: [{ what: 'permissions, owners and ages of files', how }] };
}

function ofParts(status: Status | null, { onion, disk }: Places, { tool }: OperatorCommands): Examined {
  const unseen: Unseen[] = [];
  const seen: string[] = [];
  const note = (what: string, isSeen: boolean, how: string): void => void (isSeen ? seen.push(what) : unseen.push({ what, how }));
  note('Redis, relay, worker, inboxes, keyrings', status !== null, 'run this again when Redis answers');
  if (status !== null) {
    note("Redis' settings and file", status.redis.file !== null, 'run this again when the worker has completed a round');
    note('clocks of the parts', status.clock.worker !== null && status.clock.relay !== null, 'run this again when relay and worker run');
    note('versions', status.versions.worker !== null && status.versions.relays.length > 0, 'run this again when relay and worker run');
  }
  note('room on the disk', disk !== null, 'on the server: df --human-readable');
  note(
    'tor and the onion address',
    onion !== null,
    tool((state) => `operator doctor --state ${state}`),
  );
  return { ailments: [], seen, unseen };
}
