// docker-compose.yml from a fresh clone on: setup, a request over the onion that comes out at a mail server, what each container may do
// and cannot, and that all of it comes back.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../../runtime/version.ts';
import { parseAnswer } from '../../crypto/answer.ts';
import { verifyKeyring } from '../../crypto/keyring.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { openBrowser, Tab } from '../support/browser.ts';
import { cli } from '../support/cli.ts';
import { http, postParcel } from '../support/http.ts';
import { testFromInside, testNetworks, testSettings } from './confinement.ts';
import { testRepair, testRestoring } from './keeping.ts';
import { docker } from './stand/docker.ts';
import { SERVICES, Stand, type Service } from './stand/stand.ts';

const RELAY = 'http://relay/';

let stand: Stand;
beforeAll(async () => {
  await ready;
  stand = await Stand.clone('a');
  await stand.surround();
});
afterAll(async () => {
  await stand.stop();
});

const socket = (): string => `${stand.layout.run}/relay/relay.sock`;

async function read(path: string): Promise<string> {
  return Buffer.from((await http(`${RELAY}${path}`, { socketPath: socket() })).body).toString();
}

/** What a volunteer reads at the mail server. */
async function letters(): Promise<string> {
  const { url, passwordFile, certificate } = stand.mail.imap;
  const options = ['--identity', stand.layout.volunteerIdentity, '--imap-password-file', passwordFile, '--ca', certificate];
  const { text, err } = await cli(['open', ...options, url]);
  return `${text}${err}`;
}

async function untilDelivered(message: string): Promise<void> {
  await expect.poll(letters, { timeout: 90_000, interval: 1_000 }).toContain(message);
}

/** Posts a request as the form would. */
async function post(message: string): Promise<void> {
  await expect.poll(() => read('door.json').catch(() => ''), { timeout: 60_000, interval: 500 }).toContain('"open":true');
  const root = parsePublicKey(await readFile(stand.layout.rootKey, 'utf8'));
  const keyring = verifyKeyring(Buffer.from(await read('keyring.json')), await read('keyring.json.minisig'), root);
  const parcel = stampParcel(sealRequest({ topic: 'legal', language: 'ru', message }, keyring), 10);
  const { status, body } = await postParcel(RELAY, parcel, { socketPath: socket() });
  expect([status, parseAnswer(body).result]).toEqual([202, 'accepted']);
}

async function wayOfARequest(message: string): Promise<void> {
  await post(message);
  await untilDelivered(message);
}

test('setup in the image makes what is needed, and all is well before there is any other key', async () => {
  const { stdout } = await stand.compose('run', '--rm', '--build', 'setup', '--no-questions');
  expect(stdout).toContain(await stand.url());
  await stand.compose('up', '--build', '--wait');
  expect(healths()).toEqual(HEALTHY);
  expect(await read('door.json')).toContain('"reason":"keyring"');
  expect((await stand.tryCompose('exec', '--no-TTY', 'operator', 'support-relay', 'operator', 'status')).stdout).toContain('root.pub');
});

test('a trial gets its keys and its inbox, and the form can be reached over Tor', async () => {
  await stand.compose('run', '--rm', 'setup', '--no-questions', '--trial');
  const folder = dirname(stand.mail.inbox);
  await stand.compose('run', '--rm', '--volume', `${folder}:/in:ro`, 'setup', '--no-questions', '--inbox', 'Volunteers=/in/inbox.json');
  await stand.compose('up', '--build', '--wait');
  await stand.compose('restart', 'worker');
  await stand.untilReachable(60_000);
});

test('a request typed in a browser, over Tor, is a letter at the mail server of the team', async () => {
  const message = 'Здравствуйте. Пишу через Tor.';
  const browser = await openBrowser('chromium', { socksPort: stand.socksPort });
  try {
    const tab = await Tab.open(browser, await stand.url());
    await tab.until('#send:not(:disabled)');
    await tab.page.type('#message', message);
    await tab.page.click('#topic-legal');
    await tab.page.click('#send');
    await tab.until('#accepted');
  } finally {
    await browser.close();
  }
  await untilDelivered(message);
});

test('with the profile for it Prometheus watches, and nobody is on its network but the operator', async () => {
  await stand.compose('--profile', 'monitoring', 'up', '--build', '--wait');
  const ask = ['promtool', 'query', 'instant', 'http://127.0.0.1:9090', 'up'];
  await expect
    .poll(() => stand.exec('prometheus', ...ask), { timeout: 90_000, interval: 2_000 })
    .toMatch(/up\{.*job="support-relay".*\} => 1 /);
  const [network = ''] = Object.keys(
    JSON.parse(docker('inspect', '--format', '{{json .NetworkSettings.Networks}}', stand.container('prometheus'))) as object,
  );
  const containers = JSON.parse(docker('network', 'inspect', '--format', '{{json .Containers}}', network)) as Record<
    string,
    { Name: string }
  >;
  const names = Object.values(containers).map(({ Name }) => Name);
  expect(names.toSorted()).toEqual([stand.container('operator'), stand.container('prometheus')]);
});

describe('what the containers may do:', () => {
  testSettings(() => stand);
  testNetworks(() => stand);
  testFromInside(() => stand);
});

