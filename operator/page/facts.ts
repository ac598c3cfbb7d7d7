import type { RelayCondition, Taken } from '../../redis/presence.ts';
import type { Magnitude } from '../../redis/state.ts';
import type { InboxStatus } from '../attention/inboxes.ts';
import type { Sight } from '../sight.ts';
import { isDoorOpen, type Status } from '../status.ts';
import { isOnionThere, ONION_WORDS } from '../onion.ts';

/** A line of the page: what it is about, how it is, and how that is to be taken. */
export type Fact = { readonly name: string; readonly value: string; readonly mood?: 'well' | 'warning' | 'critical' };
export type Facts = { readonly title: string; readonly facts: readonly Fact[] };

const DAY_MS = 24 * 3_600_000;
const UNKNOWN = 'not known yet';

const DOOR: Readonly<Record<NonNullable<RelayCondition['door']>, string>> = {
  keyring: 'there is no valid keyring',
  redis: 'it cannot write to Redis',
  pool: 'the pool, or the memory of Redis, is full',
  worker: 'no worker does its rounds',
  maintenance: 'closed on purpose, for maintenance',
};
const SHARE: Readonly<Record<Taken['share'], string>> = {
  low: 'less than a third',
  half: 'up to two thirds',
  high: 'more than two thirds',
  full: 'all',
};
const RELAY: Readonly<Record<Status['relay'], string>> = {
  answers: 'answers',
  silent: 'one does not answer',
  away: 'none is there',
  'not asked': 'not asked',
};
const WORKER: Readonly<Record<Status['worker'], string>> = {
  waiting: 'waits for the first keyring',
  working: 'does its rounds',
  late: 'has missed three rounds',
  gone: 'has done no round for an hour',
};

const well = (isWell: boolean): { mood: 'well' | 'critical' } => ({ mood: isWell ? 'well' : 'critical' });
export const inWords = (magnitude: Magnitude): string => magnitude.replace('-', ' to ').replace('10000+', '10,000 or more');
const count = (magnitude: Magnitude | null): string => (magnitude === null ? UNKNOWN : inWords(magnitude));

/** Everything the page says in lines, in groups. */
export function factsOf(sight: Sight): Facts[] {
  const { at, status, surroundings } = sight;
  const machine = { title: 'Machine', facts: [...ofRedis(status), ...ofDisk(surroundings)] };
  const way = { title: 'Way in', facts: [...(status === null ? [] : ofDoor(status)), ...ofOnion(sight)] };
  if (status === null) return [way, machine];
  return [
    way,
    { title: 'Letters', facts: ofLetters(status) },
    { title: 'Inboxes', facts: ofInboxes(status) },
    { title: 'Keys', facts: ofKeys(status, at) },
    { ...machine, facts: [...machine.facts, ...ofClock(status), ofVersions(status)] },
    { title: 'Dropped so far', facts: ofDropped(status) },
  ];
}

function ofDoor(status: Status): Fact[] {
  const { door, relay, worker, roundSeconds } = status;
  const closed = door.map((reason) => DOOR[reason]).join('; ');
  const isOpen = isDoorOpen(status);
  // Before the first keyring nothing is wrong.
  const isNew = status.attention.some(({ code }) => code === 'KEYRINGS_MISSING');
  const worse = (isWell: boolean) => (isNew && !isWell ? { mood: 'warning' as const } : well(isWell));
  return [
    { name: 'Door', value: isOpen ? 'open' : `closed${closed === '' ? '' : `: ${closed}`}`, ...worse(isOpen) },
    { name: 'Relay', value: RELAY[relay], ...well(relay === 'answers') },
    { name: 'Worker', value: WORKER[worker], ...worse(worker === 'working') },
    { name: 'Round', value: roundSeconds === null ? UNKNOWN : `every ${durationOf(roundSeconds)}` },
  ];
}

function ofOnion({ surroundings: { onion }, isVisiting }: Sight): Fact[] {
  if (onion === null) return [{ name: 'Onion address', value: isVisiting ? 'the first visit is under way' : 'not looked at' }];
  return [{ name: 'Onion address', value: ONION_WORDS[onion], ...well(isOnionThere(onion)) }];
}

function ofLetters({ pool, replies, taken }: Status): Fact[] {
  return [
    { name: 'In the pool', value: `${count(pool)}${pool === null ? '' : ' parcels at the last round'}` },
    { name: 'Answers', value: `${count(replies)}${replies === null ? '' : ' wait to be fetched'}` },
    ...taken.map(({ serial, share, dearer }) => ({
      name: `Keyring ${String(serial)}`,
      value: `${SHARE[share]} of the parcels that may come${dearer === 0 ? '' : `; a stamp costs ${String(dearer)} bits more`}`,
    })),
  ];
}

