// Long work in steps, so that whoever does it can show how far it is and attend to something else in between.

/** Work that pauses now and then: it yields how much of it is done, and returns its result. */
export type Steps<T> = Generator<number, T>;

/** All of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
