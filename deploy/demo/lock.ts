import { mkdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout } from '../state/layout.ts';
import { startTimeOf } from './processes.ts';

/** Pids are reused, but a pid together with its start time is unique. */
type Holder = { pid: number; started: string };

/** Locks the deployment for this process. Throws when another running process holds the lock. */
export function lockDeployment(layout: Layout): void {
  mkdirSync(layout.dir, { recursive: true, mode: 0o700 });
  const holder: Holder = { pid: process.pid, started: startTimeOf(process.pid) ?? '' };
  for (;;) {
    try {
      writeFileSync(layout.lock, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const other = readJson(layout.lock) as Partial<Holder> | null;
    if (typeof other?.pid === 'number' && startTimeOf(other.pid) === other.started) {
      throw new Error(`${layout.dir} is in use by another demo (process ${String(other.pid)}). End that one, or choose another --dir.`);
    }
    rmSync(layout.lock, { force: true });
  }
}

export function unlockDeployment(layout: Layout): void {
  rmSync(layout.lock, { force: true });
}

/**
 * Ends the parts that a killed demo left running, and returns how many: two Redis servers must never write to one append-only
 * file.
 */
export async function endLeftovers(layout: Layout): Promise<number> {
  const ready = readJson(layout.ready) as { pids?: Record<string, unknown> } | null;
  const pids = Object.values(ready?.pids ?? {}).filter((pid): pid is number => Number.isInteger(pid) && Number(pid) > 1);
  const ours = pids.filter((pid) => isPart(pid, layout));
  for (const pid of ours) process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; ours.some((pid) => isPart(pid, layout)); waitedMs += 50) {
    if (waitedMs === 5_000) for (const pid of ours.filter((one) => isPart(one, layout))) process.kill(pid, 'SIGKILL');
    await sleep(50);
  }
  return ours.length;
}

/** Checks that a pid was not reused: our parts run in the deployment's folder, and are one of three programs. */
function isPart(pid: number, layout: Layout): boolean {
  try {
    const dir = realpathSync(layout.dir);
    const cwd = readlinkSync(`/proc/${String(pid)}/cwd`);
    const command = readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1');
    return (cwd === dir || cwd.startsWith(`${dir}/`)) && /redis-server|dist\/(relay|worker)\.js/.test(command);
  } catch {
    return false;
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
