// A private Tor network: three directory authorities and five relays, all of them processes of Debian's `tor`, with directory
// authorities of its own. Nothing outside it is ever contacted.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { socksConnect } from './socks.ts';
import { clientLines, controlSocket, joiningLines, relayLines, serviceLines, type Common, type TorNode } from './tor-config.ts';
import { TorControl } from './tor-control.ts';
import { makeTorKeys, TOR_ENVIRONMENT } from './tor-keys.ts';

const AUTHORITIES = 3;
const RELAYS = 5;
/** Interval of the votes for the first consensus. */
const VOTING_SECONDS = 5;

/** Where the network's relays run. */
export type TorPlace = {
  /** That all of them have. */
  readonly address: string;
  /** How many of them lead out of the network. */
  readonly exits: number;
  /** A process with which they end; null where none can be named. */
  readonly owner: number | null;
  launch(args: readonly string[], log: number): ChildProcess;
};

export const LOOPBACK: TorPlace = {
  address: '127.0.0.1',
  exits: 0,
  owner: process.pid,
  launch: (args, log) => spawn('tor', args, { stdio: ['ignore', log, log], env: TOR_ENVIRONMENT }),
};

export type TorClient = { readonly socksPort: number; readonly control: TorControl };
/** `folder`: its HiddenServiceDir. */
export type TorService = { readonly onion: string; readonly folder: string; readonly control: TorControl };

/** Its services and clients always run on this machine. */
export class TorNetwork {
  readonly #dir: string;
  readonly #deadlineMs: number;
  readonly #place: TorPlace;
  readonly #children = new Map<string, ChildProcess>();
  readonly #controls: TorControl[] = [];
  #authorities: readonly string[] = [];
  #stopping = false;

