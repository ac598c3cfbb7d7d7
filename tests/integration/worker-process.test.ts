import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { program } from '../../deploy/state/layout.ts';
import type { Service } from '../../runtime/lifecycle.ts';
import { keys, workerState } from '../../redis/keys.ts';
import { createWorker } from '../../worker/worker.ts';
import { cuttingSocket } from '../support/cutting-socket.ts';
import { oneRedis } from '../support/one-redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { startSmtp, type Answers, type TestSmtp } from '../support/smtp.ts';
import { sampled } from '../support/thorough.ts';
import { maildirFiles, until, workerBench, type Bench } from '../support/worker.ts';

let redis: TestRedis;
let admin: Redis;
let bench: Bench;
let output = '';
const children: ChildProcess[] = [];
const workers: Service[] = [];
const servers: TestSmtp[] = [];
const emptyRedis = oneRedis();

beforeEach(async () => {
  redis = await emptyRedis();
  admin = await redis.connect('admin');
  bench = await workerBench(redis);
  output = '';
  await writeFile(join(bench.dir, 'password'), redis.passwords.worker);
  await useInboxes([{ id: 'inbox-1', team: bench.team, kind: 'maildir', path: join(bench.dir, 'inbox') }]);
});
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await Promise.all(workers.splice(0).map((worker) => worker.destroy()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await redis.stop();
  await bench.remove();
});

const useInboxes = (inboxes: readonly object[]) => writeFile(join(bench.dir, 'inboxes.json'), JSON.stringify(inboxes));

