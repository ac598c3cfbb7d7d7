// docker-compose.yml as somebody has it who just cloned the repository, with tor on a private Tor network.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { layoutOf, type Layout } from '../../../deploy/state/layout.ts';
import { ROOT } from '../../../runtime/root.ts';
import { atTerminal, type Dialogue } from '../../support/terminal.ts';
import type { TorClient, TorNetwork } from '../../support/tor-network.ts';
import { createNetwork, docker, run, RUN, type Ended } from './docker.ts';
import { startMailServer, type MailServer } from './mail-server.ts';
import { startTorRelays } from './tor-relays.ts';

export const SERVICES = ['redis', 'relay', 'worker', 'operator', 'tor'] as const;
export type Service = (typeof SERVICES)[number] | 'prometheus';

/** The tests' own: tor reads one more file, and its network is one of the tests'. */
const OVERRIDE = `
services:
  tor:
    volumes: [{ type: bind, source: "\${TEST_TORRC}", target: /etc/support-relay/torrc.d, read_only: true }]
networks:
  tor: { name: "\${TEST_NETWORK}", external: true }
`;

export class Stand {
  readonly #dir: string;
  readonly #project: string;
  readonly #environment: NodeJS.ProcessEnv;
  #relays: TorNetwork | null = null;
  #client: TorClient | null = null;
  #mail: MailServer | null = null;

