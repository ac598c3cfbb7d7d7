// A real Prometheus watches a real deployment: each alert fires when its cause is made, and clears when it is gone.
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createKeyring } from '../../cli/keys/keyring.ts';
import { generateIdentity } from '../../crypto/age/identity.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import { WEEK_MS } from '../../crypto/card.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { parseSecretKey } from '../../crypto/minisign.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { beginDrain, endDrain } from '../../redis/drain.ts';
import { keys } from '../../redis/keys.ts';
import { ROOT } from '../../runtime/root.ts';
import { DIFFICULTY, startSearchable, type Deployment } from '../support/deployment.ts';
import { OperatorProgram } from '../support/operator-program.ts';
import { TestPrometheus } from '../support/prometheus.ts';
import { ONION, startSocksServer } from '../support/socks-server.ts';
import { until } from '../support/worker.ts';

const POOL_LIMIT = 8;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CLOCK_AHEAD_MS = 2 * HOUR_MS;

let deployment: Deployment;
let admin: Redis;
let operator: OperatorProgram;
let prometheus: TestPrometheus;
let socks: Awaited<ReturnType<typeof startSocksServer>>;
/** After the first test the one that the deployment began with is not taken any more. */
let newest: VerifiedKeyring;
let disk: string;
let torSocket: string;

beforeAll(async () => {
  const limits = { RELAY_POOL_LIMIT: String(POOL_LIMIT) };
  const environment = { relay: { ...limits, RELAY_DIFFICULTY: '0' }, worker: limits };
  ({ deployment, admin } = await startSearchable({ roundSeconds: 1, environment }));
  // Redis is to end.
  admin.on('error', () => undefined);
  newest = deployment.keyring;
  [disk, torSocket] = [join(deployment.dir, 'disk'), join(deployment.dir, 'socks.sock')];
  await mkdir(disk);
  await writeFile(addressFile(), ONION);
  await startTor();
  operator = await OperatorProgram.start(deployment.layout, {
    environment: { OPERATOR_DISK: disk, OPERATOR_ONION_FILE: addressFile(), OPERATOR_TOR_SOCKS: `unix:${torSocket}` },
    hasSmallDisk: true,
  });
  prometheus = await TestPrometheus.start(join(deployment.dir, 'prometheus'), `127.0.0.1:${String(operator.metricsPort)}`);
});
afterAll(async () => {
  await prometheus?.stop();
  await operator?.stop();
  await socks?.stop();
  admin?.disconnect();
  await deployment?.end();
});

const addressFile = (): string => join(deployment.dir, 'onion-address');
async function startTor(): Promise<void> {
  socks = await startSocksServer({ [ONION]: Number(new URL(deployment.url).port) }, { path: torSocket });
}

async function post(): Promise<void> {
  const letter = sealRequest({ topic: 'psychological', language: 'ru', message: 'Здравствуйте' }, newest);
  expect((await deployment.post(stampParcel(letter, DIFFICULTY))).status).toBe(202);
}

/** The names of what fires, once each. */
const firing = async (): Promise<string[]> => [...new Set((await prometheus.firing()).map(({ name }) => name))].toSorted();
const fires = (...names: readonly string[]): Promise<void> =>
  until(`${names.join()} firing`, async () => {
    const now = await firing();
    return names.every((name) => now.includes(name));
  });
/** Also those that came along, such as a late worker while Redis was away. */
const allClear = (): Promise<void> => expect.poll(firing).toEqual([]);

it('keyrings that end soon, and none that follows', async () => {
  // The one that a deployment begins with ends within a week.
  await fires('KEYRINGS_END');
  const root = await parseSecretKey(await readFile(deployment.layout.rootSecretKey, 'utf8'));
  const { teams, worker } = deployment.keyring.keyring;
  const from = new Date(Date.now() - HOUR_MS);
  const sign = (serial: number, days: number, previous: VerifiedKeyring): Promise<VerifiedKeyring> =>
    createKeyring({ serial, from, days, worker, teams, previous }, root, deployment.layout.keyrings);
  const second = await sign(2, 1, deployment.keyring);
  await fires('KEYRING_EXPIRING');
  newest = await sign(3, 60, second);
  await allClear();
});

it("the worker's last key ends within a week", async () => {
  const week = async (weeks: number): Promise<string> => {
    const monday = new Date(Math.floor((Date.now() - 4 * DAY_MS) / WEEK_MS) * WEEK_MS + 4 * DAY_MS + weeks * WEEK_MS);
    const file = join(deployment.layout.identities, `week-${monday.toISOString().slice(0, 10)}.txt`);
    await writeFile(file, `${generateIdentity()}\n`, { mode: 0o600 });
    return file;
  };
  await week(0);
  await fires('KEYS_EXPIRING');
  await week(2);
  await fires('KEYS_END');
  await week(6);
  await allClear();
});

