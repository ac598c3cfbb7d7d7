import type { Io } from './io.ts';
import { askLine, askLines } from './line-reader.ts';
import { createSecretReader } from './secret-reader.ts';

/** The real terminal. */
export function processIo(): Io {
  const { stdin, stdout, stderr } = process;
  // `support-relay open … | head` closes the pipe early: that is no failure of ours.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    stdinIsTerminal: stdin.isTTY,
    stdoutIsTerminal: stdout.isTTY,
    columns: stdout.isTTY ? stdout.columns : 100,
    readStdin: async (limit) => {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > limit) return null;
        chunks.push(chunk);
      }
      return new Uint8Array(Buffer.concat(chunks));
    },
    out: (data) => void stdout.write(data),
    err: (text) => void stderr.write(text),
    askSecret: createSecretReader(stdin, (text) => void stderr.write(text)),
    ask: (prompt) => askLine(prompt, stdin, stderr),
    askText: () => askLines(stdin, stderr),
    now: () => new Date(),
    pause: (ms) =>
      new Promise((resolve) => {
        const finish = (goOn: boolean): void => {
          clearTimeout(timer);
          process.removeListener('SIGINT', stop);
          process.removeListener('SIGTERM', stop);
          resolve(goOn);
        };
        const stop = (): void => {
          finish(false);
        };
        const timer = setTimeout(() => {
          finish(true);
        }, ms);
        process.once('SIGINT', stop);
        process.once('SIGTERM', stop);
      }),
    stoppable: async (work) => {
      const stopping = new AbortController();
      const stop = (): void => {
        stopping.abort();
      };
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
      try {
        return await work(stopping.signal);
      } finally {
        process.removeListener('SIGINT', stop);
        process.removeListener('SIGTERM', stop);
      }
    },
  };
}
