/** How a count is shown to people: only its order of magnitude, so that it never tells of one person's request. */
export type Step = '0' | '1-9' | '10-99' | '100-999' | '1000-9999' | '10000+';

export function step(count: number): Step {
  if (count <= 0) return '0';
  if (count < 10) return '1-9';
  if (count < 100) return '10-99';
  if (count < 1000) return '100-999';
  return count < 10_000 ? '1000-9999' : '10000+';
}
