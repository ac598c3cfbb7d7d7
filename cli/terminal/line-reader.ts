import { createInterface } from 'node:readline';
import { CliError } from '../errors.ts';

/**
 * Lines typed at the terminal, until there are `most` or Ctrl-D ends them. The terminal is read character by character: line by
 * line, it would cut lines at 4,095 bytes, and Ctrl-D would end standard input before the next question.
 */
function readLines(input: NodeJS.ReadableStream, output: NodeJS.WritableStream, prompt: string, most: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const reader = createInterface({ input, output, terminal: true, historySize: 0, prompt });
    reader.on('line', (line) => {
      lines.push(line);
      if (lines.length >= most) reader.close();
    });
    reader.on('SIGINT', () => {
      reject(new CliError('INTERRUPTED', 'stopped', 'nothing was sent'));
      reader.close();
    });
    reader.on('close', () => {
      resolve(lines.slice(0, most));
    });
    reader.prompt();
  });
}

/** One line; empty on Ctrl-D. Throws INTERRUPTED on Ctrl-C. */
export async function askLine(prompt: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<string> {
  const [line = ''] = await readLines(input, output, prompt, 1);
  return line;
}

/** Everything up to Ctrl-D on an empty line. Throws INTERRUPTED on Ctrl-C. */
export async function askLines(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<string> {
  return (await readLines(input, output, '', Number.POSITIVE_INFINITY)).join('\n');
}
