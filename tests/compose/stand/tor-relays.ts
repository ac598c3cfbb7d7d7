// The relays of a private Tor network in one container, where the tor of docker-compose.yml reaches them and mail goes out.
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { TorNetwork, type TorPlace } from '../../support/tor-network.ts';
import { addressOn, docker } from './docker.ts';

const START_MS = 120_000;
const EXITS = 2;

type Settings = {
  /** One with tor. */
  readonly image: string;
  /** The network of its clients, and that where its exits lead. */
  readonly inside: string;
  readonly outside: string;
};

/** @param name of the container; @param dir where the folder of all of them is made */
export async function startTorRelays(name: string, dir: string, { image, inside, outside }: Settings): Promise<TorNetwork> {
  const folder = await mkdtemp(join(dir, 'tor-'));
  const user = `${String(process.getuid?.())}:${String(process.getgid?.())}`;
  docker(
    ...['run', '--detach', '--rm', '--init', '--no-healthcheck', '--name', name, '--user', user, '--network', inside],
    ...['--volume', `${folder}:${folder}`, '--entrypoint', 'sleep', image, 'infinity'],
  );
  docker('network', 'connect', outside, name);
  const place: TorPlace = {
    address: addressOn(inside, name),
    exits: EXITS,
    // Of another namespace of processes.
    owner: null,
    launch: (args, log) => spawn('docker', ['exec', name, 'tor', ...args], { stdio: ['ignore', log, log] }),
  };
  const network = new TorNetwork(folder, performance.now() + START_MS, place);
  await network.begin().catch(async (error: unknown) => {
    throw new Error(`the private Tor network did not come up\n${await network.lastWords()}`, { cause: error });
  });
  return network;
}
