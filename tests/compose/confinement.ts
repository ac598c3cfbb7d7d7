// What the containers may do and cannot, looked at from outside and tried from inside.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { docker } from './stand/docker.ts';
import { SERVICES, type Service, type Stand } from './stand/stand.ts';

type Inspected = {
  Config: { User: string };
  HostConfig: Record<string, unknown> & { Memory: number; PidsLimit: number; Dns: string[] | null };
  NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
  Mounts: { Destination: string; RW: boolean }[];
};

/** Every mount of each container; `*` may be written. */
const MOUNTS: Readonly<Record<Service, readonly string[]>> = {
  redis: ['/data *', '/etc/redis/users.acl', '/run/redis *'],
  relay: ['/etc/support-relay/keyrings', '/etc/support-relay/redis.password', '/run/redis', '/run/relay *', '/web'],
  worker: [
    ...['/etc/support-relay/keyrings', '/etc/support-relay/mail', '/etc/support-relay/redis.password', '/identities *', '/inbox *'],
    ...['/run/redis', '/run/tor-mail'],
  ],
  operator: ['/etc/support-relay/onion', '/etc/support-relay/redis.password', '/run/operator *', '/run/redis', '/run/tor-onion'],
  prometheus: ['/prometheus *'],
  tor: ['/etc/support-relay/torrc.d', '/run/relay', '/run/tor-mail *', '/run/tor-onion *', '/var/lib/tor *'],
};
const WITHOUT_NETWORK = ['redis', 'relay', 'worker'] as const;

function inspect(container: string): Inspected {
  const [inspected] = JSON.parse(docker('inspect', container)) as Inspected[];
  if (inspected === undefined) throw new Error(`${container} does not run`);
  return inspected;
}

/** Tries to connect from inside of a container. @returns `connected`, or why not */
function dial(stand: Stand, service: Service, address: string): string {
  const script = `use IO::Socket::INET; print IO::Socket::INET->new(PeerAddr => '${address}', Timeout => 3) ? 'connected' : $!`;
  return stand.exec(service, 'perl', '-e', script);
}

/** Sends Redis commands from inside of the relay, as its user. @returns the first line of each answer */
function askRedis(stand: Stand, commands: readonly string[]): string[] {
  const script = `
    const password = require('node:fs').readFileSync('/etc/support-relay/redis.password', 'utf8').trim();
    const socket = require('node:net').connect('/run/redis/redis.sock');
    socket.end(['AUTH relay ' + password, ...${JSON.stringify(commands)}].map((line) => line + '\\r\\n').join(''));
    socket.pipe(process.stdout);`;
  return stand.exec('relay', 'node', '--eval', script).split('\r\n');
}

/** @param current the stand, once it runs */
export function testSettings(current: () => Stand): void {
  test.each([...SERVICES, 'prometheus'] as const)('%s is confined', (service) => {
    const stand = current();
    const { HostConfig, Config, Mounts } = inspect(stand.container(service));
    expect(HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      CapAdd: null,
      SecurityOpt: ['no-new-privileges:true'],
      PortBindings: {},
      Devices: null,
      PidMode: '',
      Ulimits: [{ Name: 'core', Hard: 0, Soft: 0 }],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
    });
    expect(HostConfig.Memory).toBeGreaterThan(0);
    expect(HostConfig['MemorySwap']).toBe(HostConfig.Memory);
    expect(HostConfig.PidsLimit).toBeGreaterThan(0);
    expect(Config.User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(Mounts.map(({ Destination, RW }) => (RW ? `${Destination} *` : Destination)).toSorted()).toEqual(MOUNTS[service]);
    const status = stand.exec(service, 'cat', '/proc/1/status');
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Uid:\t[1-9]/m);
    const writing =
      'for place in / /etc /usr/local/bin; do touch $place/x 2>/dev/null && echo $place; done; touch /tmp/x && echo only /tmp';
    expect(stand.exec(service, 'sh', '-c', writing)).toBe('only /tmp');
  });
}

/** @param current the stand, once it runs */
export function testNetworks(current: () => Stand): void {
  test.each(WITHOUT_NETWORK)('%s has no network but loopback: no other interface, no route, no port', (service) => {
    const stand = current();
    const { HostConfig, NetworkSettings } = inspect(stand.container(service));
    expect(HostConfig['NetworkMode']).toBe('none');
    expect(Object.values(NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)).toEqual(['']);
    const interfaces = stand.exec(service, 'cat', '/proc/net/dev').split('\n').slice(2);
    expect(interfaces.map((line) => line.trim().split(':')[0])).toEqual(['lo']);
    // Headings only.
    for (const file of ['route', 'tcp', 'udp']) expect(stand.exec(service, 'cat', `/proc/net/${file}`).split('\n')).toHaveLength(1);
  });

  test('only tor can open a connection to another machine', () => {
    const stand = current();
    const reached = SERVICES.filter((service) => dial(stand, service, stand.someRelay) === 'connected');
    expect(reached).toEqual(['tor']);
    for (const service of WITHOUT_NETWORK) expect(dial(stand, service, '192.0.2.1:53')).toBe('Network is unreachable');
  });

  test("the operator's network leads neither to other machines nor to this one, and has no names of elsewhere", () => {
    const stand = current();
    const { HostConfig, NetworkSettings } = inspect(stand.container('operator'));
    const [name = ''] = Object.keys(NetworkSettings.Networks);
    expect(Object.keys(NetworkSettings.Networks)).toEqual([expect.stringMatching(/_monitoring$/)]);
    const network = (JSON.parse(docker('network', 'inspect', name)) as { Internal: boolean; Id: string }[])[0];
    expect(network?.Internal).toBe(true);
    // This machine has no address on it.
    const bridge = `br-${network?.Id.slice(0, 12) ?? ''}`;
    expect(execFileSync('ip', ['-4', '-oneline', 'address', 'show', 'dev', bridge], { encoding: 'utf8' })).toBe('');
    expect(HostConfig.Dns).toEqual(['192.0.2.1']);
  });
}

/** @param current the stand, once it runs */
export function testFromInside(current: () => Stand): void {
  test('the relay cannot read the pool', () => {
    const commands = [
      'HGETALL pool',
      'HKEYS pool',
      'HVALS pool',
      'HSCAN pool 0',
      'HRANDFIELD pool',
      'HGET pool x',
      'DUMP pool',
      'COPY pool x',
    ];
    const others = ['KEYS *', 'SCAN 0', 'MONITOR', 'CONFIG GET *', 'EVAL x 0', 'BGSAVE', 'ACL LIST', 'OBJECT ENCODING pool'];
    const [login, ...answers] = askRedis(current(), [...commands, ...others, 'HLEN pool']);
    expect(login).toBe('+OK');
    expect(answers.slice(0, -1).filter((line) => !line.startsWith('-NOPERM'))).toEqual([]);
    expect(answers.at(-1)).toMatch(/^:\d+$/);
  });

  test('the images hold nothing to build or install with, and no key', () => {
    const stand = current();
    for (const service of ['relay', 'worker', 'operator'] as const) {
      expect(stand.exec(service, 'ls').split('\n')).toEqual(['LICENSE', 'deploy', 'dist', 'locales', 'node_modules', 'package.json']);
      const looked =
        'ls -d node_modules/esbuild node_modules/@esbuild node_modules/npm 2>/dev/null; command -v npm npx corepack yarn; true';
      expect(stand.exec(service, 'sh', '-c', looked)).toBe('');
    }
  });
}
