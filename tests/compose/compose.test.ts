import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { parseAnswer } from '../../crypto/answer.ts';
import { verifyKeyring } from '../../crypto/keyring.ts';
import { openLetter } from '../../crypto/letter.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { layoutOf } from '../../deploy/layout.ts';
import { http, postParcel } from '../support/http.ts';
import { attachedLetters, readMaildir } from '../support/maildir.ts';

const SERVICES = ['redis', 'relay', 'worker'] as const;
type Service = (typeof SERVICES)[number];

const layout = layoutOf(variable('COMPOSE_TEST_STATE'));
const socketPath = `${layout.run}/relay/relay.sock`;
const url = 'http://relay/';

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run npm run test:compose`);
  return value;
}

function docker(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function compose(...args: string[]): string {
  return docker('compose', '--project-name', variable('COMPOSE_TEST_PROJECT'), '--env-file', variable('COMPOSE_TEST_ENV_FILE'), ...args);
}

function container(service: Service): string {
  return compose('ps', '--quiet', service).trim();
}

type Inspected = {
  Config: { User: string };
  HostConfig: {
    ReadonlyRootfs: boolean;
    CapDrop: string[];
    SecurityOpt: string[];
    NetworkMode: string;
    Memory: number;
    MemorySwap: number;
    PortBindings: object;
  };
  NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
};

function inspect(service: Service): Inspected {
  const [inspected] = JSON.parse(docker('inspect', container(service))) as Inspected[];
  if (inspected === undefined) throw new Error(`${service} does not run`);
  return inspected;
}

function exec(service: Service, ...command: string[]): string {
  return docker('exec', container(service), ...command);
}

/** Posts a request as the form would, and waits until a volunteer can open it. */
async function wayOfARequest(message: string): Promise<void> {
  await ready;
  const json = Buffer.from((await http(`${url}keyring.json`, { socketPath })).body);
  const signature = Buffer.from((await http(`${url}keyring.json.minisig`, { socketPath })).body).toString();
  const keyring = verifyKeyring(json, signature, parsePublicKey(readFileSync(layout.rootKey, 'utf8')));
  const parcel = stampParcel(sealRequest({ topic: 'legal', language: 'ru', message }, keyring), 10);
  await expect
    .poll(async () => Buffer.from((await http(`${url}door.json`, { socketPath })).body).toString(), { timeout: 30_000 })
    .toContain('"open":true');
  const answer = await postParcel(url, parcel, { socketPath });
  expect([answer.status, parseAnswer(answer.body).result]).toEqual([202, 'accepted']);
  const identities = parseIdentityFile(readFileSync(layout.volunteerIdentity, 'utf8'));
  const messages = async (): Promise<unknown[]> => {
    const letters = await Promise.all((await readMaildir(layout.inbox)).map(({ mail }) => attachedLetters(mail)));
    return letters
      .flat()
      .map((letter) => openLetter(letter, identities))
      .map((letter) => ('message' in letter ? letter.message : null));
  };
  await expect.poll(messages, { timeout: 60_000, interval: 500 }).toContain(message);
}

test('a sealed parcel, posted over the socket of the relay, is a letter in the Maildir', () => wayOfARequest('из контейнера'));

test('the relay serves the form over its socket', async () => {
  const page = await http(url, { socketPath });
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
});

test('the relay has no network but loopback: no route, no port', () => {
  expect(inspect('relay').HostConfig).toMatchObject({ NetworkMode: 'none', PortBindings: {} });
  expect(Object.values(inspect('relay').NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)).toEqual(['']);
  const script = "console.log(Object.keys(require('node:os').networkInterfaces()).join())";
  expect(exec('relay', 'node', '--eval', script).trim()).toMatch(/^(lo)?$/);
  // Headings only.
  expect(exec('relay', 'cat', '/proc/net/route').trim().split('\n')).toHaveLength(1);
  const dial =
    "require('node:net').connect(53, '192.0.2.1').on('connect', () => console.log('connected')).on('error', (e) => console.log(e.code))";
  expect(exec('relay', 'node', '--eval', dial).trim()).toBe('ENETUNREACH');
});

test.each(SERVICES)('%s is confined', (service) => {
  const { HostConfig, Config } = inspect(service);
  expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges:true'], PortBindings: {} });
  expect(HostConfig.Memory).toBeGreaterThan(0);
  expect(HostConfig.MemorySwap).toBe(HostConfig.Memory);
  expect(Config.User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  const status = exec(service, 'cat', '/proc/1/status');
  expect(status).toMatch(/^CapEff:\t0+$/m);
  expect(status).toMatch(/^CapBnd:\t0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^Uid:\t[1-9]/m);
});

test('the image holds nothing to build with, and no key', () => {
  const files = exec(
    'relay',
    'node',
    '--eval',
    "console.log(require('node:fs').readdirSync('.').sort().join(), require('node:fs').existsSync('node_modules/esbuild'))",
  );
  expect(files.trim()).toBe('dist,locales,node_modules,package.json false');
});

/** For each container: when it was last started, and its health. */
function states(): Record<Service, { startedAt: string; health: string }> {
  const format = '{{.State.StartedAt}} {{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}';
  return Object.fromEntries(
    SERVICES.map((service) => {
      const [startedAt = '', ...health] = docker('inspect', '--format', format, container(service)).trim().split(' ');
      return [service, { startedAt, health: health.join(' ') }];
    }),
  ) as Record<Service, { startedAt: string; health: string }>;
}

const healths = (): string[] => Object.values(states()).map(({ health }) => health);
const HEALTHY = SERVICES.map(() => 'running healthy');

test('all three are healthy', () => {
  expect(healths()).toEqual(HEALTHY);
});

/** Kills a container's process from outside, as the out-of-memory killer does: Docker does not take that for a requested stop. */
function killProcess(service: Service): void {
  const pid = docker('inspect', '--format', '{{.State.Pid}}', container(service)).trim();
  docker(
    'run',
    '--rm',
    '--user',
    '0',
    '--pid',
    'host',
    '--network',
    'none',
    'support-relay',
    'node',
    '--eval',
    `process.kill(${pid}, 'SIGKILL')`,
  );
}

const ENDS: Record<string, (service: Service) => void> = {
  'compose restart': (service) => void compose('restart', service),
  'kill -9 of its process': killProcess,
  'docker kill and start': (service) => {
    docker('kill', container(service));
    compose('start', service);
  },
};

describe.each(Object.entries(ENDS))('after %s', (how, end) => {
  test.each(SERVICES)('%s comes back, and a parcel is taken and delivered', async (service) => {
    const before = states()[service].startedAt;
    end(service);
    await expect.poll(() => states()[service].startedAt, { timeout: 30_000, interval: 500 }).not.toBe(before);
    await expect.poll(healths, { timeout: 90_000, interval: 1_000 }).toEqual(HEALTHY);
    await wayOfARequest(`${service} ${how}`);
  });
});

test.each([
  ['stop', 'start'],
  ['down', 'up'],
])('after compose %s and %s of the whole, a parcel is taken and delivered', async (stop, start) => {
  compose(stop);
  compose(start, ...(start === 'up' ? ['--detach'] : []));
  await expect.poll(healths, { timeout: 90_000, interval: 1_000 }).toEqual(HEALTHY);
  await wayOfARequest(`${stop} ${start}`);
});
