import { once } from 'node:events';
import { rename, stat } from 'node:fs/promises';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PARCEL_BYTES } from '../../crypto/parcel.ts';
import { FIXED_HEADERS } from '../../runtime/served.ts';
import { keys } from '../../redis/keys.ts';
import { http, postParcel } from '../support/http.ts';
import { NOWHERE, startRelay, type TestRelay } from '../support/relay.ts';

const REQUEST_TIMEOUT_MS = 1_000;

let relay: TestRelay;
beforeAll(async () => {
  relay = await startRelay({ config: { requestTimeoutMs: REQUEST_TIMEOUT_MS } });
});
afterAll(() => relay.stop());

/** A connection on which the test sends every byte itself. */
class Raw {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor() {
    this.socket = connect(Number(new URL(relay.url).port), '127.0.0.1');
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => (this.text += text));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
  }

  async whenClosed(withinMs: number): Promise<string> {
    const limit = setTimeout(() => this.socket.destroy(new Error('still open')), withinMs);
    if (!this.closed) await once(this.socket, 'close').catch(() => undefined);
    clearTimeout(limit);
    return this.text;
  }
}

const HEAD = `POST /parcel HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n`;

function expectOurs(answer: string, status: number, error: string): void {
  expectHead(answer, status);
  expect(answer).toContain(`"error":"${error}"`);
}

function expectHead(answer: string, status: number): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
  for (const [name, value] of FIXED_HEADERS) expect(answer.toLowerCase()).toContain(`${name}: ${value}`.toLowerCase());
  expect(answer.toLowerCase()).not.toContain('\r\ndate:');
}

describe('answers cannot pile up for a client that does not read', () => {
  const exchange = () => Buffer.concat([Buffer.from(`${HEAD}Content-Length: ${String(PARCEL_BYTES)}\r\n\r\n`), relay.stamped()]);

  it('an exchange closes its connection', async () => {
    const raw = new Raw();
    raw.socket.write(exchange());
    expect((await raw.whenClosed(REQUEST_TIMEOUT_MS * 20)).match(/HTTP\/1\.1 202 /g)).toHaveLength(1);
  });

  const ahead = [
    ['exchanges', () => exchange()],
    ['looks at the door', () => Buffer.from('GET /door.json HTTP/1.1\r\n\r\n')],
    ['heads of pages', () => Buffer.from('HEAD / HTTP/1.1\r\n\r\n')],
    ['paths that are not there', () => Buffer.from('GET /x HTTP/1.1\r\n\r\n')],
    ['refused posts', () => Buffer.from('POST /x HTTP/1.1\r\nContent-Length: 1\r\n\r\nx')],
    ['posts that wait to be told to go on', () => Buffer.from(`${HEAD}Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx`)],
  ] as const;
  it.each(ahead)('%s sent ahead of the answer end the connection, after one answer at most', async (_what, one) => {
    const raw = new Raw();
    raw.socket.write(Buffer.concat(Array.from({ length: 50 }, one)));
    expect((await raw.whenClosed(REQUEST_TIMEOUT_MS * 20)).match(/HTTP\/1\.1 [2-5]/g)?.length ?? 0).toBeLessThan(10);
  });
});

