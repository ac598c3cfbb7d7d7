// A private Tor network on loopback, and in it one onion service and one client.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TorControl } from './tor-control.ts';
import { TorNetwork, type TorClient, type TorService } from './tor-network.ts';

const ATTEMPTS = 3;
/** Usually 15 to 20 seconds; several times that on a busy machine. */
const ATTEMPT_MS = 90_000;
/** Timeout for hooks and tests that start a network. */
export const TOR_START_MS = ATTEMPTS * ATTEMPT_MS + 30_000;

export type Tor = {
  readonly onion: string;
  /** http://….onion/ */
  readonly url: string;
  readonly socksPort: number;
  /** Of the tor with that SOCKS port. */
  readonly client: TorControl;
  /** All of them; that is the first. */
  readonly clients: readonly TorClient[];
  readonly service: TorService;
  stop(): Promise<void>;
};

/**
 * Starts a network whose onion service forwards to `target`, the path of a unix socket, and waits until a connection
 * from each of `clients` clients has reached it. Something must be listening there.
 */
export async function startTor(target: string, clients = 1): Promise<Tor> {
  const failures: string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const network = new TorNetwork(await mkdtemp(join(tmpdir(), 'tor-')), performance.now() + ATTEMPT_MS);
    try {
      await network.begin();
      return await open(network, target, clients);
    } catch (error) {
      failures.push(`attempt ${String(attempt)}: ${error instanceof Error ? error.message : String(error)}\n${await network.lastWords()}`);
      await network.stop();
    }
  }
  throw new Error(`the private Tor network did not come up\n${failures.join('\n')}`);
}

async function open(network: TorNetwork, target: string, count: number): Promise<Tor> {
  const names = Array.from({ length: count }, (_, index) => `client${String(index)}`);
  const [service, ...clients] = await Promise.all([network.serve(target), ...names.map((name) => network.open(name))]);
  const { onion } = service;
  await Promise.all(clients.map((client) => network.reach(client, onion)));
  const [first] = clients;
  if (first === undefined) throw new Error('no client');
  const { socksPort, control } = first;
  return { onion, url: `http://${onion}/`, socksPort, client: control, clients, service, stop: () => network.stop() };
}
