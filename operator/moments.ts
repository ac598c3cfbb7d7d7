// How times are written: for people to the minute, for programs to the second, always in UTC.

/** The worker's default, used until a worker has written the length of its rounds. */
export const USUAL_ROUND_SECONDS = 300;

const MINUTE = 'YYYY-MM-DDTHH:MM'.length;

/** For people: `2026-12-28, 00:00 UTC`. @param moment in ISO 8601 */
export const inUtc = (moment: string): string => `${minuteOf(moment).replace('T', ', ')} UTC`;

/** For programs: `2026-12-28T00:00:00Z`. */
export const toSeconds = (moment: string): string => `${moment.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`;

/** `2026-12-28T00:00`. */
export const minuteOf = (moment: string): string => moment.slice(0, MINUTE);
