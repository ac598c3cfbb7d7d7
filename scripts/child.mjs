// Runs Node programs that may take too long.
import { spawn } from 'node:child_process';
import { BootstrapError, root } from './bootstrap.mjs';

const MINUTE_MS = 60_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
// Makes glibc use huge pages: code that touches much memory, above all scrypt, takes a third less time.
const LARGE_PAGES = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

/**
 * Runs a Node program in its own process group, so that its children end with it when the time is up.
 * @param output `inherit`, or `pipe` to return the whole output, for programs that run in parallel
 * @returns {Promise<{ code: number | null, output: string }>} `code` is null when the time was up
 */
export function node(args, minutes, output) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...LARGE_PAGES, ...process.env },
      stdio: ['ignore', output, output],
      detached: true,
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (part) => (text += part));
    const end = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It has already ended.
      }
    };
    const timer = setTimeout(end, minutes * MINUTE_MS, 'SIGKILL');
    let interrupted = false;
    const stop = () => {
      interrupted = true;
      end('SIGTERM');
      setTimeout(end, 5_000, 'SIGKILL').unref();
    };
    for (const signal of SIGNALS) process.once(signal, stop);
    child.on('close', (code) => {
      clearTimeout(timer);
      for (const signal of SIGNALS) process.removeListener(signal, stop);
      if (interrupted) reject(new BootstrapError('Interrupted.'));
      else resolve({ code, output: text });
    });
    child.on('error', reject);
  });
}
