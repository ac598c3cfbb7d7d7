import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { complaintsOf, type Ailment, type Complaint, type Examined, type Unseen } from '../../operator/doctor/complaint.ts';
import type { Ahead } from '../../operator/attention/ahead.ts';
import type { Attention } from '../../operator/attention/attention.ts';
import type { Places } from '../../operator/sight.ts';
import type { Status } from '../../operator/status.ts';
import { parseSocks } from '../../runtime/socks.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { redisOptionsFrom, unknownInbox, withRedis, type RedisOptions, type RedisValues } from './redis.ts';
import { ailmentOf, sendTestLetters, type Tried } from './test-letter.ts';

export type Diagnosis = {
  /** Worst first. */
  readonly complaints: readonly Complaint[];
  readonly ahead: readonly Ahead[];
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
  const { status, attention, tried } = await examineParts(redis, around, inboxes, io);
  const examined = [
    ofParts(status, around),
    state === null ? NO_STATE : await examineState(state, io.now(), status?.clockAheadDays ?? 0),
    await examineMachine(),
  ];
  const untaken = tried.map(ailmentOf).filter((each): each is Ailment => each !== null);
  const ailments = [...untaken, ...examined.flatMap((part) => part.ailments)];
  return {
    complaints: complaintsOf([...attention, ...ailments]),
    ahead: status?.notices ?? [],
    seen: examined.flatMap(({ seen }) => seen),
    unseen: examined.flatMap(({ unseen }) => unseen),
    tried,
  };
}

type Parts = { readonly status: Status | null; readonly attention: readonly Attention[]; readonly tried: readonly Tried[] };

/** A Redis that does not answer is a complaint like others: the rest is looked at all the same. */
async function examineParts(options: RedisOptions, around: Places, inboxes: readonly string[] | null, io: Io): Promise<Parts> {
  const { lookAround } = await import('../../operator/sight.ts');
  const { ofDisk, ofOnion } = await import('../../operator/attention/surroundings.ts');
  const surroundings = await lookAround(around);
  try {
    return await withRedis(options, async (redis) => {
      const { readStatus } = await import('../../operator/status.ts');
      const known = (await readStatus(redis, io.now(), 'all', surroundings)).inboxes.map(({ id }) => id);
      const tried = inboxes === null ? [] : await sendTestLetters(redis, chosen(inboxes, known), io);
      // After the waiting, which takes minutes.
      const status = await readStatus(redis, io.now(), 'all', surroundings);
      return { status, attention: status.attention, tried };
    });
  } catch (error) {
    if (!(error instanceof CliError) || error.code === 'INBOX_UNKNOWN') throw error;
    const away: Attention = { code: 'REDIS_AWAY', what: error.message, advice: error.advice };
    return { status: null, attention: [away, ...ofDisk(surroundings.disk), ...ofOnion(surroundings.onion)], tried: [] };
  }
}

function chosen(inboxes: readonly string[], known: readonly string[]): readonly string[] {
  const unknown = inboxes.find((inbox) => !known.includes(inbox));
  if (unknown === undefined) return inboxes.length === 0 ? known : inboxes;
  throw unknownInbox(unknown, known);
}

const NO_STATE: Examined = {
  ailments: [],
  seen: [],
  unseen: [
    { what: 'permissions, owners and ages of files', how: 'where the state can be seen: support-relay operator doctor --state DIR' },
  ],
};

function ofParts(status: Status | null, { onion, disk }: Places): Examined {
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
  note('tor and the onion address', onion !== null, 'where OPERATOR_TOR_SOCKS and OPERATOR_ONION_FILE are set, or with --state');
  return { ailments: [], seen, unseen };
}