  private constructor(dir: string, project: string, settings: Readonly<Record<string, string>>) {
    this.#dir = dir;
    this.#project = project;
    // Of an operator's own settings none may take part. Rounds of two seconds instead of five minutes, and every parcel leaves at once.
    const own = Object.entries(process.env).filter(([name]) => !/^(SUPPORT_RELAY|COMPOSE)_/.test(name));
    this.#environment = {
      ...Object.fromEntries(own),
      SUPPORT_RELAY_IMAGE: RUN,
      SUPPORT_RELAY_ROUND_SECONDS: '2',
      SUPPORT_RELAY_SHARE: '1',
      COMPOSE_PROJECT_NAME: project,
      ...(process.getuid?.() === 0 ? {} : { SUPPORT_RELAY_USER: `${String(process.getuid?.())}:${String(process.getgid?.())}` }),
      ...settings,
    };
  }

  /** A clone where nothing has been set up. */
  static async clone(name: string, settings: Readonly<Record<string, string>> = {}): Promise<Stand> {
    const dir = await mkdtemp(join(tmpdir(), 'support-relay-compose-'));
    const stand = new Stand(dir, `${RUN}-${name}`, settings);
    const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
    for (const file of listed.stdout.split('\0').filter((path) => path !== '')) {
      await mkdir(dirname(join(stand.clone, file)), { recursive: true });
      // A file that is deleted and not yet committed is listed too.
      await cp(join(ROOT, file), join(stand.clone, file)).catch(() => undefined);
    }
    return stand;
  }

  /** Starts what is outside of it: a Tor network with a client, and a mail server behind its exits. */
  async surround(): Promise<void> {
    const outside = createNetwork(`${this.#project}-mail`);
    await this.isolate();
    await this.compose('build', 'tor');
    this.#mail = await startMailServer(`${this.#project}-mail-server`, join(this.#dir, 'mail'), outside);
    const networks = { inside: `${this.#project}-tor`, outside };
    this.#relays = await startTorRelays(`${this.#project}-tor-relays`, this.#dir, { image: `${RUN}-tor`, ...networks });
    await writeFile(join(this.#dir, 'torrc.d/test.conf'), `${this.#relays.joining.join('\n')}\n`);
    this.#client = await this.#relays.open();
  }

  /** Gives tor a network where nobody else is. */
  async isolate(): Promise<void> {
    const [torrc, override] = [join(this.#dir, 'torrc.d'), join(this.#dir, 'override.yml')];
    await mkdir(torrc);
    await writeFile(override, OVERRIDE);
    const settings = {
      TEST_TORRC: torrc,
      TEST_NETWORK: createNetwork(`${this.#project}-tor`),
      COMPOSE_FILE: `docker-compose.yml:${override}`,
    };
    Object.assign(this.#environment, settings);
  }

  /** Makes another version of the clone, as `git pull` and `git checkout` do. */
  async become(version: string): Promise<void> {
    const { version: own } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    for (const name of ['package.json', 'Dockerfile']) {
      const text = await readFile(join(ROOT, name), 'utf8');
      const [before, after] =
        name === 'Dockerfile' ? [`VERSION=${own}`, `VERSION=${version}`] : [`"version": "${own}"`, `"version": "${version}"`];
      await writeFile(join(this.clone, name), version === 'own' ? text : text.replace(before, after));
    }
  }

  get clone(): string {
    return join(this.#dir, 'clone');
  }
  get layout(): Layout {
    return layoutOf(join(this.clone, 'state'));
  }
  get mail(): MailServer {
    if (this.#mail === null) throw new Error('there is no mail server');
    return this.#mail;
  }
  get socksPort(): number {
    if (this.#client === null) throw new Error('there is no client of Tor');
    return this.#client.socksPort;
  }

  /** Address and port of a relay of the Tor network. */
  get someRelay(): string {
    const [, port = '', address = ''] = /orport=(\d+) .* ([\d.]+):\d+ /.exec(this.#relays?.joining.join('\n') ?? '') ?? [];
    return `${address}:${port}`;
  }

  /** http://….onion/ */
  async url(): Promise<string> {
    return `http://${(await readFile(this.layout.onionAddress, 'utf8')).trim()}/`;
  }

  /** Waits until the onion service can be reached. */
  async untilReachable(withinMs: number): Promise<void> {
    if (this.#relays === null || this.#client === null) throw new Error('there is no Tor network');
    await this.#relays.reach(this.#client, new URL(await this.url()).hostname, performance.now() + withinMs);
  }

  /** `docker compose` in the clone. Throws when it fails. */
  async compose(...args: string[]): Promise<Ended> {
    const ended = await this.tryCompose(...args);
    if (ended.code !== 0) throw new Error(`docker compose ${args.join(' ')}: ${ended.stderr}\n${await this.logs()}`);
    return ended;
  }

  tryCompose(...args: string[]): Promise<Ended> {
    return run('docker', ['compose', ...args], { cwd: this.clone, env: this.#environment });
  }

  /** Types a command of the documents in the clone, at a terminal where it asks something. Throws when it fails. */
  async type(command: string, dialogue: Dialogue = []): Promise<string> {
    const place = { cwd: this.clone, env: this.#environment };
    const { code, output } =
      dialogue.length > 0
        ? await atTerminal(command, dialogue, place)
        : await run('bash', ['-c', command], place).then(({ code, stdout, stderr }) => ({ code, output: `${stdout}${stderr}` }));
    if (code !== 0) throw new Error(`${command}: ${output}\n${await this.logs()}`);
    return output;
  }

  async logs(): Promise<string> {
    return (await this.tryCompose('logs', '--tail', '30')).stdout;
  }

  container(service: Service): string {
    return `${this.#project}-${service}-1`;
  }

  /** A command in the running container. Throws when it fails. */
  exec(service: Service, ...command: string[]): string {
    return docker('exec', this.container(service), ...command);
  }

  async stop(): Promise<void> {
    await this.tryCompose('--profile', '*', 'down', '--volumes', '--remove-orphans', '--timeout', '15');
    for (const name of ['tor-relays', 'mail-server']) await run('docker', ['rm', '--force', `${this.#project}-${name}`]);
    await this.#relays?.stop();
    for (const name of ['tor', 'mail']) await run('docker', ['network', 'rm', `${this.#project}-${name}`]);
    await rm(this.#dir, { recursive: true, force: true });
  }
}
