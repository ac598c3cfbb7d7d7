import { expect, test } from 'vitest';
import { runVectors } from '../vectors/run.ts';

test('every vector gives the expected result', async () => {
  const { passed, failed } = await runVectors();
  expect(failed).toEqual([]);
  expect(passed).toBeGreaterThan(250);
});
