// Which weeks are to be signed now.
import { WEEK_MS, weekStart } from '../../crypto/card.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { SEASON_WEEKS } from '../keys/season-dates.ts';
import type { Folder } from './folder.ts';
import { contentKey, folderWeek, type WeekContent } from './members.ts';
import { namesSame } from './release.ts';
import { countingFrom, coveredUntil, keyringFor, signedUntil, weeksBetween } from './weeks.ts';

/** Whoever is covered for longer has probably run the command twice. */
const ENOUGH_WEEKS = 7;

/** One keyring to sign: its time (Unix time, ms), what it will say, and the names of teams that are left out since nobody is in them. */
export type Due = { readonly from: number; readonly until: number; readonly content: WeekContent; readonly empty: readonly string[] };

export type SeasonWish = {
  /** How many weeks from `from` on, or from the present one; absent: up to thirteen of those that are open, as far as the cards reach. */
  readonly weeks?: number;
  /** The first moment of the first week (Unix time, ms). */
  readonly from?: number;
  /** Weeks that are over, or have begun, are signed from their beginning. */
  readonly past: boolean;
};

/**
 * What `admin season` signs: weeks that no keyring covers, and whatever was signed for a time after them, since a higher serial makes it
 * void. None when enough is signed. Throws WEEK_OVER, WEEK_GAP, and TEAM_EMPTY or WORKER_MISSING when a week cannot be signed.
 */
export function planSeason(folder: Folder, now: number, wish: SeasonWish): Due[] {
  const thisWeek = weekStart(now);
  const count = wish.weeks ?? SEASON_WEEKS;
  const end = coveredUntil(folder.keyrings, now);
  const open = end === now ? thisWeek : end;
  if (wish.from === undefined && wish.weeks === undefined && open - thisWeek >= Math.min(count, ENOUGH_WEEKS) * WEEK_MS) return [];
  const start = wish.from ?? (wish.weeks === undefined ? open : thisWeek);
  if (start < thisWeek && !wish.past) {
    throw new CliError(
      'WEEK_OVER',
      `the week from ${dayOf(start)} is over`,
      'give a later --from, set the clock, or give --past if that is right',
    );
  }
  const reached = coveredUntil(folder.keyrings, Math.max(now, countingFrom(folder.keyrings, now)));
  if (start > reached && folder.keyrings.length > 0) {
    const what = `the time from ${dayOf(reached)} to ${dayOf(start - 1)} would stay without a keyring`;
    throw new CliError('WEEK_GAP', what, `give --from ${dayOf(weekStart(reached))}, or leave --from out`);
  }
  const begins = (week: number): number => (wish.past ? week : Math.max(week, now));
  const asked = weeksBetween(start, start + count * WEEK_MS);
  const first = asked.find((week) => keyringFor(folder.keyrings, begins(week), week + WEEK_MS) === null);
  if (first === undefined) return [];
  const last = Math.max(start + count * WEEK_MS, signedUntil(folder.keyrings));
  const dues = weeksBetween(first, last).map((week) => ({ week, ...folderWeek(folder, week) }));
  const reach = dues.findIndex(({ content, empty }) => content.worker === null || empty.length > 0);
  // As far as the cards reach it is signed already, and they were not asked to reach further: nor back to now, before a season begins.
  const isSigned = wish.from === undefined ? signedUntil(folder.keyrings) > now : first > start;
  if (reach === 0 && wish.weeks === undefined && isSigned) return [];
  // A number of weeks that was asked for is signed whole or not at all.
  const whole = reach > 0 && wish.weeks === undefined ? dues.slice(0, reach) : dues;
  return whole.map(({ week, content, empty }) => ({ ...insist(week, content, empty), from: begins(week), until: week + WEEK_MS, empty }));
}

/**
 * What is signed again: each week from now on that was signed and would say something else now, and those after it. Teams in which
 * nobody is left are left out, so that a revocation never waits for a card; weeks for which the worker has no key end it. @param all also
 * weeks that would say the same
 */
export function planAgain(folder: Folder, now: number, all = false): Due[] {
  // Before a season begins the present week was not signed, and may have no keys.
  const begin = Math.max(now, countingFrom(folder.keyrings, now));
  const weeks = weeksBetween(begin, signedUntil(folder.keyrings)).map((week) => ({ week, ...folderWeek(folder, week) }));
  const first = weeks.findIndex(({ week, content }) => {
    if (all) return true;
    const signed = keyringFor(folder.keyrings, Math.max(week, now), week + WEEK_MS);
    return signed === null || contentKey(signed.keyring) !== contentKey(content) || !namesSame(signed.keyring, content);
  });
  if (first === -1) return [];
  const dues = weeks.slice(first);
  const reach = dues.findIndex(({ content }) => content.worker === null || content.teams.length === 0);
  const whole = reach > 0 ? dues.slice(0, reach) : dues;
  return whole.map(({ week, content, empty }) => {
    const left = content.teams.length > 0 ? [] : empty;
    return { ...insist(week, content, left), from: Math.max(week, now), until: week + WEEK_MS, empty };
  });
}

/** The first week (Unix time, ms) from this one on that was signed and would say something else now; null when there is none. */
export function firstOutdated(folder: Folder, now: number): number | null {
  const until = coveredUntil(folder.keyrings, now);
  const outdated = weeksBetween(now, until).find((week) => {
    const signed = until > now ? keyringFor(folder.keyrings, Math.max(week, now), week + WEEK_MS) : null;
    return signed !== null && contentKey(signed.keyring) !== contentKey(folderWeek(folder, week).content);
  });
  return outdated ?? null;
}

/** Throws WORKER_MISSING or TEAM_EMPTY when the week cannot be signed as it is. */
function insist(
  week: number,
  { worker, ...content }: ReturnType<typeof folderWeek>['content'],
  empty: readonly string[],
): { content: WeekContent } {
  const day = dayOf(week);
  if (worker === null) {
    throw new CliError(
      'WORKER_MISSING',
      `the worker has no key for the week from ${day}`,
      'have its card made by support-relay worker keys, and add it with support-relay admin add CARD',
    );
  }
  if (empty.length > 0 || content.teams.length === 0) {
    const who = empty.length === 0 ? 'there is no team' : `nobody in team ${empty.join(', ')} has a key`;
    throw new CliError(
      'TEAM_EMPTY',
      `${who} for the week from ${day}`,
      'add a card with support-relay admin add CARD --team T, or take the team away with support-relay admin team T --remove',
    );
  }
  return { content: { worker, ...content } };
}
