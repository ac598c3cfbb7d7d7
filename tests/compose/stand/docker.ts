// Docker's command line.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The name of every container, network and image of a run begins with this, so that the run can remove what is left. */
export const RUN = variable('COMPOSE_TEST_RUN');

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run npm run test:compose`);
  return value;
}

/** Throws when the command fails. */
export function docker(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** Does not throw when the command fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}

/** A network that leads nowhere else; this machine reaches the containers on it. */
export function createNetwork(name: string): string {
  docker('network', 'create', '--internal', name);
  return name;
}

export function addressOn(network: string, container: string): string {
  return docker('inspect', '--format', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, container);
}
