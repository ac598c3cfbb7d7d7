import type { Status } from '../../operator/status.ts';
import type { Taken } from '../../redis/presence.ts';
import { visibleLine } from '../terminal/terminal.ts';

const SHARE: Readonly<Record<Taken['share'], string>> = {
  low: 'less than a third',
  half: 'up to two thirds',
  high: 'more than two thirds',
  full: 'all',
};

function describeTaken({ serial, share, dearer }: Taken): string {
  const price = dearer === 0 ? '' : `; a stamp costs ${String(dearer)} bits more`;
  return `taken     under keyring ${String(serial)}: ${SHARE[share]} of the parcels that may come${price}`;
}

/** The state of the queue as a terminal shows it. */
export function describeStatus({
  pool,
  replies,
  keyring,
  keyringUntil,
  keyringNext,
  taken,
  relay,
  worker,
  roundSeconds,
  inboxes,
  dropped,
  attention,
}: Status): string {
  const round = roundSeconds === null ? '' : `, a round every ${String(roundSeconds)} s`;
  const coverage =
    keyringUntil === null ? '' : `, valid until ${visibleLine(keyringUntil)}; next: ${keyringNext === null ? 'none' : String(keyringNext)}`;
  const lines = [
    `pool      ${pool === null ? 'not known yet' : `${pool} parcels at the last round`}`,
    `answers   ${replies === null ? 'not known yet' : `${replies} waiting in mailboxes`}`,
    `keyring   ${keyring ?? 'not known yet'}${coverage}`,
    ...taken.map(describeTaken),
    `relay     ${relay}`,
    `worker    ${worker}${round}`,
    ...(inboxes.length === 0
      ? ['inboxes   none known yet']
      : inboxes.map(({ id, waiting, dead }) => `inbox     ${visibleLine(id)}: ${waiting} waiting, ${dead} dead`)),
    ...(dropped.length === 0 ? ['dropped   nothing'] : dropped.map(({ reason, count }) => `dropped   ${visibleLine(reason)}: ${count}`)),
    ...(attention.length === 0
      ? ['all is well']
      : attention.map(({ code, what, advice }) => `! ${visibleLine(what)}; ${visibleLine(advice)} (${code})`)),
  ];
  return `${lines.join('\n')}\n`;
}