  /** @param deadlineMs of `begin`, `serve` and `open`, by `performance.now()` */
  constructor(dir: string, deadlineMs: number, place: TorPlace = LOOPBACK) {
    this.#dir = dir;
    this.#deadlineMs = deadlineMs;
    this.#place = place;
    process.once('exit', this.#killAll);
  }

  /** Starts the relays, and waits until the authorities agree on all of them. */
  async begin(): Promise<void> {
    const nodes = await this.#chooseNodes();
    const identities = await Promise.all(nodes.map(makeTorKeys));
    const bandwidths = join(this.#dir, 'bandwidths');
    await writeFile(
      bandwidths,
      [`${String(Math.floor(Date.now() / 1000))}`, ...identities.map(({ fingerprint }) => `node_id=$${fingerprint} bw=1`), ''].join('\n'),
    );
    this.#authorities = identities.flatMap(({ authority }) => authority ?? []);
    const common = { authorities: this.#authorities, owner: this.#place.owner };
    for (const node of nodes) await this.#run(node.name, relayLines(node, common, bandwidths), this.#place);
    await this.#whileAllRun(this.#vote(nodes));
  }

  /** What a tor elsewhere needs in its configuration to be part of this network. */
  get joining(): string[] {
    return joiningLines(this.#authorities);
  }

  // A tor that asks too early for a consensus waits long before it asks again: these two are for after `begin`.

  /** Starts an onion service that forwards to the unix socket `target`, and waits until clients can find it. */
  async serve(target: string): Promise<TorService> {
    const folder = this.#folder('service');
    await this.#run('service', serviceLines(folder, `unix:${target}`, this.#here), LOOPBACK);
    const control = await this.#whileAllRun(this.#control('service'));
    await control.command('SETEVENTS HS_DESC');
    // A client that asks too early remembers for long that there was nothing.
    await this.#whileAllRun(control.event(/ HS_DESC UPLOADED /, this.#deadlineMs));
    const service = join(folder, 'service');
    return { onion: (await readFile(join(service, 'hostname'), 'utf8')).trim(), folder: service, control };
  }

  /** Starts a client. @param name of its folder; no two are the same */
  async open(name = 'client'): Promise<TorClient> {
    const [socksPort = 0] = await freePorts(1);
    await this.#run(name, clientLines(this.#folder(name), socksPort, this.#here), LOOPBACK);
    return this.#whileAllRun(
      (async () => {
        const control = await this.#control(name);
        await this.#until('the client is ready', async () =>
          (await control.command('GETINFO status/bootstrap-phase')).some((line) => line.includes('PROGRESS=100')),
        );
        return { socksPort, control };
      })(),
    );
  }

  /** Waits until a connection from the client has reached the onion service. */
  async reach({ socksPort, control }: TorClient, onion: string, deadlineMs = this.#deadlineMs): Promise<void> {
    let attempt = 0;
    const isReached = async (): Promise<boolean> => {
      attempt += 1;
      const isolation = `attempt ${String(attempt)}`;
      const socket = await socksConnect(socksPort, onion, 80, { timeoutMs: 15_000, isolation }).catch(() => null);
      socket?.destroy();
      // Otherwise it remembers for long where there was no descriptor.
      if (socket === null) await control.command('SIGNAL NEWNYM');
      return socket !== null;
    };
    await this.#whileAllRun(this.#until('a connection to the onion service', isReached, deadlineMs));
  }

  get #here(): Common {
    return { authorities: this.#authorities, owner: process.pid };
  }

  /** Kills all tors: nothing of them needs an orderly shutdown. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const control of this.#controls) control.close();
    const running = [...this.#children.values()].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const gone = running.map((child) => once(child, 'exit'));
    this.#killAll();
    await Promise.all(gone);
    process.off('exit', this.#killAll);
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** The end of each tor's log, for failure messages. */
  async lastWords(): Promise<string> {
    const texts = await Promise.all(
      [...this.#children.keys()].map(async (name) => {
        const text = await readFile(this.#log(name), 'utf8').catch(() => '');
        return `--- ${name}\n${text.trimEnd().split('\n').slice(-4).join('\n')}`;
      }),
    );
    return texts.join('\n');
  }

  readonly #killAll = (): void => {
    for (const child of this.#children.values()) child.kill('SIGKILL');
  };

  #folder(name: string): string {
    return join(this.#dir, name);
  }

  #log(name: string): string {
    return join(this.#folder(name), 'log');
  }

  async #chooseNodes(): Promise<TorNode[]> {
    const orPorts = await freePorts(AUTHORITIES + RELAYS);
    const dirPorts = await freePorts(AUTHORITIES);
    return orPorts.map((orPort, index) => {
      const dirPort = dirPorts[index];
      const name = dirPort === undefined ? `relay${String(index)}` : `authority${String(index)}`;
      const isExit = index >= orPorts.length - this.#place.exits;
      return { name, dir: this.#folder(name), address: this.#place.address, isExit, orPort, ...(dirPort === undefined ? {} : { dirPort }) };
    });
  }

  async #run(name: string, lines: readonly string[], place: TorPlace): Promise<void> {
    const folder = this.#folder(name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const torrc = join(folder, 'torrc');
    await writeFile(torrc, `${[...lines, 'Log notice stdout'].join('\n')}\n`);
    const log = openSync(this.#log(name), 'w', 0o600);
    this.#children.set(name, place.launch(['--defaults-torrc', '/dev/null', '-f', torrc], log));
    closeSync(log);
  }

  /** Throws as soon as one of them has ended, not only when time is up. */
  async #whileAllRun<T>(work: Promise<T>): Promise<T> {
    const death = new Promise<never>((_, reject) => {
      for (const [name, child] of this.#children) {
        child.once('error', (error) => reject(error));
        child.once('exit', () => {
          if (!this.#stopping) reject(new Error(`${name} ended by itself`));
        });
      }
    });
    death.catch(() => undefined);
    return Promise.race([work, death]);
  }

  async #control(name: string): Promise<TorControl> {
    const control = await TorControl.open(controlSocket(this.#folder(name)), this.#deadlineMs);
    this.#controls.push(control);
    return control;
  }

  async #until(what: string, condition: () => Promise<boolean>, deadlineMs = this.#deadlineMs): Promise<void> {
    while (!(await condition())) {
      if (this.#stopping || performance.now() > deadlineMs) throw new Error(`not in time: ${what}`);
      await sleep(150);
    }
  }

  /**
   * The first consensus must have every relay, or clients keep a poor one for long. So the authorities vote once each
   * of them knows all relays: their voting interval is cut to seconds, for all three within the same interval.
   */
  async #vote(nodes: readonly TorNode[]): Promise<void> {
    const authorities = await Promise.all(nodes.filter(({ dirPort }) => dirPort !== undefined).map(({ name }) => this.#control(name)));
    const all = async (question: string, pattern: RegExp): Promise<boolean> => {
      const replies = await Promise.all(authorities.map((authority) => authority.command(question)));
      return replies.every((lines) => lines.filter((line) => pattern.test(line)).length >= nodes.length);
    };
    await this.#until('all relays known to the authorities', () => all('GETINFO desc/all-recent', /^onion-key$/));
    const intoMs = Date.now() % (VOTING_SECONDS * 1000);
    if (intoMs > 2_000) await sleep(VOTING_SECONDS * 1000 + 100 - intoMs);
    await Promise.all(
      authorities.map((authority) => authority.command(`SETCONF TestingV3AuthInitialVotingInterval=${String(VOTING_SECONDS)}`)),
    );
    await this.#until('a consensus', () => all('GETINFO ns/all', /^r /));
  }
}

/** Holds all ports open while choosing, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
