import { MAX_CARD_WEEKS, WEEK_MS, weekStart } from '../../crypto/card.ts';
import { openFolder } from '../administering/folder.ts';
import { planAgain, planSeason } from '../administering/plan.ts';
import { SEASON_WEEKS } from '../keys/season-dates.ts';
import { secondOf, SIGNING_HELP, SIGNING_OPTIONS, signWeeks } from '../administering/signing.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { SERIAL_MAX } from '../keys/keyring.ts';
import { dayOf } from '../../volunteer/keys/season.ts';

const NAME = 'admin season';

export const adminSeason = defineCommand({
  name: NAME,
  summary: 'Sign the keyrings of all weeks that are due, one a week, in one sitting',
  usage: '[--weeks N] [--from DATE] [--again] [options]',
  examples: ['support-relay admin season --folder /media/admin', 'support-relay admin season --weeks 4 --from 2026-11-30'],
  details: `
Says first which weeks it will sign, who comes and goes against the keyring before, which keyrings become void, and until
when the door is then covered. Then it asks for the passphrase, once, signs, and puts into out/ what has to be copied. While
seven weeks are signed there is nothing to do, but with --weeks or --from; out/ is filled again.

  --weeks N               see that N weeks are covered, counted from the present one or from --from, 1 to ${String(MAX_CARD_WEEKS)}; if
                          left out up to ${String(SEASON_WEEKS)} more, as far as the cards reach
  --from DATE             the Monday of the first week, as 2026-11-30; if left out the first week without a keyring. A week
                          that has begun is signed from now on
  --again                 sign anew what was signed before the folder changed, with higher serials
  --above SERIAL          with --again: sign all of it with serials above this one, after two sticks have signed the same
  --past                  with --from: sign a week that is over or has begun, from its beginning
${SIGNING_HELP}`,
  options: {
    weeks: { type: 'string' },
    from: { type: 'string' },
    again: { type: 'boolean' },
    above: { type: 'string' },
    past: { type: 'boolean' },
    ...SIGNING_OPTIONS,
  },
  run: async ({ weeks, from, again, above, past, ...values }, _positionals, io) => {
    if (again === true && (weeks ?? from ?? past) !== undefined) {
      throw new UsageError('--again signs what is signed: without --weeks, --from and --past', NAME);
    }
    if (above !== undefined && again !== true) throw new UsageError('--above needs --again', NAME);
    if (past === true && from === undefined) throw new UsageError('--past needs --from', NAME);
    const wish = {
      ...(weeks === undefined ? {} : { weeks: wholeNumber(weeks, 'weeks', [1, MAX_CARD_WEEKS], NAME) }),
      ...(from === undefined ? {} : { from: mondayOf(from) }),
      past: past === true,
    };
    const folder = await openFolder(values.folder ?? '.', io);
    const now = secondOf(io);
    const least = above === undefined ? {} : { above: wholeNumber(above, 'above', [1, SERIAL_MAX - MAX_CARD_WEEKS], NAME) };
    const dues = again === true ? planAgain(folder, now, above !== undefined) : planSeason(folder, now, wish);
    await signWeeks(folder, dues, now, { ...values, ...least }, io);
    return EXIT.ok;
  },
});

/** The first moment (Unix time, ms) of a Monday. Throws USAGE for a text that is none. */
function mondayOf(text: string): number {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || dayOf(time) !== text) throw new UsageError(`--from must be a date such as 2026-11-30, not "${text}"`, NAME);
  const monday = weekStart(time);
  if (monday === time) return time;
  throw new UsageError(`${text} is not a Monday: give ${dayOf(monday)} or ${dayOf(monday + WEEK_MS)}`, NAME);
}
