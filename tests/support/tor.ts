// A private Tor network on loopback, and in it one onion service and one client. Three directory authorities and five
// relays, all of them processes of Debian's `tor`; nothing outside 127.0.0.1 is ever contacted.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { socksConnect } from './socks.ts';
import { clientLines, controlSocket, relayLines, serviceLines, type Common, type TorNode } from './tor-config.ts';
import { TorControl } from './tor-control.ts';

const AUTHORITIES = 3;
const RELAYS = 5;
const ATTEMPTS = 3;
/** Usually 15 to 20 seconds; several times that on a busy machine. */
const ATTEMPT_MS = 90_000;
/** Timeout for hooks and tests that start a network. */
export const TOR_START_MS = ATTEMPTS * ATTEMPT_MS + 30_000;
/** Interval of the votes for the first consensus. */
const VOTING_SECONDS = 5;
const ENVIRONMENT = { PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/usr/sbin`, HOME: '/nonexistent', LC_ALL: 'C' };

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
    const network = new Network(await mkdtemp(join(tmpdir(), 'tor-')), performance.now() + ATTEMPT_MS);
    try {
      return await network.start(target);
    } catch (error) {
      failures.push(`attempt ${String(attempt)}: ${error instanceof Error ? error.message : String(error)}\n${await network.lastWords()}`);
      await network.stop();
    }
  }
  throw new Error(`the private Tor network did not come up\n${failures.join('\n')}`);
}

class Network {
  readonly #dir: string;
  readonly #deadlineMs: number;
  readonly #children = new Map<string, ChildProcess>();
  readonly #controls: TorControl[] = [];
  #stopping = false;

  constructor(dir: string, deadlineMs: number) {
    this.#dir = dir;
    this.#deadlineMs = deadlineMs;
    process.once('exit', this.#killAll);
  }

  async start(target: string): Promise<Tor> {
    const nodes = await this.#chooseNodes();
    const [socksPort = 0] = await freePorts(1);
    const identities = await Promise.all(nodes.map((node) => this.#makeKeys(node)));
    const bandwidths = join(this.#dir, 'bandwidths');
    await writeFile(
      bandwidths,
      [`${String(Math.floor(Date.now() / 1000))}`, ...identities.map(({ fingerprint }) => `node_id=$${fingerprint} bw=1`), ''].join('\n'),
    );
    const common = { authorities: identities.flatMap(({ authority }) => authority ?? []), owner: process.pid, bandwidths };
    for (const node of nodes) await this.#run(node.name, relayLines(node, common));
    await this.#whileAllRun(this.#vote(nodes));
    // Only now: a tor that asks too early for a consensus waits long before it asks again.
    return this.#whileAllRun(this.#open(target, socksPort, common));
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
      return { name, dir: this.#folder(name), orPort, ...(dirPort === undefined ? {} : { dirPort }) };
    });
  }

  /** @returns the relay's fingerprint, and the line that names an authority to others */
  async #makeKeys({ name, dir, orPort, dirPort }: TorNode): Promise<{ fingerprint: string; authority?: string }> {
    const keys = join(dir, 'keys');
    await mkdir(keys, { recursive: true, mode: 0o700 });
    const fingerprint = async (): Promise<string> => {
      const anyAuthority = `x 127.0.0.1:1 ${'f'.repeat(40)}`;
      const settings = [
        '--DataDirectory',
        dir,
        '--ORPort',
        `127.0.0.1:${String(orPort)}`,
        '--Nickname',
        name,
        '--DirAuthority',
        anyAuthority,
      ];
      const said = await output('tor', [
        '--defaults-torrc',
        '/dev/null',
        '--ignore-missing-torrc',
        '-f',
        '/dev/null',
        '--hush',
        '--list-fingerprint',
        ...settings,
      ]);
      return found(said, new RegExp(`^${name} ((?:[0-9A-F]{4} ?){10})$`, 'm')).replaceAll(' ', '');
    };
    if (dirPort === undefined) return { fingerprint: await fingerprint() };
    const certificate = join(keys, 'authority_certificate');
    const files = ['-i', join(keys, 'authority_identity_key'), '-s', join(keys, 'authority_signing_key'), '-c', certificate];
    // The passphrase of a key that lives only as long as this folder.
    await output(
      'tor-gencert',
      ['--create-identity-key', '--passphrase-fd', '0', '-m', '2', '-a', `127.0.0.1:${String(dirPort)}`, ...files],
      'passphrase\n',
    );
    const v3 = found(await readFile(certificate, 'latin1'), /^fingerprint ([0-9A-F]{40})$/m);
    const own = await fingerprint();
    return {
      fingerprint: own,
      authority: `DirAuthority ${name} orport=${String(orPort)} no-v2 v3ident=${v3} 127.0.0.1:${String(dirPort)} ${own}`,
    };
  }

  async #run(name: string, lines: readonly string[]): Promise<void> {
    const folder = this.#folder(name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const torrc = join(folder, 'torrc');
    await writeFile(torrc, `${[...lines, 'Log notice stdout'].join('\n')}\n`);
    const log = openSync(this.#log(name), 'w', 0o600);
    this.#children.set(
      name,
      spawn('tor', ['--defaults-torrc', '/dev/null', '-f', torrc], { stdio: ['ignore', log, log], env: ENVIRONMENT }),
    );
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

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) {
      if (this.#stopping || performance.now() > this.#deadlineMs) throw new Error(`not in time: ${what}`);
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

  async #open(target: string, socksPort: number, common: Common): Promise<Tor> {
    await this.#run('service', serviceLines(this.#folder('service'), `unix:${target}`, common));
    await this.#run('client', clientLines(this.#folder('client'), socksPort, common));
    const published = async (): Promise<void> => {
      const control = await this.#control('service');
      await control.command('SETEVENTS HS_DESC');
      // A client that asks too early remembers for long that there was nothing.
      await control.event(/ HS_DESC UPLOADED /, this.#deadlineMs);
    };
    const connected = async (): Promise<TorControl> => {
      const control = await this.#control('client');
      await this.#until('the client is ready', async () =>
        (await control.command('GETINFO status/bootstrap-phase')).some((line) => line.includes('PROGRESS=100')),
      );
      return control;
    };
    const [client] = await Promise.all([connected(), published()]);
    const onion = (await readFile(join(this.#folder('service'), 'service/hostname'), 'utf8')).trim();
    let attempt = 0;
    await this.#until('a connection to the onion service', async () => {
      attempt += 1;
      const socket = await socksConnect(socksPort, onion, 80, { timeoutMs: 15_000, isolation: `attempt ${String(attempt)}` }).catch(
        () => null,
      );
      socket?.destroy();
      return socket !== null;
    });
    return { onion, url: `http://${onion}/`, socksPort, client, stop: () => this.stop() };
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

async function output(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: ENVIRONMENT });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with code ${String(code)}: ${text.trim()}`);
  return text;
}

function found(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)?.[1];
  if (match === undefined) throw new Error(`tor did not say ${String(pattern)}`);
  return match;
}
