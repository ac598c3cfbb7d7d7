import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout } from '../state/layout.ts';
import { PARTS, spawnPart, type Part, type PartSettings } from './parts.ts';

const BACKOFF_FIRST_MS = 100;
const BACKOFF_LAST_MS = 3_000;
/** A part that ran this long started well: after its next failure the pauses begin with the shortest again. */
const SETTLED_MS = 10_000;
/** How long a part may take to stop: the worker finishes its round, the relay the parcels it is reading. */
const GRACE_MS: Record<Part, number> = { relay: 3_000, worker: 8_000, redis: 5_000 };

export type SupervisorEvents = Readonly<{ onChange: (pids: Record<Part, number>) => void; onDeath: (part: Part, how: string) => void }>;

/** Runs the three parts as processes and restarts whichever ends. */
export class Supervisor {
  readonly #layout: Layout;
  readonly #settings: PartSettings;
  readonly #events: SupervisorEvents;
  readonly #children = new Map<Part, ChildProcess>();
  readonly #stopping = new AbortController();
  readonly #keeping: Promise<void>[] = [];

  constructor(layout: Layout, settings: PartSettings, events: SupervisorEvents) {
    this.#layout = layout;
    this.#settings = settings;
    this.#events = events;
  }

  start(): void {
    for (const part of PARTS) this.#keeping.push(this.#keepRunning(part));
  }

  pids(): Record<Part, number> {
    const pid = (part: Part) => this.#children.get(part)?.pid ?? 0;
    return { redis: pid('redis'), relay: pid('relay'), worker: pid('worker') };
  }

  /** Ends relay and worker, and then Redis, which they need. A part that does not end in time is killed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#endPart('relay'), this.#endPart('worker')]);
    await this.#endPart('redis');
    await Promise.all(this.#keeping);
  }

  killAll(): void {
    this.#stopping.abort();
    for (const child of this.#children.values()) child.kill('SIGKILL');
  }

  async #keepRunning(part: Part): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = BACKOFF_FIRST_MS;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const child = spawnPart(part, this.#layout, this.#settings);
      this.#children.set(part, child);
      const ended = describeEnd(child);
      if (child.pid !== undefined) this.#events.onChange(this.pids());
      const how = await ended;
      this.#children.delete(part);
      if (signal.aborted) return;
      this.#events.onDeath(part, how);
      if (performance.now() - startedMs > SETTLED_MS) pauseMs = BACKOFF_FIRST_MS;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, BACKOFF_LAST_MS);
    }
  }

  async #endPart(part: Part): Promise<void> {
    const child = this.#children.get(part);
    if (child === undefined) return;
    await endProcess(child, GRACE_MS[part]);
  }
}

export async function endProcess(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exit;
  clearTimeout(timer);
}

function describeEnd(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve(`could not start: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}`);
    });
  });
}
