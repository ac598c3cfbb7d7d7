// The end of Redis' append-only file after a power cut: it is recognised, nothing is accepted meanwhile, and one command repairs it.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, cp, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { lookAtAof } from '../../cli/operating/aof.ts';
import { ROOT } from '../../runtime/root.ts';
import { cli, writeTo, type CliResult } from '../support/cli.ts';
import { startDeployment } from '../support/deployment.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const INCR = 'appendonlydir/appendonly.aof.1.incr.aof';
const BASE = 'appendonlydir/appendonly.aof.1.base.rdb';
const MANIFEST = 'appendonlydir/appendonly.aof.manifest';
const PARCELS = 60;

let home: string;
/** A folder of Redis as kill -9 left it: sixty parcels, one after the other, then two in a transaction. */
let whole: string;
const parcels = Object.fromEntries(
  Array.from({ length: PARCELS }, (_, at) => [`parcel-${String(at)}`, randomBytes(2_000).toString('latin1')]),
);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'relay-damaged-'));
  whole = join(home, 'whole');
  await mkdir(whole);
  const redis = await startRedis({ dir: whole, acl: false });
  const client = await redis.connect('worker');
  for (const [id, parcel] of Object.entries(parcels)) await client.hsetnx('pool', id, parcel);
  await client.multi().hset('outbox:a', 'letter', 'x').hset('outbox:b', 'letter', 'y').exec();
  await redis.kill9();
  redis.disconnect();
});
afterAll(() => rm(home, { recursive: true }));

let copies = 0;
async function copyOfWhole(): Promise<string> {
  const dir = join(home, `copy-${String((copies += 1))}`);
  await cp(join(whole, 'appendonlydir'), join(dir, 'appendonlydir'), { recursive: true });
  return dir;
}
const repair = (dir: string, ...more: string[]): Promise<CliResult> =>
  cli(['operator', 'repair', '--redis-data', dir, '--redis-socket', join(dir, 'redis.sock'), '--yes', ...more]);
const starting = (dir: string): Promise<TestRedis> => startRedis({ dir, acl: false });

/** Starts Redis over the folder: everything of before is there, and nothing else. */
async function expectAllThere(dir: string): Promise<void> {
  const redis = await starting(dir);
  try {
    const client = await redis.connect('worker');
    expect(await client.hgetall('pool')).toEqual(parcels);
    expect([await client.hget('outbox:a', 'letter'), await client.hget('outbox:b', 'letter')]).toEqual(['x', 'y']);
    expect((await client.keys('*')).toSorted()).toEqual(['outbox:a', 'outbox:b', 'pool']);
  } finally {
    await redis.stop();
  }
}

const COMMAND = `*4\r\n$6\r\nHSETNX\r\n$4\r\npool\r\n$4\r\nlast\r\n$3000\r\n${'x'.repeat(3_000)}\r\n`;
const TRANSACTION = `*1\r\n$5\r\nMULTI\r\n*3\r\n$4\r\nHDEL\r\n$4\r\npool\r\n$8\r\nparcel-7\r\n`;
const zeros = (length: number): Buffer => Buffer.alloc(length);

