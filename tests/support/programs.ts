import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layout } from '../../deploy/state/layout.ts';
import { PARTS, spawnPart, type Part, type PartSettings } from '../../deploy/demo/parts.ts';
import { endProcess } from '../../deploy/demo/supervisor.ts';

/** The three real programs of dist/ over one folder, without the demo's supervision: what ends stays ended. */
export class Programs {
  readonly layout: Layout;
  readonly #settings: PartSettings;
  /** No part was ended or paused. */
  #isWhole = true;
  readonly #children = new Map<Part, ChildProcess>();

  constructor(layout: Layout, settings: PartSettings) {
    this.layout = layout;
    this.#settings = settings;
  }

  /** All parts run, and none was ever ended or paused. */
  get areWhole(): boolean {
    return this.#isWhole && PARTS.every((part) => this.isRunning(part));
  }

  pid(part: Part): number {
    const child = this.#children.get(part);
    if (child?.pid === undefined) throw new Error(`${part} does not run`);
    return child.pid;
  }

  isRunning(part: Part): boolean {
    const child = this.#children.get(part);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  start(part: Part): void {
    if (this.isRunning(part)) throw new Error(`${part} runs already`);
    this.#children.set(part, spawnPart(part, this.layout, this.#settings));
  }

  /** Another process of a part, beside the deployment's own; the caller ends it. */
  spawnAnother(part: Part): ChildProcess {
    return spawnPart(part, this.layout, this.#settings);
  }

  /** Kills with -9 and waits for the end. */
  async kill(part: Part): Promise<void> {
    const child = this.#children.get(part);
    if (child === undefined || !this.isRunning(part)) return;
    this.#isWhole = false;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  async restart(part: Part): Promise<void> {
    await this.kill(part);
    this.start(part);
  }

  /** Sends a signal such as SIGSTOP, which does not end the process. */
  signal(part: Part, signal: NodeJS.Signals): void {
    this.#isWhole = false;
    process.kill(this.pid(part), signal);
  }

  /** Ends all parts, even paused ones. */
  async endParts(): Promise<void> {
    for (const part of ['relay', 'worker', 'redis'] as const) {
      const child = this.#children.get(part);
      if (child === undefined) continue;
      child.kill('SIGCONT');
      await endProcess(child, 8_000);
    }
  }

  /** The output of all parts, which is all they log. */
  async logs(): Promise<string> {
    const texts = await Promise.all(PARTS.map((part) => readFile(join(this.layout.logs, `${part}.log`), 'utf8').catch(() => '')));
    return texts.join('');
  }
}
