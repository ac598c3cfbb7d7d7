import { headline, isOfSetup, type Attention } from '../../operator/attention/attention.ts';
import type { OperatorCommands } from '../../runtime/installation.ts';
import { inUtc, USUAL_ROUND_SECONDS } from '../../operator/moments.ts';
import { ONION_WORDS } from '../../operator/onion.ts';
import type { Status } from '../../operator/status.ts';
import type { ServedSurroundings } from '../../operator/surroundings.ts';
import type { Taken } from '../../redis/presence.ts';
import { visibleLine } from '../terminal/terminal.ts';

const SHARE: Readonly<Record<Taken['share'], string>> = {
  low: 'less than a third',
  half: 'up to two thirds',
  high: 'more than two thirds',
  full: 'all',
};

const MAINTENANCE = {
  draining: 'the door is closed for maintenance, and something is still on its way',
  emptied: 'the door is closed for maintenance, and nothing is on its way any more',
} as const;

function describeTaken({ serial, share, dearer }: Taken): string {
  const price = dearer === 0 ? '' : `; a stamp costs ${String(dearer)} bits more`;
  return `taken     under keyring ${String(serial)}: ${SHARE[share]} of the parcels that may come${price}`;
}

/** The state of the queue as text for a terminal: in one line whether somebody has to do something, and what, then all the rest. */
export function describeStatus(status: Status, around: ServedSurroundings | null, commands: OperatorCommands): string {
  const { pool, replies, relay, worker, roundSeconds, taken } = status;
  const isPart = relay === 'not asked';
  const round = roundSeconds === null ? '' : `, a round every ${String(roundSeconds)} s`;
  const lines = [
    headline(status.attention, isPart || (around !== null && !(around.isVisiting && around.onion === null))),
    ...status.attention.flatMap((one) => describeAttention(one, roundSeconds ?? USUAL_ROUND_SECONDS)),
    ...status.notices.map(({ code, what, advice }) => `ahead     ${visibleLine(what)}: ${visibleLine(advice)} (${code})`),
    '',
    `pool      ${pool === null ? 'not known yet' : `${pool} parcels at the last round`}`,
    `answers   ${replies === null ? 'not known yet' : `${replies} waiting in mailboxes`}`,
    `keyring   ${status.keyring ?? 'not known yet'}${coverageOf(status)}`,
    ...(status.keysUntil === null ? [] : [`keys      the worker's, until ${visibleLine(inUtc(status.keysUntil))}`]),
    ...taken.map(describeTaken),
    `relay     ${relay}`,
    `worker    ${worker}${round}`,
    ...(status.redis.file === null ? [] : [`redis     file ${status.redis.file}, memory ${status.redis.memory ?? 'not known yet'}`]),
    ...(isPart ? [] : describeSurroundings(around, commands)),
    `version   ${versionsOf(status).map(visibleLine).join(', ')}`,
    ...(status.maintenance === 'no' ? [] : [`drain     ${MAINTENANCE[status.maintenance]}`]),
    ...orElse(
      status.inboxes.map(
        ({ id, waiting, dead }) =>
          `inbox     ${visibleLine(id)}: ${waiting === null ? 'not counted yet' : `${waiting} waiting`}, ${dead} dead`,
      ),
      'inboxes   none known yet',
    ),
    ...orElse(
      status.dropped.map(({ reason, count }) => `dropped   ${visibleLine(reason)}: ${count}`),
      'dropped   nothing',
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function describeAttention(one: Attention, roundSeconds: number): string[] {
  const { code, what, advice } = one;
  const lines = [`! ${visibleLine(what)}; ${visibleLine(advice)} (${code})`];
  if (!isOfSetup(one)) return lines;
  const within = roundSeconds < 60 ? `${String(roundSeconds)} s` : `${String(Math.ceil(roundSeconds / 60))} min`;
  return [...lines, `  (as the last round found it; what you have done since shows within ${within})`];
}

/** What the status does not see by itself: nobody should take "well" for more than was looked at. */
function describeSurroundings(around: ServedSurroundings | null, { tool }: OperatorCommands): string[] {
  if (around === null) {
    return [`not seen  tor, onion address, disk: the operator's service does not answer here; look with: ${tool(() => 'operator doctor')}`];
  }
  const { disk, onion, isVisiting, round } = around;
  const seen = `(seen in the round of ${visibleLine(inUtc(round))})`;
  const first = isVisiting ? 'the first visit is under way' : 'not looked at';
  return [
    `onion     ${onion === null ? first : `${ONION_WORDS[onion]} ${seen}`}`,
    `disk      ${disk === null ? 'not looked at' : `${disk.free} free ${seen}`}`,
  ];
}

function versionsOf({ versions: { operator, worker, relays } }: Status): string[] {
  return [...new Set([operator, ...(worker === null ? [] : [worker]), ...relays])];
}

function coverageOf({ keyringUntil, keyringNext }: Status): string {
  if (keyringUntil === null) return '';
  return `, valid until ${visibleLine(inUtc(keyringUntil))}; next: ${keyringNext === null ? 'none' : String(keyringNext)}`;
}

function orElse(lines: readonly string[], instead: string): readonly string[] {
  return lines.length === 0 ? [instead] : lines;
}
