// Long work in steps, so that its caller can show progress and do other things in between.

/** Work that pauses now and then: it yields how much of it is done, and returns its result. */
export type Steps<T> = Generator<number, T>;

/** Does all steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