describe('bodies that arrive slowly or not at all', () => {
  it('a body that does not arrive gets 408, and the connection is closed', async () => {
    const raw = new Raw();
    raw.socket.write(`${HEAD}Content-Length: ${String(PARCEL_BYTES)}\r\n\r\n`);
    const drip = setInterval(() => raw.socket.write('x'), 50);
    const answer = await raw.whenClosed(REQUEST_TIMEOUT_MS * 20);
    clearInterval(drip);
    expectOurs(answer, 408, 'TIMEOUT');
  });

  it.each(['/', '/en/'])('a pasted text that does not arrive is answered with a page in the language of %s', async (folder) => {
    const raw = new Raw();
    raw.socket.write(
      `POST ${folder}paste HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 32775\r\n\r\nparcel=`,
    );
    const drip = setInterval(() => raw.socket.write('x'), 50);
    const page = `\r\n\r\n${folder.slice(1)}away`;
    await expect.poll(() => raw.text).toContain(page);
    clearInterval(drip);
    raw.socket.destroy();
    expect(raw.text).toMatch(/^HTTP\/1\.1 503 /);
    expect(raw.text.endsWith(page)).toBe(true);
    expect(raw.text.toLowerCase()).toContain('\r\nretry-after: 30\r\n');
    for (const [name, value] of FIXED_HEADERS) expect(raw.text.toLowerCase()).toContain(`${name}: ${value}`.toLowerCase());
  });

  it.each([
    ['headers that do not come', ''],
    ['headers that do not come after a first answer', 'GET /door.json HTTP/1.1\r\n\r\n'],
  ])('%s get 408 with a page, since a person may be waiting', async (_what, before) => {
    const raw = new Raw();
    raw.socket.write(before);
    if (before !== '') await expect.poll(() => raw.text).toContain('"open"');
    const at = raw.text.length;
    raw.socket.write('GET / HTTP/1.1\r\nHost:');
    const answer = (await raw.whenClosed(REQUEST_TIMEOUT_MS * 20)).slice(at);
    expectHead(answer, 408);
    expect(answer.endsWith(`\r\n\r\n${NOWHERE}`)).toBe(true);
  });

  it('a sender that leaves midway leaves nothing behind', async () => {
    const admin = await relay.redis.connect('admin');
    const before = await admin.hlen(keys.pool);
    const raw = new Raw();
    raw.socket.write(`${HEAD}Content-Length: ${String(PARCEL_BYTES)}\r\n\r\n`);
    raw.socket.write(relay.stamped().subarray(0, 1_000));
    await sleep(50);
    raw.socket.destroy();
    await sleep(50);
    expect(await admin.hlen(keys.pool)).toBe(before);
    expect((await postParcel(relay.url, relay.stamped())).status).toBe(202);
  });
});

describe('bodies without an announced length', () => {
  const chunk = (bytes: Uint8Array) => Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

  it('of the right size are parcels', async () => {
    const raw = new Raw();
    raw.socket.write(`${HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`);
    const parcel = relay.stamped();
    for (let at = 0; at < parcel.length; at += 4_000) raw.socket.write(chunk(parcel.subarray(at, at + 4_000)));
    raw.socket.write('0\r\n\r\n');
    expect(await raw.whenClosed(2_000)).toMatch(/^HTTP\/1\.1 202 /);
  });

  it('are cut off at the limit, and answered while they still arrive', async () => {
    const raw = new Raw();
    raw.socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const endless = setInterval(() => raw.socket.write(chunk(Buffer.alloc(8_192))), 5);
    await expect.poll(() => raw.text).toMatch(/^HTTP\/1\.1 413 /);
    expectOurs(raw.text, 413, 'PARCEL_LONG');
    await raw.whenClosed(8_000);
    clearInterval(endless);
  });
});

