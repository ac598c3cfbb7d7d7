import { noticeAt, type NoticeDays } from '../../crypto/notice.ts';
import type { OperatorCommands } from '../../runtime/installation.ts';
import { inUtc } from '../moments.ts';
import type { HousekeepingState, MixState } from '../../redis/state.ts';

export const NOTICE_CODES = ['KEYRINGS_END', 'KEYS_END', 'TEAM_LEAVES', 'TRIAL'] as const;
export type NoticeCode = (typeof NOTICE_CODES)[number];

/** What will be missing in a coming week: known early, so that nobody has to act at night. Nothing is wrong yet. */
export type Ahead = { readonly code: NoticeCode; readonly days: NoticeDays | null; readonly what: string; readonly advice: string };

const WITHIN: Readonly<Record<NoticeDays, string>> = { 28: 'four weeks', 14: 'two weeks', 7: 'a week', 2: 'two days' };
const TEAM_LEAVES = 'team-leaves:';
/** From then on the end of the worker's keys is a warning. */
export const KEYS_EXPIRING_DAYS = 7;
export const nextKeys = ({ tool }: OperatorCommands): string =>
  `make the worker’s next keys: ${tool((state) => `worker keys --out ${state}/worker/identities`)}; ` +
  'then give their card to the administrator, and ask for the next season';

export function noticesOf(
  { keyring, keyringUntil, warnings }: Partial<MixState>,
  { keysUntil }: Partial<HousekeepingState>,
  now: Date,
  commands: OperatorCommands,
): Ahead[] {
  const list: Ahead[] = ofKeysEnd(keysUntil || null, now, commands);
  const untilMs = Date.parse(keyringUntil ?? '');
  const days = untilMs > now.getTime() ? noticeAt(untilMs, now.getTime()) : null;
  // From two days on it needs attention (operator/attention/worker.ts).
  if (keyring === 'ok' && days !== null && keyringUntil !== undefined) {
    const what = `the last keyring ends within ${WITHIN[days]}, at ${inUtc(keyringUntil)}`;
    list.push({ code: 'KEYRINGS_END', days, what, advice: nextKeys(commands) });
  }
  for (const warning of (warnings ?? '').split(' ').filter((word) => word.startsWith(TEAM_LEAVES))) {
    list.push({
      code: 'TEAM_LEAVES',
      days: null,
      what: `a team of the present keyring is not in a coming one (${warning.slice(TEAM_LEAVES.length)})`,
      advice: 'ask the administrator whether it ends, or whether nobody in it has sent keys for that week',
    });
  }
  return list;
}

function ofKeysEnd(keysUntil: string | null, now: Date, commands: OperatorCommands): Ahead[] {
  const days = keysUntil === null ? null : noticeAt(Date.parse(keysUntil), now.getTime());
  // From a week on they need attention (operator/attention/worker.ts): without them no keyring can be signed.
  if (keysUntil === null || days === null || days <= KEYS_EXPIRING_DAYS) return [];
  const what = `the worker's last key ends within ${WITHIN[days]}, at ${inUtc(keysUntil)}`;
  return [{ code: 'KEYS_END', days, what, advice: nextKeys(commands) }];
}
