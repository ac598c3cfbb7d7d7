// When a season of keys begins: by default in the week after the last that has keys.
import { WEEK_MS, weekStart } from '../../crypto/card.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { CliError, UsageError } from '../errors.ts';

export const SEASON_WEEKS = 13;
/** Whoever has keys for longer than this probably ran the command twice. */
const ENOUGH_WEEKS = 6;

/**
 * The first moment (Unix time, ms) of a season. `asked`: `--from`, a Monday as 2026-11-30. `weeks`: those that have keys, rising. Throws
 * USAGE when `asked` is no Monday or its week is over, KEYS_ENOUGH when nothing is asked and there are keys for a long time yet.
 */
export function seasonBegin(asked: string | undefined, weeks: readonly number[], now: Date, command: string): number {
  const present = weekStart(now.getTime());
  if (asked !== undefined) return mondayOf(asked, present, command);
  const last = weeks.at(-1);
  const next = last === undefined ? present : Math.max(present, last + WEEK_MS);
  if (next <= present + ENOUGH_WEEKS * WEEK_MS) return next;
  throw new CliError(
    'KEYS_ENOUGH',
    `there are keys until ${dayOf(next - 1)} already`,
    `for more give --from ${dayOf(next)}; nothing was made`,
  );
}

/** The first and the last day of `count` weeks. */
export const daysOf = (from: number, count: number): [string, string] => [dayOf(from), dayOf(from + count * WEEK_MS - 1)];

/** The first moment of a Monday as somebody typed it. Throws USAGE for a text that is none, or a week that is over. */
function mondayOf(text: string, earliest: number, command: string): number {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || dayOf(time) !== text) throw new UsageError(`--from must be a date such as 2026-11-30, not "${text}"`, command);
  const monday = weekStart(time);
  if (monday !== time) {
    throw new UsageError(`${text} is not a Monday: give ${dayOf(monday)} or ${dayOf(monday + WEEK_MS)}`, command);
  }
  if (monday < earliest) throw new UsageError(`the week from ${text} is over`, command);
  return monday;
}