test('operators look, by the ways that the documents name', async () => {
  const status = await stand.compose('exec', '--no-TTY', 'operator', 'support-relay', 'operator', 'status');
  expect(status.stdout).toContain('pool');
  const page = await http('http://operator/', { socketPath: `${stand.layout.run}/operator/operator.sock`, headers: { host: 'localhost' } });
  expect(page.status).toBe(200);
  const fromTools = await stand.compose('run', '--rm', 'tools', 'operator', 'status');
  expect(fromTools.stdout).toBe(status.stdout);
});

/** For each container: when it was last started, and its health. */
function states(): Record<Service, { startedAt: string; health: string }> {
  const format = '{{.State.StartedAt}} {{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}';
  return Object.fromEntries(
    SERVICES.map((service) => {
      const [startedAt = '', ...health] = docker('inspect', '--format', format, stand.container(service)).split(' ');
      return [service, { startedAt, health: health.join(' ') }];
    }),
  ) as Record<Service, { startedAt: string; health: string }>;
}

const HEALTHY = SERVICES.map(() => 'running healthy');
const healths = (): string[] => Object.values(states()).map(({ health }) => health);
const untilHealthy = (): Promise<void> => expect.poll(healths, { timeout: 120_000, interval: 1_000 }).toEqual(HEALTHY);

/** Kills a container's process from outside, as the out-of-memory killer does: Docker does not take that for a requested stop. */
function killProcess(service: Service): void {
  const pid = docker('inspect', '--format', '{{.State.Pid}}', stand.container(service));
  const image = docker('inspect', '--format', '{{.Image}}', stand.container('relay'));
  const options = ['--rm', '--user', '0', '--pid', 'host', '--network', 'none'];
  docker('run', ...options, image, 'node', '--eval', `process.kill(${pid}, 'SIGKILL')`);
}

describe('comes back, and a parcel is taken and delivered:', () => {
  test.each(SERVICES)('%s after kill -9 of its process', async (service) => {
    const before = states()[service].startedAt;
    killProcess(service);
    await expect.poll(() => states()[service].startedAt, { timeout: 30_000, interval: 500 }).not.toBe(before);
    await untilHealthy();
    await wayOfARequest(`${service} kill -9`);
  });

  test('all after docker kill and start', async () => {
    docker('kill', ...SERVICES.map((service) => stand.container(service)));
    await stand.compose('start');
    await untilHealthy();
    await wayOfARequest('kill, start');
  });

  test('all after compose restart', async () => {
    await stand.compose('restart');
    await untilHealthy();
    await wayOfARequest('restart');
  });

  test.each([
    ['stop', 'start'],
    ['down', 'up'],
  ])('all after compose %s and %s', async (stop, start) => {
    await stand.compose(stop);
    await stand.compose(start, ...(start === 'up' ? ['--wait'] : []));
    await untilHealthy();
    await wayOfARequest(`${stop} ${start}`);
  });

  test('and over Tor, too', async () => {
    await stand.untilReachable(90_000);
  });
});

describe('with letters in an outbox and parcels in the pool nothing is lost, and nothing comes twice, by', () => {
  test.each([
    ['an upgrade', '0.2.0'],
    ['the way back', 'own'],
  ])('%s', async (what, version) => {
    const before = stand.mail.count();
    await stand.compose('stop', 'tor');
    await post(`${what}: letter`);
    const state = async (): Promise<string> => (await stand.tryCompose('run', '--rm', 'tools', 'operator', 'status', '--json')).stdout;
    await expect.poll(state, { timeout: 60_000, interval: 1_000 }).toMatch(/"waiting":"1-9"/);
    await stand.compose('stop', 'worker');
    await post(`${what}: parcel`);
    await stand.become(version);
    await stand.compose('up', '--build', '--wait');
    expect(stand.exec('worker', 'support-relay', '--version')).toBe(`support-relay ${version === 'own' ? VERSION : version}`);
    await untilDelivered(`${what}: letter`);
    await untilDelivered(`${what}: parcel`);
    expect(stand.mail.count()).toBe(before + 2);
  });
});

describe('by the commands of docs/operations.md', () => {
  testRepair(() => stand, { post, untilDelivered });
  testRestoring(() => stand, post);
});

describe('what is missing is said:', () => {
  let other: Stand;
  beforeAll(async () => {
    other = await Stand.clone('b');
    await other.isolate();
  });
  afterAll(async () => {
    await other.stop();
  });

  test('before setup nothing starts, and Docker makes no folder of its own', async () => {
    const { code, stderr } = await other.tryCompose('up', '--wait');
    expect(code).not.toBe(0);
    expect(stderr).toContain(`bind source path does not exist: ${other.layout.dir}`);
    expect(existsSync(other.layout.dir)).toBe(false);
  });

  test('how far tor is, while it is not in its network', async () => {
    await other.compose('run', '--rm', 'setup', '--no-questions');
    const { code } = await other.tryCompose('up', '--wait', '--wait-timeout', '20', 'tor');
    expect(code).not.toBe(0);
    const health = JSON.parse(docker('inspect', '--format', '{{json .State.Health.Log}}', other.container('tor'))) as { Output: string }[];
    expect(health.at(-1)?.Output).toMatch(/^bootstrapped \d{1,2} %: /);
  });
});
