import type { Redis } from 'ioredis';
import { commandsOf } from '../../runtime/installation.ts';
import type { DoorReason } from '../../crypto/wire.ts';
import type { Attention } from '../../operator/attention/attention.ts';
import { USUAL_ROUND_SECONDS } from '../../operator/moments.ts';
import type { Status } from '../../operator/status.ts';
import { beginDrain, endDrain, isClosed, noteClosed } from '../../redis/drain.ts';
import { keys } from '../../redis/keys.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';

const LOOK_AGAIN_MS = 1_000;
/** A parcel that a relay took in hand before it closed is in Redis by then, or refused (COMMAND_TIMEOUT_MS). */
const IN_HAND_MS = 2_500;
/** The worker says once a round what it found. */
const ASK_AGAIN_MS = 10_000;
/** Relays look at the flag each second. */
const OPENS_WITHIN_MS = 10_000;
/** Why a door is closed while no worker has done a round. */
const FOR_WORKER: DoorReason = 'worker';

/** What can keep something on its way. */
const HINDRANCES: ReadonlySet<Attention['code']> = new Set([
  ...(['WORKER_GONE', 'WORKER_LATE', 'MIX_PAUSED', 'LETTERS_HELD', 'REPLIES_FULL', 'KEYRING_NONE'] as const),
  ...(['INBOX_FAILING', 'INBOX_DEFERRING', 'INBOX_UNCONFIGURED'] as const),
]);

type Door = { readonly doors: readonly (DoorReason | null)[]; readonly silent: number };

async function doorOf(redis: Redis): Promise<Door> {
  const { askRelays } = await import('../../operator/relay.ts');
  const { asked, answers } = await askRelays(redis);
  return { doors: answers.map(({ door }) => door), silent: asked - answers.length };
}

/** Waits at most so long, and throws INTERRUPTED on Ctrl-C: the door stays closed. */
async function pause(io: Io, ms: number): Promise<void> {
  if (await io.pause(ms, 'again')) return;
  const { tool } = commandsOf(io.places.OPERATOR_INSTALLATION);
  const advice = `nothing is lost: run the same again to wait on, or open the door: ${tool(() => 'operator drain --end')}`;
  throw new CliError('INTERRUPTED', 'the door stays closed', advice);
}

/** Closes the door, if it is not closed yet. Resolves once no relay can take anything any more. */
export async function closeDoor(redis: Redis, io: Io): Promise<void> {
  if (isClosed(await beginDrain(redis))) return;
  io.err('closing the door …\n');
  for (let told = ''; ;) {
    const { doors, silent } = await doorOf(redis);
    if (silent === 0 && doors.every((door) => door === 'maintenance')) break;
    const now = silent > 0 ? 'a relay does not answer: look at its log; if it hangs, restart it\n' : '';
    if (now !== told) io.err(now);
    told = now;
    await pause(io, LOOK_AGAIN_MS);
  }
  await pause(io, IN_HAND_MS);
  await noteClosed(redis);
}

/** Says what is still on its way whenever that changes, and resolves once nothing is. Throws DRAIN_ENDED if somebody opens the door. */
export async function waitUntilEmptied(redis: Redis, io: Io): Promise<void> {
  const { readStatus } = await import('../../operator/status.ts');
  for (let told = ''; ;) {
    const status = await readStatus(redis, io.now(), commandsOf(io.places.OPERATOR_INSTALLATION));
    if (status.maintenance === 'emptied') return;
    if (status.maintenance === 'no')
      throw new CliError('DRAIN_ENDED', 'the door was opened while this waited (drain --end)', 'to close it again, run the same command');
    const now = progressOf(status);
    if (now !== told) io.err(now);
    told = now;
    await pause(io, Math.min(ASK_AGAIN_MS, (status.roundSeconds ?? Infinity) * 1000));
  }
}

function progressOf({ pool, inboxes, roundSeconds, attention }: Status): string {
  const waiting = inboxes.flatMap(({ id, waiting: letters }) => (letters === null || letters === '0' ? [] : [`${id} ${letters}`]));
  const onTheWay = [`pool ${pool ?? 'not known yet'}`, ...waiting].join(', ');
  const round = roundSeconds === null ? '' : `, a round every ${String(roundSeconds)} s`;
  const hindrances = attention.filter(({ code }) => HINDRANCES.has(code));
  const lines = [
    `still on its way at the last round: ${onTheWay}${round}`,
    ...hindrances.map(({ what, advice, code }) => `! ${what}; ${advice} (${code})`),
    ...(hindrances.length === 0
      ? []
      : ['  Whatever is held up waits on disk and outlasts a stop. To stop without waiting for it, press Ctrl-C.']),
  ];
  return lines.map((line) => `${visibleLine(line)}\n`).join('');
}

/**
 * Opens the door, and returns what each relay says then: null, or why it takes nothing all the same. Just after a start relays are not
 * there yet, or wait for the worker's first round; so does this, until Ctrl-C.
 */
export async function openDoor(redis: Redis, io: Io): Promise<readonly (DoorReason | null)[]> {
  await endDrain(redis);
  const roundSeconds = Number((await redis.get(keys.alive)) ?? 0) || USUAL_ROUND_SECONDS;
  for (let waitedMs = 0, told = ''; ; waitedMs += LOOK_AGAIN_MS) {
    const { doors } = await doorOf(redis);
    const waits = doors.includes(FOR_WORKER);
    const patienceMs = OPENS_WITHIN_MS + (waits ? roundSeconds * 1000 : 0);
    const isOnItsWay = doors.length === 0 || doors.includes('maintenance') || waits;
    if (!isOnItsWay || waitedMs >= patienceMs) return doors;
    const now = waits
      ? `the door opens when the worker has done its first round, within ${String(roundSeconds)} s; Ctrl-C ends the waiting alone\n`
      : '';
    if (now !== told) io.err(now);
    told = now;
    if (!(await io.pause(LOOK_AGAIN_MS, 'again'))) return doors;
  }
}
