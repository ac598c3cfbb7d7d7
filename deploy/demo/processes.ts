import { readFileSync } from 'node:fs';

/** When a process started, in clock ticks since boot; together with the pid this identifies it. Null: no such process. */
export function startTimeOf(pid: number): string | null {
  return statOf(pid)?.[19] ?? null;
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1] ?? 0);
}

/** The fields of /proc/PID/stat from the third on (proc(5)); the second, the program's name, may contain spaces and brackets. */
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function isShell(pid: number): boolean {
  try {
    return /^(sh|dash|bash)$/.test(readFileSync(`/proc/${String(pid)}/comm`, 'utf8').trim());
  } catch {
    return false;
  }
}

/** Calls `stop` when the program that started this process, possibly through a shell as npm does, is gone: Ctrl-C no longer works. */
export function whenOrphaned(stop: () => void): void {
  const parent = process.ppid;
  const runner = isShell(parent) ? parentOf(parent) : parent;
  const started = startTimeOf(runner);
  const timer = setInterval(() => {
    if (process.ppid === parent && startTimeOf(runner) === started) return;
    clearInterval(timer);
    stop();
  }, 1_000);
  timer.unref();
}
