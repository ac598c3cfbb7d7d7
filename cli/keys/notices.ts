// What a volunteer is told about their own keys, four weeks, two weeks, a week and two days before they end.
import { WEEK_MS } from '../../crypto/card.ts';
import { keyringThatCounts, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { noticeAt } from '../../crypto/notice.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import type { OwnWeek } from './key-folder.ts';
import { isNewer } from '../../crypto/release.ts';

/** Lines for standard error. `version`: that of this program. */
export function keyNotices(weeks: readonly OwnWeek[], keyrings: readonly VerifiedKeyring[], now: Date, version: string): string[] {
  const lines: string[] = [];
  const last = weeks.at(-1);
  const keysEnd = last === undefined ? 0 : last.begin + WEEK_MS;
  if (noticeAt(keysEnd, now.getTime()) !== null) {
    const ends = last === undefined ? 'There is no key of any week' : `Your keys ${endsOn(keysEnd, now)}`;
    lines.push(`${ends}: run support-relay volunteer keys, and send the card to the administrator.`);
  }
  const keyringsEnd = Math.max(0, ...keyrings.map(({ keyring }) => Date.parse(keyring.notAfter)));
  if (keyrings.length > 0 && noticeAt(keyringsEnd, now.getTime()) !== null) {
    lines.push(`Your keyrings ${endsOn(keyringsEnd, now)}: ask the administrator for the next ones.`);
  }
  const release = keyringThatCounts(keyrings, now)?.keyring.release;
  if (release !== undefined && isNewer(release.version, version)) {
    lines.push(`There is a newer release of this program, ${release.version}; this is ${version}. Ask the administrator for it.`);
  }
  return lines;
}

function endsOn(endMs: number, now: Date): string {
  const days = Math.ceil((endMs - now.getTime()) / 86_400_000);
  if (days <= 0) return `ended with ${dayOf(endMs - 1)}`;
  return `end with ${dayOf(endMs - 1)}, in ${String(days)} ${days === 1 ? 'day' : 'days'}`;
}
