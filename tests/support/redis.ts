import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { aclFile } from '../../redis/acl.ts';
import { redisOptions, type RedisTarget, type Role, whenReady } from '../../redis/connection.ts';

const CONFIG = fileURLToPath(new URL('../../deploy/redis/redis.conf', import.meta.url));
const START_TIMEOUT_MS = 15_000;

/** `admin` exists only in tests: it may do everything, to inspect what the roles leave behind. */
export type TestRole = Role | 'admin';

export type TestRedis = {
  readonly socketPath: string;
  readonly dir: string;
  readonly passwords: Readonly<Record<TestRole, string>>;
  readonly pid: number;
  isRunning(): boolean;
  /** Ends Redis at once, as a crash would. */
  kill9(): Promise<void>;
  /** Starts it again over the same files; shuts it down first if it is running. */
  restart(): Promise<void>;
  /** Closes every client of `connect`. */
  disconnect(): void;
  /** Ends it, closes every client of `connect` and removes the directory unless it was given. */
  stop(): Promise<void>;
  target(role: TestRole): RedisTarget;
  /** A ready client. Closed by `stop`. */
  connect(role: TestRole): Promise<Redis>;
};

export type TestRedisOptions = {
  /** Kept after `stop` when given. */
  dir?: string;
  /** False: every client is `default` and may do everything. */
  acl?: boolean;
  /** Path of deploy/redis/redis.conf, for a program bundled elsewhere. */
  config?: string;
  /** Additional environment variables. */
  env?: Readonly<Record<string, string>>;
  /** Shared library for LD_PRELOAD. */
  preload?: string;
  /** Additional arguments of redis-server, such as `['--maxmemory', '10mb']`. */
  args?: readonly string[];
};

/** A real redis-server with the settings of deploy/redis/redis.conf on a unix socket. */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'relay-redis-')));
  const acl = options.acl ?? true;
  const socketPath = join(dir, 'redis.sock');
  const passwords = { relay: password(), worker: password(), operator: password(), admin: password() };
  const clients = new Clients(socketPath, acl ? passwords : null);

  const command = [options.config ?? CONFIG, '--dir', dir, '--unixsocket', socketPath, ...(options.args ?? [])];
  if (acl) {
    await writeFile(join(dir, 'users.acl'), aclFile(passwords) + adminUser(passwords.admin), { mode: 0o600 });
    command.push('--aclfile', join(dir, 'users.acl'));
  }
  let server = await launch(command, options, clients);

  return {
    socketPath,
    dir,
    passwords,
    get pid() {
      return server.pid ?? -1;
    },
    isRunning: () => isRunning(server),
    disconnect: () => {
      clients.closeAll();
    },
    kill9: () => end(server, 'SIGKILL'),
    restart: async () => {
      await end(server, 'SIGTERM');
      server = await launch(command, options, clients);
    },
    stop: async () => {
      clients.closeAll();
      await end(server, 'SIGTERM');
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
    target: (role) => clients.target(role),
    connect: async (role) => {
      const redis = clients.open(role);
      await whenReady(redis, START_TIMEOUT_MS);
      return redis;
    },
  };
}

/** The open clients of one Redis. */
class Clients {
  readonly #socketPath: string;
  readonly #passwords: Readonly<Record<TestRole, string>> | null;
  readonly #open = new Set<Redis>();

  /** Without passwords every client is `default`. */
  constructor(socketPath: string, passwords: Readonly<Record<TestRole, string>> | null) {
    this.#socketPath = socketPath;
    this.#passwords = passwords;
  }

  target(role: TestRole): RedisTarget {
    const socketPath = this.#socketPath;
    return this.#passwords === null
      ? { socketPath, username: '', password: '' }
      : { socketPath, username: role, password: this.#passwords[role] };
  }

  open(role: TestRole): Redis {
    const { username, password, ...common } = redisOptions(this.target(role), role === 'admin' ? 'operator' : role);
    const redis = new Redis(this.#passwords === null ? common : { ...common, username, password });
    redis.on('error', () => undefined);
    this.#open.add(redis);
    return redis;
  }

  close(client: Redis): void {
    client.disconnect();
    this.#open.delete(client);
  }

  closeAll(): void {
    for (const client of this.#open) client.disconnect();
    this.#open.clear();
  }
}

/** Starts redis-server and waits until it answers. Throws with its output if it ends first. */
async function launch(command: readonly string[], options: TestRedisOptions, clients: Clients): Promise<ChildProcess> {
  const { server, ended } = spawnServer(command, options);
  const probe = clients.open(options.acl === false ? 'operator' : 'admin');
  try {
    await Promise.race([answering(probe), ended]);
  } catch (error) {
    server.kill('SIGKILL');
    throw error;
  } finally {
    clients.close(probe);
  }
  return server;
}

/** `ended` rejects when the server ends. */
function spawnServer(command: readonly string[], options: TestRedisOptions): { server: ChildProcess; ended: Promise<never> } {
  const env = { ...process.env, ...options.env, ...(options.preload !== undefined && { LD_PRELOAD: options.preload }) };
  const server = spawn('redis-server', command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  server.stdout.on('data', (text: Buffer) => (output += text.toString()));
  server.stderr.on('data', (text: Buffer) => (output += text.toString()));
  // A test that fails before its clean-up leaves nothing running.
  const killWithUs = () => server.kill('SIGKILL');
  process.once('exit', killWithUs);
  server.once('exit', () => process.off('exit', killWithUs));
  const ended = new Promise<never>((_, reject) => {
    server.once('error', (error) => reject(new Error(`redis-server: ${error.message}`)));
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${String(code)}: ${output}`)));
  });
  ended.catch(() => undefined);
  return { server, ended };
}

const isRunning = (server: ChildProcess): boolean => server.exitCode === null && server.signalCode === null;

async function end(server: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isRunning(server)) return;
  const exit = once(server, 'exit');
  server.kill(signal);
  const impatience = setTimeout(() => server.kill('SIGKILL'), 5_000);
  await exit;
  clearTimeout(impatience);
}

/** The line of an ACL file that defines `admin`. */
export function adminUser(password: string): string {
  return `user admin on #${createHash('sha256').update(password).digest('hex')} ~* &* +@all\n`;
}

export function password(): string {
  return randomBytes(24).toString('hex');
}

/** Waits until Redis has started and read the append-only file. */
async function answering(redis: Redis): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await redis.ping();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