function ofInboxes({ inboxes }: Status): Fact[] {
  if (inboxes.length === 0) return [{ name: 'Inboxes', value: UNKNOWN }];
  return inboxes.map(ofInbox);
}

function ofInbox({ id, waiting, dead, troubles }: InboxStatus): Fact {
  const words = [
    troubles.failing === undefined ? null : `takes nothing (${troubles.failing})`,
    troubles.deferring === undefined ? null : `refuses some (${troubles.deferring})`,
    troubles.unconfigured === undefined ? null : 'the worker does not have it',
    waiting === null ? 'not counted yet' : `${count(waiting)} waiting`,
    dead === '0' ? null : `${count(dead)} refused for good`,
  ];
  const isDown = troubles.failing !== undefined || troubles.unconfigured !== undefined;
  const isSound = Object.keys(troubles).length === 0 && dead === '0';
  return { name: id, value: words.filter((word) => word !== null).join(', '), mood: isSound ? 'well' : isDown ? 'critical' : 'warning' };
}

function ofKeys({ keyring, keyringUntil, keyringNext, keysUntil }: Status, at: Date): Fact[] {
  return [
    {
      name: 'Keyrings',
      value: keyringUntil === null ? 'none is valid' : `reach until ${until(keyringUntil, at)}`,
      ...well(keyring === 'ok'),
    },
    { name: 'Next keyring', value: keyringNext === null ? 'none' : String(keyringNext) },
    { name: "Worker's keys", value: keysUntil === null ? 'the names of their files do not say' : `until ${until(keysUntil, at)}` },
  ];
}

function ofRedis(status: Status | null): Fact[] {
  if (status === null) return [{ name: 'Redis', value: 'does not answer', mood: 'critical' }];
  const { file, memory } = status.redis;
  return [
    {
      name: 'Redis’ file',
      value: file === null ? UNKNOWN : file === 'ok' ? 'is written' : 'cannot be written',
      ...(file && well(file === 'ok')),
    },
    {
      name: 'Redis’ memory',
      value: memory === null ? UNKNOWN : memory === 'ok' ? 'has room' : 'four fifths are used',
      ...(memory && { mood: memory === 'ok' ? 'well' : 'warning' }),
    },
  ];
}

function ofDisk({ disk }: Sight['surroundings']): Fact[] {
  if (disk === null) return [{ name: 'Disk', value: 'not looked at' }];
  const mood = disk.free === '20-100 %' ? 'well' : disk.free === '0-5 %' ? 'critical' : 'warning';
  return [{ name: 'Disk', value: `${disk.free.replace('-', ' to ')} free`, mood }];
}

function ofClock({ clock, clockAheadDays }: Status): Fact[] {
  const known = (['worker', 'relay'] as const).filter((part) => clock[part] !== null);
  const off = known.filter((part) => clock[part] !== 'none').map((part) => `${clock[part] ?? ''} off for the ${part}`);
  const ahead = clockAheadDays > 0 ? [`${String(clockAheadDays)} days ahead`] : [];
  const wrong = [...off, ...ahead].join(', ');
  if (wrong !== '') return [{ name: 'Clock', value: wrong, mood: 'critical' }];
  return [
    { name: 'Clock', value: known.length === 0 ? UNKNOWN : `the same for ${known.join(' and ')}`, ...(known.length > 0 && well(true)) },
  ];
}

function ofVersions({ versions: { operator, worker, relays } }: Status): Fact {
  const all = [...new Set([operator, ...(worker === null ? [] : [worker]), ...relays])];
  return { name: 'Version', value: all.join(', '), mood: all.length === 1 ? 'well' : 'warning' };
}

function ofDropped({ dropped }: Status): Fact[] {
  if (dropped.length === 0) return [{ name: 'Parcels', value: 'none' }];
  return dropped.map(({ reason, count: many }) => ({ name: reason, value: count(many) }));
}

function until(moment: string, at: Date): string {
  const days = Math.floor((Date.parse(moment) - at.getTime()) / DAY_MS);
  return `${moment.slice(0, 10)} (${String(days)} ${days === 1 ? 'day' : 'days'} left)`;
}

export function durationOf(seconds: number): string {
  const [many, unit] = seconds % 60 === 0 ? [seconds / 60, 'minute'] : [seconds, 'second'];
  return `${String(many)} ${unit}${many === 1 ? '' : 's'}`;
}
