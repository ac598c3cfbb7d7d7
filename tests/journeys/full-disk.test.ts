// A disk that is full, below Redis and below an inbox: nothing is called accepted that is not kept, and all goes on once there is room.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/worker.ts';
import { compileFullDisk } from '../fault/power-loss.ts';

let folder: string;
let deployment: Deployment;
const accepted: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'support-relay-full-'));
  const library = compileFullDisk(folder);
  const disk = (path: string): Record<string, string> => ({ LD_PRELOAD: library, FULL_DISK: path });
  const dir = await mkdtemp(join(tmpdir(), 'support-relay-'));
  const environment = { redis: disk(join(dir, 'redis/data')), worker: disk(join(dir, 'inbox')) };
  deployment = await startDeployment({ dir, environment });
});
afterAll(async () => {
  await deployment.stop();
  for (const path of [folder, deployment.dir]) await rm(path, { recursive: true });
});

const fill = async (path: string): Promise<void> => writeFile(join(deployment.dir, path, 'full'), '');
const makeRoom = async (path: string): Promise<void> => rm(join(deployment.dir, path, 'full'));
const status = async (): Promise<string> => {
  const where = ['--redis-socket', deployment.layout.redisSocket, '--password-file', deployment.layout.passwordFile('operator')];
  return (await cli(['operator', 'status', ...where])).text;
};

async function post(text: string, parcel = deployment.seal(text)): Promise<number> {
  const { status: code } = await deployment.post(parcel);
  if (code === 202) accepted.push(text);
  return code;
}

/** Each once. */
async function expectAll(): Promise<void> {
  await deployment.untilDelivered(accepted);
  await deployment.untilAllArrived();
  expect((await deployment.letters()).map(({ message }) => message).toSorted()).toEqual(accepted.toSorted());
}

test('below Redis: it ends, what was accepted is there afterwards, and the rest was not accepted', async () => {
  deployment.signal('worker', 'SIGSTOP');
  expect(await post('before')).toBe(202);
  await fill('redis/data');
  const parcel = deployment.seal('while it was full');
  expect(await post('while it was full', parcel)).toBe(503);
  await until('Redis has ended', () => !deployment.isRunning('redis'));
  deployment.signal('worker', 'SIGCONT');
  for (let times = 0; times < 2; times += 1) {
    deployment.start('redis');
    // With the worker's first write.
    await until('Redis has ended', () => !deployment.isRunning('redis'));
    expect(await post('never', parcel)).toBe(503);
  }
  await makeRoom('redis/data');
  deployment.start('redis');
  // Not by /door.json: it is updated once a second, and may not have changed yet.
  await expect.poll(() => post('while it was full', parcel), { timeout: 30_000 }).toBe(202);
  await expectAll();
}, 60_000);

test('below an inbox: its letters wait, none is there in part, and the operator is told', async () => {
  await fill('inbox');
  for (const text of ['first', 'second']) expect(await post(text)).toBe(202);
  await expect.poll(status, { timeout: 30_000 }).toContain('inbox inbox-1 takes nothing at the moment (ENOSPC)');
  expect((await Promise.all(['new', 'tmp'].map((part) => readdir(join(deployment.inbox, part))))).flat()).toHaveLength(2);
  await makeRoom('inbox');
  await expectAll();
  expect(await readdir(join(deployment.inbox, 'tmp'))).toEqual([]);
}, 120_000);
