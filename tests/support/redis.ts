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

/** `admin` exists only in tests: it may do everything, to look at what the roles leave behind. */
export type TestRole = Role | 'admin';

export type TestRedis = {
  readonly socketPath: string;
  readonly dir: string;
  readonly passwords: Readonly<Record<TestRole, string>>;
  readonly pid: number;
  isRunning(): boolean;
  /** Ends Redis at once, as a crash would. */
  kill9(): Promise<void>;
  /** Starts it again over the same files; ends it in order first when it runs. */
  restart(): Promise<void>;
  /** Closes every client of `connect`. */
  disconnect(): void;
  /** Ends it, closes every client of `connect` and removes the directory if it made it. */
  stop(): Promise<void>;
  target(role: TestRole): RedisTarget;
  /** A client that is ready. Closed by `stop`. */
  connect(role: TestRole): Promise<Redis>;
};

export type TestRedisOptions = {
  /** Kept after `stop` when given. */
  dir?: string;
  /** Without it every client is `default` and may do everything. */
  acl?: boolean;
  /** Where deploy/redis/redis.conf is, for a program that is bundled elsewhere. */
  config?: string;
  /** More of its environment. */
  env?: Readonly<Record<string, string>>;
  /** Shared library for LD_PRELOAD. */
  preload?: string;
  /** More of redis-server's command line, such as `['--maxmemory', '10mb']`. */
  args?: readonly string[];
};

/** A real redis-server with the settings of deploy/redis/redis.conf on a unix socket. */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'relay-redis-')));
  const acl = options.acl ?? true;
  const socketPath = join(dir, 'redis.sock');
  const passwords = { relay: password(), worker: password(), operator: password(), admin: password() };
  const clients = new Set<Redis>();

  const command = [options.config ?? CONFIG, '--dir', dir, '--unixsocket', socketPath, ...(options.args ?? [])];
  if (acl) {
    await writeFile(join(dir, 'users.acl'), aclFile(passwords) + adminUser(passwords.admin), { mode: 0o600 });
    command.push('--aclfile', join(dir, 'users.acl'));
  }

  const target = (role: TestRole): RedisTarget => ({ socketPath, username: acl ? role : '', password: acl ? passwords[role] : '' });

  const newClient = (role: TestRole): Redis => {
    const { username, password, ...common } = redisOptions(target(role), role === 'admin' ? 'operator' : role);
    const redis = new Redis(acl ? { ...common, username, password } : common);
    redis.on('error', () => undefined);
    clients.add(redis);
    return redis;
  };

  const launch = async (): Promise<ChildProcess> => {
    const env = { ...process.env, ...options.env, ...(options.preload !== undefined && { LD_PRELOAD: options.preload }) };
    const child = spawn('redis-server', command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    // A test that fails before its clean-up leaves nothing running.
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
    const exited = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(new Error(`redis-server: ${error.message}`)));
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${String(code)}: ${output}`)));
    });
    exited.catch(() => undefined);
    const probe = newClient(acl ? 'admin' : 'operator');
    try {
      await Promise.race([answering(probe), exited]);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      probe.disconnect();
      clients.delete(probe);
    }
    return child;
  };

  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;

  const disconnect = (): void => {
    for (const client of clients) client.disconnect();
    clients.clear();
  };

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (!isRunning()) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exit;
    clearTimeout(impatience);
  };

  let child = await launch();

  return {
    socketPath,
    dir,
    passwords,
    get pid() {
      return child.pid ?? -1;
    },
    isRunning,
    disconnect,
    kill9: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      child = await launch();
    },
    stop: async () => {
      disconnect();
      await end('SIGTERM');
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
    target,
    connect: async (role) => {
      const redis = newClient(role);
      await whenReady(redis, START_TIMEOUT_MS);
      return redis;
    },
  };
}

/** The line of an ACL file that makes `admin`. */
export function adminUser(password: string): string {
  return `user admin on #${createHash('sha256').update(password).digest('hex')} ~* &* +@all\n`;
}

export function password(): string {
  return randomBytes(24).toString('hex');
}

/** Waits out the start and the reading of the append-only file. */
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
