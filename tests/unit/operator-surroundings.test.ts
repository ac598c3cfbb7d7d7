// What an operator is told beside what the worker writes down: clocks, disk, onion address, versions, and how long keys last.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onionAddressOf } from '../../crypto/onion-address.ts';
import { endProcess } from '../../deploy/demo/supervisor.ts';
import { noticesOf } from '../../operator/attention/ahead.ts';
import { ofDisk, ofOnion, ofVersions } from '../../operator/attention/surroundings.ts';
import { ofKeys } from '../../operator/attention/worker.ts';
import { commandsOf } from '../../runtime/installation.ts';
import { compareClocks, ofClocks, offsetOf } from '../../operator/clock.ts';
import { freeFraction, readDisk, stepOf } from '../../operator/disk.ts';
import { readOnion } from '../../operator/onion.ts';
import { askService } from '../../operator/surroundings.ts';
import { ALIVE_SECONDS } from '../../redis/keys.ts';
import { minutesOf } from '../../redis/state.ts';
import { ONION, startSocksServer } from '../support/socks-server.ts';

const COMMANDS = commandsOf('docker');
const NOW = new Date('2026-03-07T12:00:00Z');
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n';
const DAY_MS = 24 * 3_600_000;

describe('clocks', () => {
  /** The worker renewed its sign of life a minute ago. */
  const LEFT_MS = (ALIVE_SECONDS - 60) * 1000;
  const here = minutesOf(NOW);

  it.each([
    [0, 'none'],
    [-4, 'none'],
    [5, 'minutes'],
    [-59, 'minutes'],
    [60, 'hours'],
    [24 * 60, 'days'],
    [-(10 ** 6), 'days'],
  ] as const)('that differ by %i minutes differ by %s', (minutes, offset) => {
    expect(offsetOf(minutes)).toBe(offset);
    expect(compareClocks(NOW, LEFT_MS, here - 1 + minutes, [here, here - minutes])).toEqual({ worker: offset, relay: offset });
  });

  it('of a worker that is gone, or that wrote none, and of no relay say nothing', () => {
    const unknown = { worker: null, relay: null };
    expect(compareClocks(NOW, -2, here + 500, [])).toEqual(unknown);
    expect(compareClocks(NOW, LEFT_MS, null, [])).toEqual(unknown);
    expect(ofClocks(unknown)).toEqual([]);
  });

  it('need attention when they differ', () => {
    expect(ofClocks({ worker: 'none', relay: 'days' }).map(({ code, what }) => [code, what])).toEqual([
      ['CLOCKS_DIFFER', 'the clock here and that of the relay differ by days'],
    ]);
  });
});

describe('the disk', () => {
  it.each([
    [0.049, '0-5 %', 'DISK_FULL'],
    [0.05, '5-10 %', 'DISK_FILLING'],
    [0.199, '10-20 %', 'DISK_FILLING'],
    [0.2, '20-100 %', undefined],
    [1, '20-100 %', undefined],
  ] as const)('with a fraction of %d free', (fraction, free, code) => {
    expect(stepOf(fraction)).toBe(free);
    expect(ofDisk({ free })[0]?.code).toBe(code);
    expect(freeFraction(free)).toBeLessThanOrEqual(fraction);
  });

  it('is asked, or the reading fails', async () => {
    expect((await readDisk('/')).free).toMatch(/%$/);
    await expect(readDisk('/nothing/there')).rejects.toThrow('ENOENT');
  });
});

