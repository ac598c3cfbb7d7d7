import { Gauge, Registry } from 'prom-client';
import { DOOR_REASONS } from '../crypto/wire.ts';
import { INBOX_TROUBLES, type Magnitude } from '../redis/state.ts';
import type { Taken } from '../redis/presence.ts';
import { NOTICE_CODES } from './attention/ahead.ts';
import { WARNING_CODES, WARNINGS } from './attention/attention.ts';
import { OFFSET_SECONDS } from './clock.ts';
import { freeFraction } from './disk.ts';
import { isOnionThere } from './onion.ts';
import type { Sight } from './sight.ts';
import { isDoorOpen, type Status } from './status.ts';

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** A value without labels, values with labels, or null: nothing is known, and nothing is said. */
type Values = number | null | readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
type Metric<From> = { readonly name: string; readonly help: string; readonly labels?: readonly string[]; of(from: From): Values };

const DAY_SECONDS = 24 * 3_600;
/** How much of its limit a keyring's parcels have used, at least. */
const USED: Readonly<Record<Taken['share'], number>> = { low: 0, half: 1 / 3, high: 2 / 3, full: 1 };
const lowerBound = (count: Magnitude): number => Number(/^\d+/.exec(count)?.[0]);
const countOf = (count: Magnitude | null): number | null => (count === null ? null : lowerBound(count));
const secondsOf = (moment: string | null): number | null => (moment === null ? null : Date.parse(moment) / 1000);
const truth = (is: boolean): number => (is ? 1 : 0);
const oneOf = <T extends string>(label: string, all: readonly T[], is: (one: T) => boolean): Values =>
  all.map((one) => [{ [label]: one }, truth(is(one))]);

/** Whether or not Redis answers. */
const OF_SIGHT: readonly Metric<Sight>[] = [
  { name: 'status_timestamp_seconds', help: 'The round in which all of this was last read.', of: ({ at }) => at.getTime() / 1000 },
  { name: 'redis_up', help: 'Whether Redis answers.', of: ({ status }) => truth(status !== null) },
  {
    name: 'attention',
    help: 'What needs an operator: the warnings of the status.',
    labels: ['code', 'severity'],
    of: ({ attention }) =>
      WARNING_CODES.map((code) => [{ code, severity: WARNINGS[code] }, truth(attention.some((one) => one.code === code))]),
  },
  {
    name: 'notice',
    help: 'What will be missing in a coming week.',
    labels: ['code'],
    of: ({ notices }) => oneOf('code', NOTICE_CODES, (code) => notices.some((one) => one.code === code)),
  },
  {
    name: 'disk_free_ratio',
    help: 'At least that much of the disk is free, in coarse steps.',
    of: ({ surroundings: { disk } }) => disk && freeFraction(disk.free),
  },
  { name: 'tor_up', help: 'Whether tor answers.', of: ({ surroundings: { onion } }) => onion && truth(onion !== 'no-tor') },
  {
    name: 'onion_reachable',
    help: 'Whether the form was reached under its onion address, or at least announced where only those get in who have a key.',
    of: ({ surroundings: { onion } }) => onion && truth(isOnionThere(onion)),
  },
];

const OF_PARTS: readonly Metric<Status>[] = [
  { name: 'round_seconds', help: 'Length of a round.', of: ({ roundSeconds }) => roundSeconds },
  {
    name: 'worker_state',
    help: 'What the worker is doing.',
    labels: ['state'],
    of: ({ worker }) => oneOf('state', ['working', 'late', 'gone', 'waiting'], (state) => state === worker),
  },
  {
    name: 'relay_state',
    help: 'Whether every relay answers.',
    labels: ['state'],
    of: ({ relay }) => oneOf('state', ['answers', 'silent', 'away'], (state) => state === relay),
  },
  { name: 'door_open', help: 'Whether every relay that answers takes parcels.', of: (status) => truth(isDoorOpen(status)) },
  {
    name: 'door_closed',
    help: 'Why a relay takes no parcels.',
    labels: ['reason'],
    of: ({ door }) => oneOf('reason', DOOR_REASONS, (reason) => door.includes(reason)),
  },
  {
    name: 'clock_offset_seconds',
    help: 'By how much a clock differs from ours at least, in coarse steps.',
    labels: ['part'],
    of: ({ clock }) =>
      (['worker', 'relay'] as const).flatMap((part) => (clock[part] === null ? [] : [[{ part }, OFFSET_SECONDS[clock[part]]] as const])),
  },
  {
    name: 'clock_ahead_seconds',
    help: 'By how many whole days the clock is ahead of the time that the worker has run.',
    of: ({ clockAheadDays }) => clockAheadDays * DAY_SECONDS,
  },
  {
    name: 'build_info',
    help: 'The version of each part.',
    labels: ['part', 'version'],
    of: ({ versions }) => [
      [{ part: 'operator', version: versions.operator }, 1],
      ...(versions.worker === null ? [] : [[{ part: 'worker', version: versions.worker }, 1] as const]),
      ...versions.relays.map((version) => [{ part: 'relay', version }, 1] as const),
    ],
  },
];