describe('a damaged end', () => {
  test.each<[string, Buffer]>([
    ...[1, 7, 512, 4_096, 1_100_000].map((length): [string, Buffer] => [`${String(length)} zeros`, zeros(length)]),
    ...[3, 100, 70_000].map((length): [string, Buffer] => [
      `${String(length)} bytes of junk`,
      Buffer.concat([Buffer.from('!'), randomBytes(length - 1)]),
    ]),
    ...[1, 3, 12, 35, 60, 2_000, COMMAND.length - 1].map((length): [string, Buffer] => [
      `a command cut after ${String(length)} bytes, then zeros`,
      Buffer.concat([Buffer.from(COMMAND.slice(0, length)), zeros(5_000)]),
    ]),
    ['a transaction without its end, then zeros', Buffer.concat([Buffer.from(TRANSACTION), zeros(300)])],
    ['a transaction cut within a command, then junk', Buffer.concat([Buffer.from(TRANSACTION + COMMAND.slice(0, 50)), zeros(20_000)])],
  ])('of %s is cut off, and nothing before it', async (_what, end) => {
    const dir = await copyOfWhole();
    const before = await readFile(join(dir, INCR));
    await appendFile(join(dir, INCR), end);
    const { code, err, text } = await repair(dir, '--json');
    expect(code, err).toBe(EXIT.ok);
    const copy = join(dir, 'damaged/appendonly.aof.1.incr.aof');
    expect(JSON.parse(text)).toEqual({ file: join(dir, INCR), size: before.length + end.length, good: before.length, behind: 0, copy });
    expect((await readFile(join(dir, INCR))).equals(before)).toBe(true);
    expect((await readFile(copy)).equals(Buffer.concat([before, end]))).toBe(true);
  });

  test('stays in a copy, which is named as the operator finds it', async () => {
    const says = async (env: Readonly<Record<string, string>>): Promise<string> => {
      const dir = await copyOfWhole();
      await appendFile(join(dir, INCR), zeros(9));
      const { err } = await cli(['operator', 'repair', '--redis-data', dir, '--redis-socket', join(dir, 'redis.sock'), '--yes'], { env });
      return err.replaceAll(dir, 'DIR');
    };
    const file = 'damaged/appendonly.aof.1.incr.aof';
    expect(await says({})).toContain(`shred -u DIR/${file}\n`);
    expect(await says({ OPERATOR_INSTALLATION: 'docker' })).toMatch(
      new RegExp(`Now: docker compose up --wait; .*shred -u state/redis/data/${file}\n$`, 's'),
    );
    expect(await says({ OPERATOR_INSTALLATION: 'debian' })).toContain(`shred -u /var/lib/support-relay/redis/data/${file}\n`);
  });

  test('is what Redis refuses, and without it all that was accepted is there', async () => {
    const dir = await copyOfWhole();
    const ends: [Buffer, string][] = [
      [zeros(4_096), 'Bad file format'],
      [Buffer.concat([Buffer.from('*'), zeros(5_000)]), 'Unrecoverable error'],
    ];
    for (const [end, says] of ends) {
      await appendFile(join(dir, INCR), end);
      await expect(starting(dir)).rejects.toThrow(new RegExp(`redis-server ended with 1: .*${says}`, 's'));
      expect((await repair(dir)).code).toBe(EXIT.ok);
    }
    expect((await readdir(join(dir, 'damaged'))).toSorted()).toEqual(['appendonly.aof.1.incr.aof', 'appendonly.aof.1.incr.aof-2']);
    await expectAllThere(dir);
  });

  test('that is only the beginning of a transaction Redis cuts itself, and so do we', async () => {
    const [ours, theirs] = [await copyOfWhole(), await copyOfWhole()];
    for (const dir of [ours, theirs]) await appendFile(join(dir, INCR), TRANSACTION + COMMAND.slice(0, 50));
    expect((await repair(ours)).code).toBe(EXIT.ok);
    expect(await readFile(join(ours, INCR))).toEqual(await readFile(join(whole, INCR)));
    await expectAllThere(theirs);
  });
});

describe('damage that is not at the end', () => {
  async function holed(at: number): Promise<{ dir: string; bytes: Buffer }> {
    const dir = await copyOfWhole();
    const file = await open(join(dir, INCR), 'r+');
    await file.write(zeros(600), 0, 600, at);
    await file.close();
    return { dir, bytes: await readFile(join(dir, INCR)) };
  }

  test('is never cut silently: it says how many commands would be lost', async () => {
    const { dir, bytes } = await holed(30_000);
    const { code, err } = await repair(dir);
    expect([code, err]).toEqual([
      EXIT.input,
      expect.stringMatching(/damaged in the middle: 5\d whole commands follow.*\(AOF_DAMAGED\)\n$/s),
    ]);
    expect((await repair(dir, '--lose', '3')).code).toBe(EXIT.input);
    expect(await readFile(join(dir, INCR))).toEqual(bytes);
    const { behind = 0 } = (await lookAtAof(dir)) ?? {};
    const lost = await repair(dir, '--lose', String(behind));
    expect(lost.code, lost.err).toBe(EXIT.ok);
    expect(await readFile(join(dir, 'damaged/appendonly.aof.1.incr.aof'))).toEqual(bytes);
    const redis = await starting(dir);
    const client = await redis.connect('worker');
    // The hole itself costs a command, or two at whose border it lies. Four of those behind it are the transaction.
    const [left, holes] = [await client.hlen('pool'), PARCELS - (behind - 4)];
    expect([holes - left >= 1, holes - left <= 2, left > 5]).toEqual([true, true, true]);
    await redis.stop();
  });

  test.each<[string, string, (bytes: Buffer) => Buffer]>([
    ['what was rewritten', BASE, (bytes) => Buffer.concat([bytes.subarray(0, -9), zeros(9)])],
    ['the manifest', MANIFEST, (bytes) => zeros(bytes.length)],
  ])('in %s is not cut', async (_what, file, change) => {
    const dir = await copyOfWhole();
    await writeFile(join(dir, file), change(await readFile(join(dir, file))));
    const { code, err } = await repair(dir);
    expect([code, err]).toEqual([EXIT.input, expect.stringMatching(/(?:keep a copy of the whole folder|is not text).*\)\n$/)]);
  });

  test('of a file that another follows is not cut', async () => {
    const dir = await copyOfWhole();
    await appendFile(join(dir, INCR), zeros(10));
    await writeTo(join(dir, INCR.replace('.1.', '.2.')), COMMAND);
    await appendFile(join(dir, MANIFEST), 'file appendonly.aof.2.incr.aof seq 2 type i\n');
    expect((await repair(dir)).err).toContain('.1.incr.aof is damaged, and Redis had finished writing it');
  });
});

