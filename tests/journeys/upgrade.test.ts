// Upgrading and going back, with parcels in the pool and letters in an outbox: nothing is lost, and nothing comes twice. The next version
// is made up, and the programs are the real ones.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { program } from '../../deploy/state/layout.ts';
import { partEnvironment, type Part } from '../../deploy/demo/parts.ts';
import { endProcess } from '../../deploy/demo/supervisor.ts';
import { keys } from '../../redis/keys.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { commandsByHeading } from '../support/documents.ts';
import { buildNext, OTHER_DATA, OTHER_FUNCTIONS, type NextPrograms } from '../support/next-version.ts';
import { until } from '../support/worker.ts';

const MISCONFIGURED = 78;

let deployment: Deployment;
let sent: string[];
/** A folder with `state` in it. */
let home: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  sent = [];
  deployment = await startDeployment();
  await writeFile(deployment.layout.version, '1\n');
  home = await mkdtemp(join(tmpdir(), 'support-relay-home-'));
  await symlink(deployment.dir, join(home, 'state'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await endProcess(child, 8_000);
  await deployment.stop();
  await rm(home, { recursive: true });
});

async function send(count: number): Promise<void> {
  for (let each = 0; each < count; each++) {
    const text = `request ${String(sent.length + 1)}`;
    expect((await deployment.post(deployment.seal(text))).answer.result).toBe('accepted');
    sent.push(text);
  }
}

/** Nothing can be delivered while a file is where the inbox was. */
async function breakInbox(): Promise<void> {
  await rename(deployment.inbox, `${deployment.inbox}.aside`);
  await writeFile(deployment.inbox, '');
}
async function mendInbox(): Promise<void> {
  await rm(deployment.inbox);
  await rename(`${deployment.inbox}.aside`, deployment.inbox);
}

/** Letters in the outbox, which nothing takes, and parcels in the pool, from which nothing leaves while no worker runs. */
async function fillUp(): Promise<void> {
  await breakInbox();
  await send(4);
  const redis = await deployment.connect('worker');
  await until('letters in the outbox', async () => (await waiting(redis)) >= 4 && (await redis.hlen(keys.pool)) === 0);
  await deployment.kill('worker');
  await send(4);
  expect(await redis.hlen(keys.pool)).toBeGreaterThanOrEqual(4);
  redis.disconnect();
}

async function waiting(redis: Redis): Promise<number> {
  const inboxes = await redis.smembers(keys.inboxes);
  return (await Promise.all(inboxes.map((inbox) => redis.hlen(keys.outbox(inbox))))).reduce((sum, count) => sum + count, 0);
}

/** Ends what runs of one version, and starts Redis again, as `docker compose up` does. */
async function endVersion(): Promise<void> {
  for (const child of children.splice(0)) await endProcess(child, 8_000);
  for (const part of ['relay', 'worker', 'redis'] as const) await deployment.kill(part);
}

const settings = (environment: Record<string, string> = {}) => ({
  listen: new URL(deployment.url).host,
  roundSeconds: 1,
  flushProbability: 1,
  environment: { worker: environment },
});

function startNext(next: NextPrograms, part: Part, environment: Record<string, string> = {}): ChildProcess {
  const env = partEnvironment(part, deployment.layout, settings(environment));
  const child = spawn(process.execPath, [next.program(part)], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  return child;
}

/** How a program ends that should end by itself. */
async function endOf(child: ChildProcess): Promise<{ code: number; words: string }> {
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, words };
}