describe('the onion address', () => {
  let dir: string;
  let server: Server;
  let status = 200;
  let socks: Awaited<ReturnType<typeof startSocksServer>>;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'onion-test-'));
    server = createServer((request, response) => response.writeHead(request.url === '/door.json' ? status : 404).end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    socks = await startSocksServer({ [ONION]: (server.address() as AddressInfo).port });
  });
  afterAll(async () => {
    await socks.stop();
    server.close();
    await rm(dir, { recursive: true });
  });

  const look = async (text: string | null, port = socks.port, tryMs = 30_000): Promise<unknown> => {
    const addressFile = join(dir, text === null ? 'none' : 'address');
    if (text !== null) await writeFile(addressFile, text);
    return readOnion({ socks: { host: '127.0.0.1', port }, addressFile }, tryMs);
  };

  it('is visited through tor, on a circuit of its own', async () => {
    expect(await look(`${ONION}\n`)).toBe('reachable');
    expect(await look(`http://${ONION}/`)).toBe('reachable');
    expect(new Set(socks.visits.map(({ password }) => password)).size).toBe(socks.visits.length);
  });

  it('that leads nowhere, or not to a relay, is tried once more', async () => {
    status = 502;
    const before = socks.visits.length;
    expect(await look(ONION)).toBe('unreachable');
    expect(socks.visits.length - before).toBe(2);
    status = 200;
    expect(await look(`${'b'.repeat(56)}.onion`)).toBe('unreachable');
  });

  it('is not reached where the answer goes over to another protocol', async () => {
    const answering = createTcpServer((socket) => socket.once('data', () => socket.write(SWITCHING)));
    await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve));
    const { port } = answering.address() as AddressInfo;
    const way = await startSocksServer({ [ONION]: port });
    expect(await look(ONION, way.port)).toBe('unreachable');
    expect(await askService({ kind: 'loopback', port })).toBeNull();
    await way.stop();
    answering.close();
  });

  it('cannot be visited without tor, or where it is not known', async () => {
    expect(await look(ONION, 9)).toBe('no-tor');
    expect(await look(null)).toBe('no-address');
    expect(await look('example.org')).toBe('no-address');
  });

  it.each([
    ['unreachable', (host: string) => host === ONION],
    ['no-network', () => true],
  ] as const)('of which tor says nothing is %s, by what it says of an address of nobody', async (state, isSilent) => {
    const other = await startSocksServer(
      {},
      { unknown: 0xf0, before: (host) => (isSilent(host) ? new Promise(() => undefined) : Promise.resolve()) },
    );
    expect(await look(ONION, other.port, 300)).toBe(state);
    const visited = other.visits.map(({ host }) => host);
    expect([visited.length, visited.filter((host) => host === ONION).length]).toEqual([3, 2]);
    expect(visited.find((host) => host !== ONION)).toMatch(/^[a-z2-7]{55}d\.onion$/);
    await other.stop();
  });

  it('is not reached by a tor that finds no way into its network', async () => {
    const socket = join(dir, 'socks.sock');
    const nowhere = `DirAuthority nobody orport=9 v3ident=${'A'.repeat(40)} 127.0.0.1:9 ${'B'.repeat(40)}`;
    const port = `unix:${socket} OnionTrafficOnly ExtendedErrors`;
    const lines = [`DataDirectory ${join(dir, 'tor')}`, `SocksPort ${port}`, nowhere, `__OwningControllerProcess ${String(process.pid)}`];
    await writeFile(join(dir, 'torrc'), lines.join('\n'));
    const tor = spawn('tor', ['--defaults-torrc', '/dev/null', '-f', join(dir, 'torrc')], { stdio: 'ignore' });
    const addressFile = join(dir, 'address');
    await writeFile(
      addressFile,
      onionAddressOf(generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    );
    await expect.poll(() => existsSync(socket)).toBe(true);
    expect(await readOnion({ socks: { path: socket }, addressFile }, 1_000)).toBe('no-network');
    await endProcess(tor, 5_000);
    expect(await readOnion({ socks: { path: socket }, addressFile }, 1_000)).toBe('no-tor');
  });

  it.each([
    ['reachable', undefined],
    ['locked', undefined],
    ['no-tor', 'TOR_AWAY'],
    ['no-address', 'ONION_UNREACHABLE'],
    ['no-network', 'ONION_UNREACHABLE'],
    ['unreachable', 'ONION_UNREACHABLE'],
  ] as const)('that is %s', (state, code) => {
    expect(ofOnion(state, COMMANDS)[0]?.code).toBe(code);
  });
});

it('versions are compared with our own', () => {
  expect(ofVersions('1.0.0', ['1.0.0'])).toEqual([]);
  expect(ofVersions('1.0.0', ['1.1.0', '1.0.0', '1.1.0']).map(({ what }) => what)).toEqual(['parts of version 1.1.0 run beside 1.0.0']);
});

it("the end of the worker's keys is news four weeks before, and needs attention for the last week", () => {
  const at = (days: number): [codes: string[], news: unknown[]] => {
    const keysUntil = new Date(NOW.getTime() + days * DAY_MS).toISOString();
    return [
      ofKeys({ keysUntil }, NOW, COMMANDS).map(({ code }) => code),
      noticesOf({}, { keysUntil }, NOW, COMMANDS).map(({ code, days: left }) => [code, left]),
    ];
  };
  expect(at(29)).toEqual([[], []]);
  expect(at(28)).toEqual([[], [['KEYS_END', 28]]]);
  expect(at(8)).toEqual([[], [['KEYS_END', 14]]]);
  expect(at(7)).toEqual([['KEYS_EXPIRING'], []]);
  expect(at(-1)).toEqual([['KEYS_EXPIRING'], []]);
  expect([ofKeys({ keysUntil: '' }, NOW, COMMANDS), noticesOf({}, { keysUntil: '' }, NOW, COMMANDS)]).toEqual([[], []]);
});
