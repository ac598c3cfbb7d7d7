// A Debian with systemd in a container, which `npm run test:package` starts. Tests run in its network, and see its files.
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Substitutions } from './documents.ts';

export class DebianMachine {
  readonly #name: string;
  readonly #here: Substitutions;
  /** Its file system, as this one has it. */
  readonly #root: string;

  /** @param here what stands in documents, and what stands there on this machine */
  constructor(name: string, here: Substitutions) {
    this.#name = name;
    this.#here = here;
    const pid = execFileSync('docker', ['inspect', '--format', '{{.State.Pid}}', name], { encoding: 'utf8' }).trim();
    this.#root = `/proc/${pid}/root`;
  }

  path(...parts: string[]): string {
    return join(this.#root, ...parts);
  }

  /** Runs a command line as root, and returns what it said. Throws when it does not end with `code`. */
  run(line: string, code = 0): string {
    const args = ['exec', '--env', 'DEBIAN_FRONTEND=noninteractive', '--workdir', '/root', this.#name, 'bash', '-c', line];
    const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
    if (status === code) return stdout;
    throw new Error(`${line} ended with ${String(status)}:\n${stdout}${stderr}`);
  }

  /** Types a line of a document. */
  type(line: string): string {
    const command = Object.entries(this.#here).reduce((text, [from, to]) => text.replaceAll(from, to), line);
    // There is no terminal at which apt could ask.
    return this.run(command.replace(/^sudo /, '').replace(/^apt /, 'apt-get --quiet --yes '));
  }

  /** A property of a unit. */
  property(unit: string, name: string): string {
    return this.run(`systemctl show --property=${name} --value ${unit}`).trim();
  }

  /** The status of the first process of a unit, as proc(5) has it. */
  statusOf(unit: string): string {
    return this.run(`cat /proc/${this.property(unit, 'MainPID')}/status`);
  }
}
