import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
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
  HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[]; SecurityOpt: string[]; NetworkMode: string; Memory: number; MemorySwap: number; PortBindings: object };
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

test('a sealed parcel, posted over the socket of the relay, is a letter in the Maildir', async () => {
  await ready;
  const json = Buffer.from((await http(`${url}keyring.json`, { socketPath })).body);
  const signature = Buffer.from((await http(`${url}keyring.json.minisig`, { socketPath })).body).toString();
  const keyring = verifyKeyring(json, signature, parsePublicKey(readFileSync(layout.rootKey, 'utf8')));
  const parcel = stampParcel(sealRequest({ topic: 'legal', language: 'ru', message: 'из контейнера' }, keyring), 10);
  await expect.poll(async () => Buffer.from((await http(`${url}door.json`, { socketPath })).body).toString(), { timeout: 30_000 }).toContain('"open":true');
  const answer = await postParcel(url, parcel, { socketPath });
  expect([answer.status, parseAnswer(answer.body).result]).toEqual([202, 'accepted']);
  await expect.poll(() => readMaildir(layout.inbox), { timeout: 60_000, interval: 500 }).toHaveLength(1);
  const [file] = await readMaildir(layout.inbox);
  const [letter] = await attachedLetters(file?.mail ?? new Uint8Array());
  const identities = parseIdentityFile(readFileSync(layout.volunteerIdentity, 'utf8'));
  expect(openLetter(letter ?? new Uint8Array(), identities)).toMatchObject({ message: 'из контейнера' });
});

test('the form comes over the socket', async () => {
  const page = await http(url, { socketPath });
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
});

test('the relay has no network: only its own loopback, no route, no port', () => {
  expect(inspect('relay').HostConfig).toMatchObject({ NetworkMode: 'none', PortBindings: {} });
  expect(Object.values(inspect('relay').NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)).toEqual(['']);
  const script = "console.log(Object.keys(require('node:os').networkInterfaces()).join())";
  expect(exec('relay', 'node', '--eval', script).trim()).toMatch(/^(lo)?$/);
  // Headings only.
  expect(exec('relay', 'cat', '/proc/net/route').trim().split('\n')).toHaveLength(1);
  const dial = "require('node:net').connect(53, '192.0.2.1').on('connect', () => console.log('connected')).on('error', (e) => console.log(e.code))";
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
  const files = exec('relay', 'node', '--eval', "console.log(require('node:fs').readdirSync('.').sort().join(), require('node:fs').existsSync('node_modules/esbuild'))");
  expect(files.trim()).toBe('dist,node_modules,package.json false');
});

test('all three are healthy', () => {
  const states = SERVICES.map((service) => docker('inspect', '--format', '{{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}', container(service)).trim());
  expect(states).toEqual(['running healthy', 'running healthy', 'running healthy']);
});
