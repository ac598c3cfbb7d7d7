import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { verifyKeyring } from '../../crypto/keyring.ts';
import { ROOT } from '../../runtime/root.ts';
import { PARTS, type Part } from '../../deploy/demo/parts.ts';
import { choosePort } from '../../deploy/demo/port.ts';
import { postParcel } from '../support/http.ts';
import { isThorough, thoroughly } from '../support/thorough.ts';

/** A bound for a busy machine; `npm run bench -- start` measures how long it takes. */
const STARTS_WITHIN_MS = 60_000;

type Ready = {
  url: string;
  keyring: string;
  rootKey: string;
  inbox: string;
  identity: string;
  redisSocket: string;
  pids: Record<Part, number>;
};

let dir: string;
let demos: ChildProcess[];

beforeAll(() => ready);
async function makeFolder(): Promise<void> {
  dir = await mkdtemp(join(tmpdir(), 'support-relay-demo-test-'));
  demos = [];
}

async function removeFolder(): Promise<void> {
  for (const demo of demos) await ended(demo, 'SIGTERM');
  await rm(dir, { recursive: true, force: true });
}

function startDemo(...args: string[]): { demo: ChildProcess; output: () => string } {
  const demo = spawn(process.execPath, [join(ROOT, 'dist/demo.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  demos.push(demo);
  let output = '';
  for (const stream of [demo.stdout, demo.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()));
  return { demo, output: () => output };
}

/** The demo that the cases of a group share. */
function only(): ChildProcess {
  const [demo] = demos;
  if (demo === undefined) throw new Error('no demo runs');
  return demo;
}

async function ended(demo: ChildProcess, signal?: NodeJS.Signals): Promise<number | null> {
  if (demo.exitCode !== null || demo.signalCode !== null) return demo.exitCode;
  const exit = once(demo, 'exit');
  if (signal !== undefined) demo.kill(signal);
  await exit;
  return demo.exitCode;
}

function readReady(): Ready {
  return JSON.parse(readFileSync(join(dir, 'ready.json'), 'utf8')) as Ready;
}

async function untilReady(withinMs = STARTS_WITHIN_MS): Promise<Ready> {
  await expect.poll(() => existsSync(join(dir, 'ready.json')), { timeout: withinMs, interval: 50 }).toBe(true);
  return readReady();
}

/** Every process that runs in the demo's folder, whoever started it. */
async function processesInDir(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (cwd === dir || cwd.startsWith(`${dir}/`)) found.push(pid);
  }
  return found;
}

async function accepted(info: Ready, message: string): Promise<number> {
  const json = readFileSync(info.keyring);
  const keyring = verifyKeyring(json, readFileSync(`${info.keyring}.minisig`, 'utf8'), parsePublicKey(readFileSync(info.rootKey, 'utf8')));
  const parcel = stampParcel(sealRequest({ topic: 'legal', language: 'ru', message }, keyring), 10);
  return (await postParcel(info.url, parcel)).status;
}

/** Runs the command that the demo printed, as a person would: in a shell. */
async function runPrinted(output: string): Promise<{ status: number | null; text: string }> {
  const line = output.split('\n').find((text) => text.includes('support-relay.js open')) ?? 'false';
  const shell = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  shell.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [status] = (await once(shell, 'close')) as [number | null];
  return { status, text };
}

describe('a demo', () => {
  beforeAll(makeFolder);
  afterAll(removeFolder);

  test('starts, accepts a request, and the printed command shows it', async () => {
    const { output } = startDemo('--dir', dir, '--port', String(await choosePort(0)));
    const info = await untilReady();
    expect(Object.keys(info).sort()).toEqual(['identity', 'inbox', 'keyring', 'pids', 'redisSocket', 'rootKey', 'url']);
    expect(Object.keys(info.pids).sort()).toEqual([...PARTS].sort());
    for (const path of [info.keyring, info.rootKey, info.inbox, info.identity, info.redisSocket]) expect(existsSync(path), path).toBe(true);
    expect(await accepted(info, 'Мне нужна помощь')).toBe(202);
    await expect.poll(() => readdir(join(info.inbox, 'new')), { timeout: 60_000 }).toHaveLength(1);
    expect(output()).toContain(info.url);
    expect(output()).toContain(info.inbox);
    const opened = await runPrinted(output());
    expect(opened.text).toContain('Мне нужна помощь');
    expect(opened.status).toBe(0);
  });

  test('is undisturbed by a second one in the same folder, which is refused', async () => {
    const first = readReady();
    const { demo, output } = startDemo('--dir', dir);
    expect(await ended(demo)).toBe(1);
    expect(output()).toContain('is in use by another demo');
    expect(readReady()).toEqual(first);
    expect(await accepted(first, 'still there')).toBe(202);
  });

  test('ends on Ctrl-C, and leaves nothing running', async () => {
    expect(await ended(only(), 'SIGINT')).toBe(0);
    expect(await processesInDir()).toEqual([]);
    expect(existsSync(join(dir, 'ready.json'))).toBe(false);
  });
});

if (isThorough())
  describe('a demo of which a part or everything is killed', () => {
    beforeAll(makeFolder);
    afterAll(removeFolder);
    let port: string;

    test('starts again whichever part is killed, and says so in ready.json', async () => {
      port = String(await choosePort(0));
      startDemo('--dir', dir, '--port', port);
      let before = await untilReady();
      for (const part of PARTS) {
        process.kill(before.pids[part], 'SIGKILL');
        await expect.poll(() => readReady().pids[part], { timeout: 60_000 }).not.toBe(before.pids[part]);
        before = readReady();
        await expect.poll(() => accepted(before, `after ${part}`).catch(() => 0), { timeout: 60_000, interval: 200 }).toBe(202);
      }
      await expect.poll(() => readdir(join(before.inbox, 'new')), { timeout: 60_000 }).toHaveLength(PARTS.length);
    });

    test('leaves nothing running after kill -9, and its folder can be used again', async () => {
      const first = readReady();
      await ended(only(), 'SIGKILL');
      await expect.poll(processesInDir, { timeout: 60_000 }).toEqual([]);
      // The killed demo could not remove this file, and the new one's is awaited next.
      await rm(join(dir, 'ready.json'));
      const again = startDemo('--dir', dir, '--port', port);
      const second = await untilReady();
      expect(second.keyring).toBe(first.keyring);
      expect(await accepted(second, 'again')).toBe(202);
      expect(await ended(again.demo, 'SIGHUP')).toBe(0);
      expect(await processesInDir()).toEqual([]);
    });
  });

describe('a demo for one case', () => {
  beforeEach(makeFolder);
  afterEach(removeFolder);

  if (isThorough())
    test('under npm, ends when npm is killed without telling it', async () => {
      const command = `"${process.execPath}" "${join(ROOT, 'dist/demo.js')}" --dir "${dir}" --port ${String(await choosePort(0))}; true`;
      const shell = spawn('sh', ['-c', command], { stdio: 'ignore', env: { ...process.env, npm_lifecycle_event: 'demo' } });
      await untilReady();
      await ended(shell, 'SIGKILL');
      await expect.poll(processesInDir, { timeout: 60_000 }).toEqual([]);
      await expect.poll(() => existsSync(join(dir, 'demo.lock')), { timeout: 60_000 }).toBe(false);
    });

  thoroughly('ends what it started even when told to stop while starting', async () => {
    const { demo } = startDemo('--dir', dir, '--port', String(await choosePort(0)));
    await expect.poll(() => existsSync(join(dir, 'run/redis/redis.sock')), { interval: 10, timeout: STARTS_WITHIN_MS }).toBe(true);
    expect(await ended(demo, 'SIGTERM')).toBe(0);
    await sleep(300);
    expect(await processesInDir()).toEqual([]);
  });

  test('a busy port and wrong options are plain errors', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const busy = startDemo('--dir', dir, '--port', port);
    expect(await ended(busy.demo)).toBe(1);
    expect(busy.output()).toContain(`Port ${port} on 127.0.0.1 is in use`);
    server.close();

    const wrong = startDemo('--port', 'http');
    expect(await ended(wrong.demo)).toBe(64);
    expect(wrong.output()).toContain('--port needs a number');
    const help = startDemo('--help');
    expect(await ended(help.demo)).toBe(0);
    expect(help.output()).toContain('--dir DIR');
  });
});
