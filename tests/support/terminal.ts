import { spawn } from 'node:child_process';

const CTRL_C = '\u0003';

/** Each question, or the end of one, and what is typed then. */
export type Dialogue = readonly (readonly [question: string, answer: string])[];

export type TerminalResult = { code: number; output: string };

/**
 * Runs a simple shell command at a pseudo-terminal (util-linux' `script`), as a person would: waits for each question and
 * types the answer. Programs that insist on a terminal for passphrases cannot be tested otherwise.
 */
export async function atTerminal(
  command: string,
  dialogue: Dialogue,
  { cwd, env = process.env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<TerminalResult> {
  // Without `exec` some shells stay between the terminal and the program, and Ctrl-C kills them too.
  const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...env, TERM: 'dumb' },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const open = [...dialogue];
  let output = '';
  let from = 0;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const next = open[0];
      const position = next === undefined ? -1 : output.indexOf(next[0], from);
      if (next === undefined || position === -1) return;
      from = position + next[0].length;
      open.shift();
      const ending = next[1].endsWith(CTRL_C) ? '' : '\r';
      // The question may appear before echo is turned off.
      setTimeout(() => child.stdin.write(`${next[1]}${ending}`), 300);
    });
    child.on('close', (code) => {
      resolve({ code: code ?? -1, output });
    });
  });
}