describe('a body that announces too great a length', () => {
  it('is refused before it is read', async () => {
    const raw = new Raw();
    raw.socket.write(`${HEAD}Content-Length: 10000000000\r\n\r\n`);
    await expect.poll(() => raw.text).toContain('PARCEL_LONG');
    raw.socket.destroy();
  });

  it('after a refusal that was read to its end the connection can be reused', async () => {
    const raw = new Raw();
    raw.socket.write(`${HEAD}Content-Length: 30000\r\n\r\n`);
    raw.socket.write(Buffer.alloc(30_000));
    await expect.poll(() => raw.text).toContain('PARCEL_LONG');
    raw.socket.write('GET /door.json HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(await raw.whenClosed(2_000)).toContain('"open":true');
  });
});

describe('what is not HTTP', () => {
  const broken = [
    ['noise', '\u0000\u0001\u0002canary\r\n\r\n', 400, 'REQUEST'],
    ['two lengths', `${HEAD}Content-Length: 3\r\nContent-Length: 4\r\n\r\ncanary`, 400, 'REQUEST'],
    ['a length and chunks', `${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\ncanary`, 400, 'REQUEST'],
    ['a bad chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\ncanary\r\n`, 400, 'REQUEST'],
    ['a header without end', `GET / HTTP/1.1\r\nX: ${'canary'.repeat(5_000)}`, 431, 'HEADERS_LONG'],
  ] as const;

  it.each(broken)('%s is answered in our words', async (_what, text, status, error) => {
    const raw = new Raw();
    raw.socket.write(text, 'latin1');
    const answer = await raw.whenClosed(2_000);
    expectOurs(answer, status, error);
    expect(answer).not.toContain('canary');
  });

  it('an unknown Expect header gets an ordinary answer', async () => {
    const raw = new Raw();
    raw.socket.write('GET /door.json HTTP/1.1\r\nExpect: canary\r\nConnection: close\r\n\r\n');
    expect(await raw.whenClosed(2_000)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a unix socket', () => {
  it('is for owner and group, replaces what a crash left, and is not taken over from a live process', async () => {
    const socketPath = join(relay.dir, 'relay.sock');
    // A socket file that nobody listens on, as kill -9 leaves it.
    const crashed = createServer();
    await new Promise<void>((resolve) => crashed.listen(`${socketPath}.old`, resolve));
    await rename(`${socketPath}.old`, socketPath);
    await new Promise((resolve) => crashed.close(resolve));

    const config = { listen: { kind: 'unix', path: socketPath } } as const;
    const other = await startRelay({ config });
    expect((await stat(socketPath)).mode & 0o777).toBe(0o660);
    expect((await http('http://relay/door.json', { socketPath })).status).toBe(200);
    expect((await postParcel('http://relay/', other.stamped(), { socketPath })).status).toBe(202);
    await expect(startRelay({ config })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect((await http('http://relay/door.json', { socketPath })).status).toBe(200);
    await other.stop();
  });
});

it('what cannot be compressed now is sent as it is, and compressed for the next client', async () => {
  const other = await startRelay();
  const ask = () => http(`${other.url}/start.json`, { headers: { 'accept-encoding': 'br' } });
  vi.spyOn(zlib, 'brotliCompress').mockImplementationOnce((...given: unknown[]) => {
    (given.at(-1) as (error: Error) => void)(new Error('no memory'));
  });
  const plain = await ask();
  expect([plain.status, plain.headers['content-encoding']]).toEqual([200, undefined]);
  const packed = await ask();
  expect([packed.status, packed.headers['content-encoding']]).toEqual([200, 'br']);
  expect(zlib.brotliDecompressSync(packed.body).equals(plain.body)).toBe(true);
  await other.stop();
});

it('stopping finishes exchanges in progress', async () => {
  const other = await startRelay();
  const admin = await other.redis.connect('admin');
  process.kill(other.redis.pid, 'SIGSTOP');
  const answer = postParcel(other.url, other.stamped());
  await sleep(100);
  const stopped = other.relay.destroy();
  await sleep(100);
  process.kill(other.redis.pid, 'SIGCONT');
  expect((await answer).status).toBe(202);
  await stopped;
  expect(await admin.hlen(keys.pool)).toBe(1);
  await expect(postParcel(other.url, other.stamped())).rejects.toThrow(/ECONNREFUSED/);
  await other.stop();
});

it('many at once are all accepted', async () => {
  const admin = await relay.redis.connect('admin');
  await admin.del(keys.pool);
  const parcels = Array.from({ length: 50 }, () => relay.stamped());
  const statuses = await Promise.all([...parcels, ...parcels].map(async (parcel) => (await postParcel(relay.url, parcel)).status));
  expect(new Set(statuses)).toEqual(new Set([202]));
  expect(await admin.hlen(keys.pool)).toBe(50);
});
