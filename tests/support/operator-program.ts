// The operator's service as a real process over the folder of a deployment.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout } from '../../deploy/state/layout.ts';
import { choosePort } from '../../deploy/demo/port.ts';
import { endProcess } from '../../deploy/demo/supervisor.ts';
import { ROOT } from '../../runtime/root.ts';

const PROGRAM = join(ROOT, 'dist/operator.js');
const START_WITHIN_MS = 60_000;

export type Got = { status: number; headers: Readonly<Record<string, string | string[] | undefined>>; text: string };
export type Asking = { method?: string; host?: string; port?: number };

export type OperatorChanges = Readonly<{
  environment?: Readonly<Record<string, string>>;
  /** Another build of it. */
  program?: string;
  /** Gives OPERATOR_DISK, an existing folder, a small file system of its own, which only this process sees. */
  hasSmallDisk?: boolean;
}>;
/** Mounts a file system of a megabyte at the first argument, in a name space of its own, and becomes the rest. */
const ON_SMALL_DISK = ['unshare', '--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'];

export class OperatorProgram {
  readonly socket: string;
  readonly metricsPort: number;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #changes: OperatorChanges;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(layout: Layout, metricsPort: number, changes: OperatorChanges) {
    this.#changes = changes;
    this.socket = join(layout.run, 'operator/operator.sock');
    this.metricsPort = metricsPort;
    this.#environment = {
      OPERATOR_LISTEN: `unix:${this.socket}`,
      OPERATOR_METRICS_LISTEN: `127.0.0.1:${String(metricsPort)}`,
      OPERATOR_REDIS_SOCKET: layout.redisSocket,
      OPERATOR_REDIS_PASSWORD_FILE: layout.passwordFile('operator'),
      OPERATOR_DISK: layout.dir,
      ...changes.environment,
    };
  }

  /** Started, and ready unless told not to wait for that. */
  static async start(layout: Layout, changes: OperatorChanges = {}): Promise<OperatorProgram> {
    await mkdir(join(layout.run, 'operator'), { recursive: true, mode: 0o700 });
    const program = new OperatorProgram(layout, await choosePort(0), changes);
    await program.run();
    return program;
  }

  /** Starts it, with other changes for this time, and waits until it is ready. */
  async run({ environment, program = PROGRAM, hasSmallDisk = false }: OperatorChanges = this.#changes): Promise<void> {
    const all: NodeJS.ProcessEnv = { PATH: process.env['PATH'], ...this.#environment, ...environment };
    const node = [process.execPath, program];
    const [command = '', ...args] = hasSmallDisk ? [...ON_SMALL_DISK, all['OPERATOR_DISK'] ?? '', ...node] : node;
    const child = spawn(command, args, { env: all });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (this.#output += text.toString()));
    this.#child = child;
    await this.until('ready', async () => (await this.get('/readyz')).status === 200);
  }

  /** A path as this process sees it. */
  inside(path: string): string {
    return join(`/proc/${String(this.#child?.pid)}/root`, path);
  }

  /** All that it wrote. */
  get output(): string {
    return this.#output;
  }

  /** Sends SIGTERM. @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.#child === undefined) return null;
    await endProcess(this.#child, 8_000);
    return this.#child.exitCode;
  }

  /** Over the unix socket, or the port. */
  get(path: string, { method = 'GET', host = 'localhost', port }: Asking = {}): Promise<Got> {
    const way = port === undefined ? { socketPath: this.socket } : { host: '127.0.0.1', port };
    return new Promise((resolve, reject) => {
      const asked = request({ ...way, path, method, headers: { host }, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      asked.on('error', reject).end();
    });
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + START_WITHIN_MS;
    while (!(await holds().catch(() => false))) {
      if (performance.now() > deadlineMs) throw new Error(`not in time: ${what}\n${this.#output}`);
      await sleep(50);
    }
  }

  /** A value of the metrics: by name and, in braces, its labels; null: there is none. */
  async metric(name: string): Promise<number | null> {
    const lines = (await this.get('/metrics')).text.split('\n');
    const line = lines.find((one) => one.startsWith(`support_relay_${name} `));
    return line === undefined ? null : Number(line.split(' ').at(-1));
  }
}