const OF_WHAT_WAITS: readonly Metric<Status>[] = [
  { name: 'pool_parcels', help: 'At least that many parcels were in the pool when the round began.', of: ({ pool }) => countOf(pool) },
  { name: 'answers_waiting', help: 'At least that many answers wait in mailboxes.', of: ({ replies }) => countOf(replies) },
  {
    name: 'inbox_letters',
    help: 'At least that many letters wait for this inbox.',
    labels: ['inbox'],
    of: ({ inboxes }) => inboxes.flatMap(({ id, waiting }) => (waiting === null ? [] : [[{ inbox: id }, lowerBound(waiting)] as const])),
  },
  {
    name: 'inbox_dead_letters',
    help: 'At least that many letters this inbox refused for good.',
    labels: ['inbox'],
    of: ({ inboxes }) => inboxes.map(({ id, dead }) => [{ inbox: id }, lowerBound(dead)]),
  },
  {
    name: 'inbox_trouble',
    help: 'What is wrong with this inbox.',
    labels: ['inbox', 'trouble'],
    of: ({ inboxes }) =>
      inboxes.flatMap(({ id, troubles }) => INBOX_TROUBLES.map((trouble) => [{ inbox: id, trouble }, truth(trouble in troubles)] as const)),
  },
  {
    name: 'dropped_parcels',
    help: 'At least that many parcels were dropped for this reason.',
    labels: ['reason'],
    of: ({ dropped }) => dropped.map(({ reason, count }) => [{ reason }, lowerBound(count)]),
  },
];

const OF_KEYS_AND_FILES: readonly Metric<Status>[] = [
  { name: 'keyring_end_timestamp_seconds', help: 'When the keyrings run out.', of: ({ keyringUntil }) => secondsOf(keyringUntil) },
  { name: 'keys_end_timestamp_seconds', help: 'When the last key of the worker ends.', of: ({ keysUntil }) => secondsOf(keysUntil) },
  {
    name: 'keyring_used_ratio',
    help: 'At least that much of the parcels that may come under this keyring came.',
    labels: ['serial'],
    of: ({ taken }) => taken.map(({ serial, share }) => [{ serial: String(serial) }, USED[share]]),
  },
  {
    name: 'keyring_dearer_bits',
    help: 'How many bits more a stamp costs under this keyring, because many parcels came.',
    labels: ['serial'],
    of: ({ taken }) => taken.map(({ serial, dearer }) => [{ serial: String(serial) }, dearer]),
  },
  {
    name: 'redis_file_ok',
    help: 'Whether Redis writes and rewrites its file, as the worker saw it.',
    of: ({ redis: { file } }) => file && truth(file === 'ok'),
  },
  {
    name: 'redis_memory_filling',
    help: 'Whether Redis has used most of its memory, as the worker saw it.',
    of: ({ redis: { memory } }) => memory && truth(memory === 'filling'),
  },
];

/** The text that Prometheus reads. Nothing of this process itself: its own times and sizes move with what it is asked. */
export async function metricsOf(sight: Sight): Promise<string> {
  const registry = new Registry();
  for (const metric of OF_SIGHT) add(registry, metric, sight);
  if (sight.status !== null)
    for (const metric of [...OF_PARTS, ...OF_WHAT_WAITS, ...OF_KEYS_AND_FILES]) add(registry, metric, sight.status);
  return registry.metrics();
}

function add<From>(registry: Registry, { name, help, labels = [], of }: Metric<From>, from: From): void {
  const values = of(from);
  if (values === null) return;
  const gauge = new Gauge({ name: `support_relay_${name}`, help, labelNames: [...labels], registers: [registry] });
  if (typeof values === 'number') gauge.set(values);
  else for (const [labelled, value] of values) gauge.set(labelled, value);
}
