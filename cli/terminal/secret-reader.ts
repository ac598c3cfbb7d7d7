import type { ReadStream } from 'node:tty';
import { CliError } from '../errors.ts';

const ENTER = /[\r\n\u0004]/;
const CTRL_C = '\u0003';
const BACKSPACE = /[\b\u007f]/;
const CTRL_U = '\u0015';

/**
 * Reads a line from the terminal in raw mode, so that nothing is echoed: no stars either, a glance should not give
 * away the length. What was typed ahead of the next question is kept for it.
 */
export function createSecretReader(stdin: ReadStream, show: (text: string) => void): (prompt: string) => Promise<string> {
  let ahead = '';
  const decoder = new TextDecoder();

  return async (prompt) => {
    show(prompt);
    stdin.setRawMode(true);
    try {
      return await new Promise<string>((resolve, reject) => {
        let typed = '';
        const finish = (end: () => void): void => {
          stdin.removeListener('data', onData);
          stdin.pause();
          end();
        };
        const take = (text: string): void => {
          const characters = [...text];
          for (const [index, character] of characters.entries()) {
            if (character === CTRL_C) {
              finish(() => {
                reject(new CliError('INTERRUPTED', 'stopped', 'nothing was done'));
              });
              return;
            }
            if (ENTER.test(character)) {
              ahead = characters.slice(index + 1).join('');
              finish(() => {
                resolve(typed);
              });
              return;
            }
            if (character === CTRL_U) typed = '';
            else if (BACKSPACE.test(character)) typed = [...typed].slice(0, -1).join('');
            else typed += character;
          }
        };
        const onData = (chunk: Buffer): void => {
          take(decoder.decode(chunk, { stream: true }));
        };
        stdin.on('data', onData);
        stdin.resume();
        const before = ahead;
        ahead = '';
        if (before !== '') take(before);
      });
    } finally {
      stdin.setRawMode(false);
      show('\n');
    }
  };
}
