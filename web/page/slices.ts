// Does long work in slices, so that neither a worker nor a page stops responding.
import type { Steps } from '../../crypto/steps.ts';

/** Well below what a person notices, well above what a pause costs. */
const SLICE_MS = 30;

/** Lets all pending events run first. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

export type Slicing = {
  /** Called after every step with how much is done. */
  onStep?: (done: number) => void;
  /** Awaited between two slices. */
  between?: () => Promise<void>;
};

export async function inSlices<T>(steps: Steps<T>, { onStep, between = yieldToEventLoop }: Slicing = {}): Promise<T> {
  for (let since = performance.now(); ;) {
    const { done, value } = steps.next();
    if (done) return value;
    onStep?.(value);
    if (performance.now() - since < SLICE_MS) continue;
    await between();
    since = performance.now();
  }
}
