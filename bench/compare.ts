const ROUNDS = 30;

/** Runs both in turns, and prints their medians in milliseconds and the ratio: the number to compare between machines. */
export async function compare(name: string, ours: () => void | Promise<void>, baseline: () => void | Promise<void>): Promise<void> {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i <= ROUNDS; i += 1) {
    for (const [which, run] of [ours, baseline].entries()) {
      const start = performance.now();
      await run();
      // The first turn is to warm up.
      if (i > 0) times[which]?.push(performance.now() - start);
    }
  }
  const [a, b] = times.map(median) as [number, number];
  console.log(`${name}: ${a.toFixed(2)} ms, baseline ${b.toFixed(2)} ms, ratio ${(a / b).toFixed(2)}`);
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
