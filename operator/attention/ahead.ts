import { noticeAt, type NoticeDays } from '../../crypto/notice.ts';
import type { MixState } from '../../redis/state.ts';

/** What will be missing in a coming week: known early, so that nobody has to act at night. Nothing is wrong yet. */
export type Ahead = {
  readonly code: 'KEYRINGS_END' | 'TEAM_LEAVES';
  readonly days: NoticeDays | null;
  readonly what: string;
  readonly advice: string;
};

const WITHIN: Readonly<Record<NoticeDays, string>> = { 28: 'four weeks', 14: 'two weeks', 7: 'a week', 2: 'two days' };
const TEAM_LEAVES = 'team-leaves:';

export function noticesOf({ keyring, keyringUntil, warnings }: Partial<MixState>, now: Date): Ahead[] {
  const list: Ahead[] = [];
  const untilMs = Date.parse(keyringUntil ?? '');
  const days = untilMs > now.getTime() ? noticeAt(untilMs, now.getTime()) : null;
  // From two days on it needs attention (operator/attention/worker.ts).
  if (keyring === 'ok' && days !== null && keyringUntil !== undefined) {
    list.push({
      code: 'KEYRINGS_END',
      days,
      what: `the last keyring ends within ${WITHIN[days]}, at ${keyringUntil}`,
      advice: 'make the worker’s next keys (support-relay worker keys), give their card to the administrator, and ask for the next season',
    });
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
