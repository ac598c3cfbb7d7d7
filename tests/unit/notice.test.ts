import { expect, it } from 'vitest';
import { noticeAt } from '../../crypto/notice.ts';

const DAY_MS = 24 * 3_600_000;

it('people are told four weeks, two weeks, a week and two days before the end', () => {
  const at = (days: number) => noticeAt(100 * DAY_MS, (100 - days) * DAY_MS);
  expect([29, 28, 14.01, 14, 7.01, 7, 2.01, 2, 0, -3].map(at)).toEqual([null, 28, 28, 14, 14, 7, 7, 2, 2, 2]);
});
