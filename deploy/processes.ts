import { readFileSync } from 'node:fs';

/** When a process began, in clock ticks since boot: with the pid it names a process for good. Null when there is none. */
export function startTimeOf(pid: number): string | null {
  return statOf(pid)?.[19] ?? null;
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1] ?? 0);
}

/** The fields of /proc/PID/stat from the third on (proc(5)); the second, the program's name, may hold spaces and brackets. */
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

/** Calls `stop` when whoever ran this process by way of a shell (npm does) is gone: nobody could end it with Ctrl-C any more. */
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
