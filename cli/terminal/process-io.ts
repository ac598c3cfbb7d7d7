import { readOperatorPlaces } from '../config.ts';
import { CliError } from '../errors.ts';
import { reason } from '../files.ts';
import { pauseUnlessStopped, runStoppable } from './interrupts.ts';
import type { Io } from './io.ts';
import { askLine, askLines } from './line-reader.ts';
import { Output } from './output.ts';
import { createSecretReader } from './secret-reader.ts';

/** The real standard input, output and error. */
export function processIo(output = new Output(process.stdout, process.stderr)): Io {
  const { stdin, stdout, stderr } = process;
  const asking = async <T>(ask: () => Promise<T>): Promise<T> => {
    output.insistOnQuestions();
    return ask();
  };
  const askSecret = createSecretReader(stdin, (text) => output.err(text));
  return {
    places: readOperatorPlaces(),
    stdinIsTerminal: stdin.isTTY,
    stdoutIsTerminal: stdout.isTTY,
    stderrIsTerminal: stderr.isTTY,
    language: new Intl.Locale(Intl.DateTimeFormat().resolvedOptions().locale).language,
    columns: stdout.isTTY ? stdout.columns : 100,
    readStdin: (limit) => readAll(stdin, limit),
    out: (data) => output.out(data),
    err: (text) => output.err(text),
    isUnheard: () => output.lost !== null,
    askSecret: (prompt) => asking(() => askSecret(prompt)),
    ask: (prompt) => asking(() => askLine(prompt, stdin, stderr)),
    askText: () => asking(() => askLines(stdin, stderr)),
    now: () => new Date(),
    pause: pauseUnlessStopped,
    stoppable: runStoppable,
  };
}

async function readAll(stdin: AsyncIterable<Buffer>, limit: number): Promise<Uint8Array | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stdin) {
      length += chunk.length;
      if (length > limit) return null;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new CliError('INPUT_MISSING', `cannot read standard input: ${reason(error)}`, 'give a file or pipe the text in');
  }
  return new Uint8Array(Buffer.concat(chunks));
}
