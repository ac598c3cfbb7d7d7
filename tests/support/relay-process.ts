import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../runtime/root.ts';
import { DIFFICULTY, type TestRelay } from './relay.ts';

const PROGRAM = join(ROOT, 'dist', 'relay.js');
const TICKS_A_SECOND = 100;

export type RelayProcess = { readonly child: ChildProcess; readonly output: () => string; stop(): Promise<void> };

/** The built relay as a process of its own. The caller stops it. */
export function launchRelay(env: Record<string, string>): RelayProcess {
  const child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  return { child, output: () => output, stop };
}

/** Rejects if the relay ends instead. */
export async function started({ child, output }: RelayProcess): Promise<void> {
  while (!output().includes('"msg":"started"')) {
    if (child.exitCode !== null) throw new Error(`the relay ended: ${output()}`);
    await sleep(20);
  }
}

/** A configuration with the Redis, keyrings and form of a relay from `startRelay`. */
export async function environmentOf(relay: TestRelay): Promise<Record<string, string>> {
  const { socketPath, username, password } = relay.redis.target('relay');
  const passwordFile = join(relay.dir, 'relay.password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return {
    RELAY_LISTEN: `unix:${join(relay.dir, 'public.sock')}`,
    RELAY_PRIVATE_LISTEN: `unix:${join(relay.dir, 'private.sock')}`,
    RELAY_REDIS_SOCKET: socketPath,
    RELAY_REDIS_USER: username,
    RELAY_REDIS_PASSWORD_FILE: passwordFile,
    RELAY_KEYRINGS: relay.keyrings.directory,
    RELAY_ROOT_KEY: relay.keyrings.rootKeyFile,
    RELAY_WEB: join(relay.dir, 'web'),
    RELAY_DIFFICULTY: String(DIFFICULTY),
  };
}

/** A process's CPU time and peak memory. */
export async function usage({ pid }: ChildProcess): Promise<{ cpuSeconds: number; peakMebibytes: number }> {
  const [stat, status] = await Promise.all(['stat', 'status'].map((name) => readFile(`/proc/${String(pid)}/${name}`, 'latin1')));
  const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status ?? '')?.[1]);
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND, peakMebibytes: peak / 1024 };
}
