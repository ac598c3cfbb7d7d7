// A private Tor network on loopback, and in it one onion service and one client.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TorControl } from './tor-control.ts';
import { TorNetwork } from './tor-network.ts';

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
  stop(): Promise<void>;
};

/**
 * Starts a network whose onion service forwards to `target`, the path of a unix socket, and waits until a connection
 * from the client has reached it. Something must be listening there.
 */
export async function startTor(target: string): Promise<Tor> {
  const failures: string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const network = new TorNetwork(await mkdtemp(join(tmpdir(), 'tor-')), performance.now() + ATTEMPT_MS);
    try {
      await network.begin();
      const [onion, client] = await Promise.all([network.serve(target), network.open()]);
      await network.reach(client, onion);
      const { socksPort, control } = client;
      return { onion, url: `http://${onion}/`, socksPort, client: control, stop: () => network.stop() };
    } catch (error) {
      failures.push(`attempt ${String(attempt)}: ${error instanceof Error ? error.message : String(error)}\n${await network.lastWords()}`);
      await network.stop();
    }
  }
  throw new Error(`the private Tor network did not come up\n${failures.join('\n')}`);
}