function start(more: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [program('worker')], {
    env: {
      WORKER_REDIS_SOCKET: redis.socketPath,
      WORKER_REDIS_PASSWORD_FILE: join(bench.dir, 'password'),
      WORKER_KEYRINGS: bench.config.keyrings,
      WORKER_ROOT_KEY: bench.config.rootKeyFile,
      WORKER_IDENTITIES: bench.config.identities,
      WORKER_INBOXES: join(bench.dir, 'inboxes.json'),
      WORKER_ROUND_SECONDS: '1',
      WORKER_SHARE: '1',
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  children.push(child);
  return child;
}

/** In this process, for cases that are not about processes. */
async function startHere(): Promise<void> {
  const worker = await createWorker(bench.config);
  workers.push(worker);
  await worker.start();
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exit = once(child, 'exit') as Promise<[number | null]>;
  child.kill(signal);
  return (await exit)[0];
}

async function smtpInbox(answers: Answers = {}): Promise<TestSmtp> {
  const server = await startSmtp({}, answers);
  servers.push(server);
  await useInboxes([
    {
      id: 'inbox-1',
      team: bench.team,
      kind: 'smtp',
      host: '127.0.0.1',
      port: server.port,
      tls: 'none',
      from: 'sender@example.org',
      to: 'receiver@example.org',
    },
  ]);
  return server;
}

const inbox = () => maildirFiles(join(bench.dir, 'inbox'));
const fill = (count: number) => bench.put(admin, ...Array.from({ length: count }, () => bench.parcel()));

describe('the worker as a process', () => {
  it('kill -9 at any moment loses nothing and delivers nothing twice', { timeout: 120_000 }, async () => {
    const count = 80;
    let worker = start();
    for (let added = 0; added < count; added += 10) {
      await fill(10);
      // From before its first tick to the middle of a round.
      await new Promise((resolve) => setTimeout(resolve, 300 + ((added * 37) % 1_100)));
      await end(worker, 'SIGKILL');
      worker = start();
    }
    await until('every letter', async () => (await inbox()).length === count, 90_000);
    await until('an empty outbox', async () => (await admin.hlen(keys.outbox('inbox-1'))) === 0);
    expect(await admin.exists(keys.pool, keys.dropped)).toBe(0);
    expect(await admin.keys('claim:*')).toEqual([]);
  });

  it('recovers by itself after Redis was away', async () => {
    start();
    await until('the first round', async () => (await admin.exists(keys.alive)) === 1);
    await redis.kill9();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await redis.restart();
    admin = await redis.connect('admin');
    await fill(1);
    await until('delivery', async () => (await inbox()).length === 1, 90_000);
    expect(output).toContain('redis away');
    expect(output).toContain('redis back');
  });

  it.each(sampled([1, 2, 3, 4, 5, 6], (nth) => nth === 1 || nth === 4))(
    'recovers by itself when command number %i of its connections is never answered',
    { timeout: 90_000 },
    async (nth) => {
      const path = join(bench.dir, 'cutting.sock');
      const cutting = await cuttingSocket(path, redis.socketPath, nth, 6);
      try {
        start({ WORKER_REDIS_SOCKET: path });
        await until('a connection that broke', () => cutting.cuts > 2);
        await fill(1);
        await until('delivery', async () => (await inbox()).length === 1, 60_000);
      } finally {
        await cutting.close();
      }
    },
  );

  it('can be started before Redis', async () => {
    await redis.kill9();
    start();
    await until('the start', () => output.includes('"started"'));
    await redis.restart();
    admin = await redis.connect('admin');
    await until('the first round', async () => (await admin.exists(keys.alive)) === 1, 90_000);
  });

  it('finishes the current letter on SIGTERM, and ends', async () => {
    let inHand = 0;
    const server = await smtpInbox({ rcptTo: () => ((inHand += 1), null) });
    await fill(40);
    const worker = start();
    await until('a letter in hand', () => inHand > 3);
    expect(await end(worker, 'SIGTERM')).toBe(0);
    expect(server.mails.length).toBeLessThan(40);
    // What was sent has left the outbox, the rest is still in it.
    expect((await admin.hlen(keys.outbox('inbox-1'))) + server.mails.length).toBe(40);
    expect(await admin.keys('claim*')).toEqual([]);
    expect(await admin.exists(keys.lease('deliver-inbox-1'))).toBe(0);
  });

  it('ends on SIGTERM while Redis is away', async () => {
    const worker = start();
    await until('the first round', async () => (await admin.exists(keys.alive)) === 1);
    await redis.kill9();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const begun = Date.now();
    expect(await end(worker, 'SIGTERM')).toBe(0);
    expect(Date.now() - begun).toBeLessThan(10_000);
  });

  it('shares the work with another worker and takes over when that one is paused', { timeout: 90_000 }, async () => {
    const paused = start();
    await startHere();
    await until('the first round', async () => (await admin.exists(keys.alive)) === 1);
    await fill(20);
    paused.kill('SIGSTOP');
    await fill(20);
    await until('every letter', async () => (await inbox()).length === 40, 60_000);
    paused.kill('SIGCONT');
    await fill(5);
    await until('every letter', async () => (await inbox()).length === 45, 90_000);
    expect(await admin.exists(keys.pool, keys.dropped)).toBe(0);
  });

  it('logs neither addresses nor replies nor anything of a letter', async () => {
    const [recipient, data] = [['451'], ['554 5.6.0']];
    const server = await smtpInbox({ rcptTo: () => recipient.shift() ?? null, data: () => data.shift() ?? null });
    await fill(3);
    start();
    await until('delivery', () => server.mails.length === 2);
    await until('its report', () => output.includes('works again'));
    expect(output).toContain('delivery failed');
    expect(output).toContain('letter refused for good');
    const [dead = Buffer.alloc(0)] = await admin.hkeysBuffer(keys.dead('inbox-1'));
    for (const secret of [
      'example.org',
      '127.0.0.1',
      'not welcome',
      String(server.port),
      dead.toString('hex'),
      bench.team,
      redis.passwords.worker,
      'AGE',
    ]) {
      expect(output).not.toContain(secret);
    }
  });

  it('exits with 78 and names every problem when it is misconfigured', async () => {
    const worker = start({ WORKER_SHARE: '2', WORKER_ROUND_SECONDS: 'often' });
    const [code] = (await once(worker, 'exit')) as [number];
    expect(code).toBe(78);
    expect(output).toContain('WORKER_SHARE');
    expect(output).toContain('WORKER_ROUND_SECONDS');
  });
});

it('exits with 78 and says what to change when its limits do not fit into Redis', async () => {
  await admin.config('SET', 'maxmemory', '512mb');
  const worker = start();
  const [code] = (await once(worker, 'exit')) as [number];
  expect(code).toBe(78);
  const settings = 'RELAY_POOL_LIMIT, RELAY_SEEN_LIMIT, WORKER_OUTBOX_LIMIT, WORKER_DEAD_LIMIT or WORKER_REPLY_LIMIT';
  const advice = `raise maxmemory in redis.conf, or lower ${settings}`;
  expect(output).toMatch(new RegExp(`configuration: Redis may use 512mb, .*${advice}`));
});

describe('what Redis knows of time', () => {
  it('is the schedule of the ticks, the same whether or not anything came, and no time of a parcel', async () => {
    await startHere();
    await until('the first round', async () => (await admin.exists(keys.alive)) === 1);
    const shape = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const key of await admin.keys('ticks:*')) found.push(`${key.replace(/\d{13}/, 'N')} ${await admin.type(key)}`);
      return [...new Set(found)].toSorted();
    };
    const idle = new Set<string>();
    for (let times = 0; times < 20; times += 1) {
      for (const each of await shape()) idle.add(each);
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
    await admin.hset(keys.dead('inbox-1'), 'x', 'y');
    await fill(30);
    await until('delivery', async () => (await inbox()).length === 30);
    // `none`: gone between being listed and being inspected.
    const transient = / (string|hash|set|list|none)$/;
    for (const each of await shape()) if (!transient.test(each)) expect([...idle]).toContain(each);
    // A stream's ids are times in ms, so it may hold no more than the ticks of the last moments.
    expect(await admin.xlen('ticks:rounds:events')).toBeLessThan(110);
    expect(await admin.keys('ticks:*metrics*')).toEqual([]);
    expect(await admin.keys('ticks:*completed')).toEqual([]);
    expect(await admin.keys('ticks:*failed')).toEqual([]);
    // Outside the ticks nothing is a time: only counts, ids, ciphertext, fixed lifetimes, and the keyring's public end.
    const keyring = await readFile(join(bench.config.keyrings, 'keyring-1.json'), 'utf8');
    expect(keyring).toContain(`"notAfter":"${String(await admin.hget(keys.state, 'keyringUntil'))}"`);
    await admin.hdel(keys.state, 'keyringUntil');
    for (const key of (await admin.keys('*')).filter((name) => !name.startsWith('ticks:'))) {
      const type = await admin.type(key);
      const fields =
        type === 'hash'
          ? Object.keys(await admin.hgetallBuffer(key)).concat((await admin.hvals(key)).filter((value) => value.length < 100))
          : [];
      const texts = type === 'string' ? [(await admin.get(key)) ?? ''] : type === 'set' ? await admin.smembers(key) : fields;
      for (const text of texts) expect(text).not.toMatch(/^1\d{9}(\d{3})?$|\d{4}-\d\d-\d\d/);
    }
    expect(workerState(await admin.pttl(keys.alive), Number(await admin.get(keys.alive)))).toBe('working');
  });
});