it('an inbox is down', async () => {
  await rename(deployment.inbox, `${deployment.inbox}-away`);
  await writeFile(deployment.inbox, 'no folder');
  await post();
  await fires('INBOX_FAILING');
  expect((await prometheus.firing()).find(({ name }) => name === 'INBOX_FAILING')?.labels).toMatchObject({
    inbox: 'inbox-1',
    severity: 'critical',
  });
  await rm(deployment.inbox);
  await rename(`${deployment.inbox}-away`, deployment.inbox);
  await allClear();
});

it('letters were refused for good', async () => {
  await admin.hset(keys.dead('inbox-1'), Buffer.from(randomBytes(16)), 'letter');
  await fires('INBOX_DEAD');
  await admin.del(keys.dead('inbox-1'));
  await allClear();
});

it('rounds are missed, then there is no worker', async () => {
  await deployment.kill('worker');
  await fires('WORKER_LATE');
  // What an hour without rounds comes to.
  await admin.pexpire(keys.alive, 1);
  await fires('WORKER_GONE', 'DOOR_CLOSED');
  deployment.start('worker');
  await allClear();
});

it('the pool is full', async () => {
  deployment.signal('worker', 'SIGSTOP');
  for (let count = 0; count < POOL_LIMIT; count += 1) await post();
  await fires('DOOR_CLOSED');
  expect((await prometheus.firing()).find(({ name }) => name === 'DOOR_CLOSED')?.labels['reason']).toBe('pool');
  deployment.signal('worker', 'SIGCONT');
  await allClear();
});

it('Redis is read-only', async () => {
  await admin.replicaof('127.0.0.1', '1');
  await fires('DOOR_CLOSED');
  expect((await prometheus.firing()).find(({ name }) => name === 'DOOR_CLOSED')?.labels['reason']).toBe('redis');
  await admin.replicaof('NO', 'ONE');
  await allClear();
});

it('Redis cannot rewrite its file', async () => {
  const limitFiles = (bytes: string): unknown => execFileSync('prlimit', ['--pid', String(deployment.pid('redis')), `--fsize=${bytes}:`]);
  for (let index = 0; index < 200; index += 1) await admin.set(`filler-${String(index)}`, Buffer.from(randomBytes(20_000)));
  await until('rewritten', async () => /aof_current_size:(\d+)\r\naof_base_size:\1\r/.test(await admin.info('persistence')));
  // As on a disk that has no room for a second copy, but for what comes.
  limitFiles('2000000');
  await fires('REDIS_FILE');
  limitFiles('unlimited');
  await allClear();
});

it('Redis is away', async () => {
  await deployment.kill('redis');
  await fires('REDIS_AWAY');
  deployment.start('redis');
  await allClear();
});

it('the relay is away', async () => {
  await deployment.kill('relay');
  await fires('RELAY_AWAY');
  deployment.start('relay');
  await allClear();
});

it('the door stays closed for maintenance', async () => {
  await beginDrain(admin);
  await fires('MAINTENANCE');
  await endDrain(admin);
  await allClear();
});

it('tor is away, then the onion address leads nowhere', async () => {
  await socks.stop();
  await fires('TOR_AWAY');
  await writeFile(addressFile(), `${'b'.repeat(56)}.onion`);
  await startTor();
  await fires('ONION_UNREACHABLE');
  await writeFile(addressFile(), ONION);
  await allClear();
});

it('the disk is nearly full', async () => {
  const filler = join(operator.inside(disk), 'filler');
  await writeFile(filler, Buffer.alloc(850_000));
  await fires('DISK_FILLING');
  await writeFile(filler, Buffer.alloc(1_020_000));
  await fires('DISK_FULL');
  await rm(filler);
  await allClear();
});

it('a clock is wrong', async () => {
  const shift = join(deployment.dir, 'shifted-clock.mjs');
  await writeFile(
    shift,
    `const now = Date.now.bind(Date);
     const shifted = () => now() + ${String(CLOCK_AHEAD_MS)};
     globalThis.Date = class extends Date {
       constructor(...given) { super(...(given.length > 0 ? given : [shifted()])); }
       static now() { return shifted(); }
     };`,
  );
  await operator.stop();
  await operator.run({ environment: { NODE_OPTIONS: `--import=${shift}` } });
  await fires('CLOCKS_DIFFER');
  await operator.stop();
  await operator.run();
  await allClear();
});

it('a part is of another version', async () => {
  const other = join(deployment.dir, 'dist');
  await cp(join(ROOT, 'dist'), other, { recursive: true });
  for (const name of await readdir(other)) {
    const text = await readFile(join(other, name), 'utf8');
    await writeFile(join(other, name), text.replace(/(name: "support-relay",\s+version: )"[\d.]+"/, '$1"99.0.0"'));
  }
  await writeFile(join(other, 'package.json'), '{ "type": "module" }');
  await operator.stop();
  await operator.run({ program: join(other, 'operator.js') });
  await fires('VERSIONS_DIFFER');
  await operator.stop();
  await operator.run();
  await allClear();
});

it("the operator's own service is gone", async () => {
  await operator.stop();
  await fires('OPERATOR_GONE');
  await operator.run();
  await allClear();
});
