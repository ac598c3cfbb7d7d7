// What ends a program from outside (Ctrl-C, or a request to terminate), while a command waits or works.

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Calls `stop` at the first signal; the next of the same kind ends the program. @returns what undoes it */
function onSignal(stop: () => void): () => void {
  for (const signal of SIGNALS) process.once(signal, stop);
  return () => {
    for (const signal of SIGNALS) process.removeListener(signal, stop);
  };
}

/** Resolves with true after `ms`, or with false at the first signal. */
export function pauseUnlessStopped(ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (isOver: boolean): void => {
      clearTimeout(timer);
      undo();
      resolve(isOver);
    };
    const timer = setTimeout(() => finish(true), ms);
    const undo = onSignal(() => finish(false));
  });
}

/** Runs `work`, whose `stop` is aborted at the first signal. */
export async function runStoppable<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const undo = onSignal(() => stopping.abort());
  try {
    return await work(stopping.signal);
  } finally {
    undo();
  }
}