test('a file without damage stays as it is, and one that Redis has open is not touched', async () => {
  const dir = await copyOfWhole();
  const { code, err } = await repair(dir);
  expect([code, err]).toEqual([EXIT.ok, expect.stringContaining('there is nothing to cut')]);
  const redis = await starting(dir);
  await appendFile(join(dir, INCR), zeros(100));
  // The machine says where Redis would answer, if the command does not.
  const running = await cli(['operator', 'repair', '--redis-data', dir], { env: { OPERATOR_REDIS_SOCKET: join(dir, 'redis.sock') } });
  expect([running.code, running.err]).toEqual([EXIT.input, expect.stringContaining('(REDIS_RUNS)')]);
  await redis.stop();
  expect(await readdir(dir)).not.toContain('damaged');
});

describe('start.sh', () => {
  const socketOf = (dir: string): string => join(dir, 'redis.sock');
  function run(dir: string) {
    const server = ['redis-server', join(ROOT, 'deploy/redis/redis.conf'), '--dir', dir, '--unixsocket', socketOf(dir)];
    const child = spawn('sh', [join(ROOT, 'deploy/redis/start.sh'), dir, join(dir, 'damaged'), ...server], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (data: Buffer) => (said += data.toString()));
    return { child, exit: once(child, 'exit').then(([code]) => code as number | null), said: () => said };
  }
  const status = async (dir: string): Promise<CliResult> =>
    cli(['operator', 'status', '--redis-socket', socketOf(dir), '--password-file', await writeTo(join(dir, 'password'), 'x')]);
  const answers = (dir: string): Promise<boolean> =>
    stat(socketOf(dir)).then(
      () => true,
      () => false,
    );

  test('notes that the file does not load, which the operator is then told; the next start takes the note away', async () => {
    const dir = await copyOfWhole();
    await appendFile(join(dir, INCR), zeros(4_096));
    const first = run(dir);
    expect(await first.exit).toBe(1);
    expect(first.said()).toContain('Redis does not load its append-only file.');
    const told = await status(dir);
    expect([told.code, told.err]).toEqual([
      EXIT.unavailable,
      expect.stringContaining('support-relay operator repair --redis-data state/redis/data'),
    ]);
    await rm(join(dir, 'damaged'));
    expect((await status(dir)).err).toContain('(REDIS_AWAY)');
    await writeFile(join(dir, 'damaged'), '');
    const { size } = await stat(join(dir, INCR));
    const file = await open(join(dir, INCR), 'r+');
    await file.truncate(size - 4_096);
    await file.close();
    const second = run(dir);
    await expect.poll(async () => (await repair(dir)).err).toContain('(REDIS_RUNS)');
    expect(await readdir(dir)).not.toContain('damaged');
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
    // Redis removes its socket when it ends in order.
    expect(await answers(dir)).toBe(false);
  });

  test('notes nothing where it was something else', async () => {
    const dir = await copyOfWhole();
    await appendFile(join(dir, INCR), COMMAND.slice(0, 20));
    await writeFile(join(dir, 'redis.sock'), '');
    const child = spawn('sh', [join(ROOT, 'deploy/redis/start.sh'), dir, join(dir, 'note'), 'sh', '-c', 'exit 7'], { stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([7, null]);
    expect(await readdir(dir)).not.toContain('note');
  });
});

test('nobody is told "accepted" meanwhile, and all of before is delivered afterwards', async () => {
  const deployment = await startDeployment();
  try {
    const texts = ['the first', 'the second', 'the third'];
    deployment.signal('worker', 'SIGSTOP');
    for (const text of texts) expect((await deployment.post(deployment.seal(text))).status).toBe(202);
    await deployment.kill('redis');
    const { redisData, redisSocket } = deployment.layout;
    const files = (await readdir(join(redisData, 'appendonlydir')))
      .filter((name) => name.endsWith('.incr.aof'))
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    await appendFile(join(redisData, 'appendonlydir', files.at(-1) ?? ''), zeros(4_096));
    deployment.start('redis');
    await expect.poll(() => deployment.isRunning('redis')).toBe(false);
    const late = deployment.seal('the fourth');
    for (let times = 0; times < 5; times += 1) expect((await deployment.post(late)).status).toBe(503);
    const { code, err } = await cli(['operator', 'repair', '--redis-data', redisData, '--redis-socket', redisSocket, '--yes']);
    expect(code, err).toBe(EXIT.ok);
    deployment.start('redis');
    deployment.signal('worker', 'SIGCONT');
    await expect.poll(async () => (await deployment.post(late)).status).toBe(202);
    expect((await deployment.untilDelivered([...texts, 'the fourth'])).toSorted()).toEqual([...texts, 'the fourth'].toSorted());
  } finally {
    await deployment.stop();
  }
});
