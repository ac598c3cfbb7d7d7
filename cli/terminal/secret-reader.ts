import type { ReadStream } from 'node:tty';
import { CliError } from '../errors.ts';

const ENTER = /[\r\n\u0004]/;
const CTRL_C = '\u0003';
const BACKSPACE = /[\b\u007f]/;
const CTRL_U = '\u0015';

/** The line so far, and how it ended: `rest` is what was typed after it, for the next question. */
type Typed = { line: string; end: 'none' | 'interrupted' } | { line: string; end: 'entered'; rest: string };

/** What `keys` make of a line that is being typed. */
function afterKeys(line: string, keys: string): Typed {
  let text = line;
  const characters = [...keys];
  for (const [index, character] of characters.entries()) {
    if (character === CTRL_C) return { line: text, end: 'interrupted' };
    if (ENTER.test(character)) return { line: text, end: 'entered', rest: characters.slice(index + 1).join('') };
    if (character === CTRL_U) text = '';
    else if (BACKSPACE.test(character)) text = [...text].slice(0, -1).join('');
    else text += character;
  }
  return { line: text, end: 'none' };
}

/**
 * Reads a line from the terminal in raw mode, so that nothing is echoed, not even stars: a glance should not give
 * away the length. What is typed ahead of the next question is kept for it.
 */
export function createSecretReader(stdin: ReadStream, show: (text: string) => void): (prompt: string) => Promise<string> {
  let ahead = '';
  const decoder = new TextDecoder();

  const readLine = (): Promise<string> =>
    new Promise((resolve, reject) => {
      let line = '';
      const take = (keys: string): void => {
        const next = afterKeys(line, keys);
        line = next.line;
        if (next.end === 'none') return;
        stdin.removeListener('data', onData);
        stdin.pause();
        if (next.end === 'entered') {
          ahead = next.rest;
          resolve(line);
        } else {
          reject(new CliError('INTERRUPTED', 'stopped', 'nothing was done'));
        }
      };
      const onData = (chunk: Buffer): void => take(decoder.decode(chunk, { stream: true }));
      stdin.on('data', onData);
      stdin.resume();
      const before = ahead;
      ahead = '';
      if (before !== '') take(before);
    });

  return async (prompt) => {
    show(prompt);
    stdin.setRawMode(true);
    try {
      return await readLine();
    } finally {
      stdin.setRawMode(false);
      show('\n');
    }
  };
}
