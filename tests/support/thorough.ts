// What `npm test` leaves to `npm run test:thorough`, so as to take minutes: a second engine, and most of a sweep.
import { inject, test } from 'vitest';
import { BROWSERS, type BrowserName } from './browser.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** False in `npm test`, where a sample of what is much alike has to do. */
    isThorough: boolean;
  }
}

export const isThorough = (): boolean => inject('isThorough');

/** All of them, or those of the sample that `npm test` makes do with: always the same ones. */
export function sampled<T>(all: readonly T[], isOfSample: (item: T, index: number) => boolean): T[] {
  return all.filter((item, index) => isThorough() || isOfSample(item, index));
}

/** Both engines, or the one in which `npm test` tests a page. */
export function enginesFor(page: BrowserName): BrowserName[] {
  return sampled(BROWSERS, (name) => name === page);
}

/** A case of `npm run test:thorough` alone. */
export function thoroughly(title: string, run: () => Promise<void>, timeoutMs?: number): void {
  if (isThorough()) test(title, run, timeoutMs);
}
