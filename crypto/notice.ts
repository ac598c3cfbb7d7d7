// When people are told that something runs out: keyrings, keys, a team without anybody.

const DAY_MS = 24 * 3_600_000;
/** Days before the end: time for an administrator to sit down, and at last for an operator to copy a file. */
export const NOTICE_DAYS = [28, 14, 7, 2] as const;
export type NoticeDays = (typeof NOTICE_DAYS)[number];

/** The smallest of NOTICE_DAYS that has been reached; 2 when it is over, too. Null: more than 28 days are left. Both in Unix time, ms. */
export function noticeAt(untilMs: number, nowMs: number): NoticeDays | null {
  return NOTICE_DAYS.filter((days) => untilMs - nowMs <= days * DAY_MS).at(-1) ?? null;
}