function run(path: string, args: readonly string[], env: Record<string, string> = {}): { code: number | null; words: string } {
  const { status, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
  return { code: status, words: stderr };
}

const prepare = (path: string, word = '') => run(path, ['--dir', deployment.dir, '--for', 'here'], { SUPPORT_RELAY_UPGRADE: word });
const own = (): string => join(program('support-relay'), '../prepare.js');

/** What lasts: not the logs, nor the sockets and the lock of the programs that run. */
async function files(): Promise<Record<string, string>> {
  const entries = await readdir(deployment.dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !/\/(?:log|run)\b/.test(entry.parentPath))
    .map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(await Promise.all(paths.sort().map(async (path) => [path, await readFile(path, 'latin1')] as const)));
}

async function expectEachOnce(): Promise<void> {
  await deployment.untilDelivered(sent);
  await deployment.untilAllArrived();
  expect((await deployment.letters()).map(({ message }) => message).toSorted()).toEqual(sent.toSorted());
}

/** What the document has people type around an upgrade that changes the state, without what is Docker's and git's. */
async function documented(): Promise<string[]> {
  const commands = (await commandsByHeading('docs/operations.md')).get('Upgrading and going back') ?? [];
  return commands.filter((command) => /^(?:tar|rm|SUPPORT_RELAY_UPGRADE)/.test(command));
}

/** As somebody does in the folder where `state` is. */
function type(command: string): string {
  return execFileSync('bash', ['-c', command], { cwd: home, encoding: 'utf8' });
}

const copied = (): string => type('tar --list --file state-before.tar');

describe('a version that leaves the state as it is', () => {
  let next: NextPrograms;
  beforeAll(async () => {
    next = await buildNext(OTHER_FUNCTIONS);
  }, 60_000);
  afterAll(() => next.remove());

  test('takes over what was there, and gives it back to the former one', async () => {
    await fillUp();
    await endVersion();
    expect(prepare(next.program('prepare'))).toEqual({ code: EXIT.ok, words: '' });
    deployment.start('redis');
    for (const part of ['relay', 'worker'] as const) startNext(next, part);
    await deployment.untilOpen();
    await send(3);
    const redis = await deployment.connect('worker');
    await until('the pool is empty', async () => (await redis.hlen(keys.pool)) === 0);
    redis.disconnect();

    await endVersion();
    expect(prepare(own())).toEqual({ code: EXIT.ok, words: '' });
    for (const part of ['redis', 'relay', 'worker'] as const) deployment.start(part);
    await deployment.untilOpen();
    await send(3);
    await mendInbox();
    await expectEachOnce();
  }, 90_000);
});

describe('a version that changes the state', () => {
  let next: NextPrograms;
  beforeAll(async () => {
    next = await buildNext(OTHER_DATA);
  }, 60_000);
  afterAll(() => next.remove());

  test('waits for the word of the operator, and changes nothing until then', async () => {
    await fillUp();
    await endVersion();
    const before = await files();
    for (const word of ['', '3', 'yes']) {
      const { code, words } = prepare(next.program('prepare'), word);
      expect([code, words]).toEqual([
        EXIT.attention,
        expect.stringMatching(/from version 1 to 2 \(a mark is made\).*no way back.*\(UPGRADE_WAITS\)/),
      ]);
    }
    expect(await files()).toEqual(before);
    // Nor does a worker that somebody starts by hand.
    deployment.start('redis');
    const { code, words } = await endOf(startNext(next, 'worker'));
    const redis = await deployment.connect('worker');
    expect([code, words]).toEqual([MISCONFIGURED, expect.stringContaining('(UPGRADE_WAITS)')]);
    expect([await redis.get(keys.version), await redis.hget(keys.state, 'mark')]).toEqual(['1', null]);
    redis.disconnect();
  }, 90_000);

  test('with the word it goes on with what was there; the former one refuses, until the copy is back', async () => {
    await fillUp();
    await endVersion();
    const { layout } = deployment;
    const [copy = '', up = '', remove = '', putBack = ''] = await documented();
    expect(up).toBe('SUPPORT_RELAY_UPGRADE=2 docker compose up --build --wait');
    type(copy);
    expect(copied()).toContain('./redis/data/');
    expect(copied()).not.toMatch(/identities|inbox-1/);
    expect(prepare(next.program('prepare'), '2')).toEqual({ code: EXIT.ok, words: '' });
    expect(await readFile(layout.version, 'utf8')).toBe('2\n');
    deployment.start('redis');
    const redis = await deployment.connect('worker');
    // Of a worker that died in the upgrade: this one waits until that is over.
    await redis.set(keys.lease('upgrade'), 'died', 'PX', 1_000);
    for (const part of ['relay', 'worker'] as const) startNext(next, part, { SUPPORT_RELAY_UPGRADE: '2' });
    await deployment.untilOpen();
    expect([await redis.get(keys.version), await redis.hget(keys.state, 'mark')]).toEqual(['2', 'made']);
    await until('all is in the outbox', async () => (await redis.hlen(keys.pool)) === 0 && (await waiting(redis)) >= sent.length);
    redis.disconnect();

    // Its relay and worker are still there: nothing of the former version touches what they have.
    expect(prepare(own())).toEqual({ code: EXIT.input, words: expect.stringMatching(/version 2,.*\(DATA_NEWER\)/) as unknown });
    for (const part of ['relay', 'worker'] as const) {
      const env = partEnvironment(part, layout, { ...settings(), listen: `unix:${join(layout.run, 'relay/other.sock')}` });
      const child = spawn(process.execPath, [program(part)], {
        env: { ...env, RELAY_PRIVATE_LISTEN: `unix:${join(layout.run, 'relay/p.sock')}` },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      expect(await endOf(child)).toEqual({ code: MISCONFIGURED, words: expect.stringContaining('(DATA_NEWER)') as unknown });
    }
    const status = ['operator', 'status', '--redis-socket', layout.redisSocket, '--password-file', layout.passwordFile('operator')];
    expect(run(program('support-relay'), status)).toEqual({ code: EXIT.input, words: expect.stringContaining('(DATA_NEWER)') as unknown });

    await endVersion();
    type(remove);
    type(putBack);
    expect(await readFile(layout.version, 'utf8')).toBe('1\n');
    expect(prepare(own())).toEqual({ code: EXIT.ok, words: '' });
    for (const part of ['redis', 'relay', 'worker'] as const) deployment.start(part);
    await deployment.untilOpen();
    await mendInbox();
    await expectEachOnce();
  }, 120_000);
});
